"""SFace, a face network of OpenCV's model zoo: a further choice, not yet measured.

Zhong, Deng, Hu, Zhao, Li, Wen: "SFace: Sigmoid-constrained Hypersphere Loss for Robust
Face Recognition" (2021). Apache-2.0. It can be fetched and prepared; no set of face
networks uses it, because its scores have no calibration here. The zoo's graph takes one
image of floats, 0 to 255, blue first. ONNX input `image`: uint8 RGB (n, 112, 112,
3); output `embedding`: float32 (n, 128), whose direction counts.
"""

from __future__ import annotations

from typing import Any

import onnx
from onnx import TensorProto, helper

from edge.errors import ModelError
from edge.models.spec import FetchedSource, ModelSpec, SourceFile

MODEL_ID = "sface-2021dec"
CHIP_SIZE_PX = 112
LENGTH = 128


def build(source: bytes) -> bytes:
    """Return the network with our kind of input, for any number of images.

    Raises:
        ModelError: the bytes are not the zoo's model.
    """
    try:
        model = onnx.load_model_from_string(source)
        _require(
            _sizes(model.graph.input, model.graph), [3, CHIP_SIZE_PX, CHIP_SIZE_PX]
        )
        _require(_sizes(model.graph.output, model.graph), [LENGTH])
        _take_rgb_bytes(model.graph)
        _name_output(model.graph)
        onnx.checker.check_model(model, full_check=True)
    except ModelError:
        raise
    # protobuf's and onnx's errors have no parent of their own.
    except Exception as error:
        raise ModelError(
            f"model {MODEL_ID}: not the expected graph: {error}"
        ) from error
    return bytes(model.SerializeToString())


def _sizes(values: Any, graph: Any) -> list[int]:  # noqa: ANN401  made at run time
    """Return the sizes of the one value that is no weight, but for the first."""
    weights = {weight.name for weight in graph.initializer}
    [value] = [value for value in values if value.name not in weights]
    return [size.dim_value for size in value.type.tensor_type.shape.dim][1:]


def _require(found: list[int], expected: list[int]) -> None:
    if found != expected:
        raise ModelError(f"model {MODEL_ID}: sizes {found}, expected {expected}")


def _take_rgb_bytes(graph: Any) -> None:  # noqa: ANN401  as above
    weights = {weight.name for weight in graph.initializer}
    [before] = [value for value in graph.input if value.name not in weights]
    side = CHIP_SIZE_PX
    blue_first = helper.make_tensor("blue_first", TensorProto.INT64, [3], [2, 1, 0])
    graph.initializer.append(blue_first)
    nodes = [
        helper.make_node("Cast", ["image"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["as_float", "blue_first"], ["as_bgr"], axis=3),
        helper.make_node("Transpose", ["as_bgr"], [before.name], perm=[0, 3, 1, 2]),
    ]
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    shape = ["n", side, side, 3]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, shape)
    del graph.input[:], graph.value_info[:]
    graph.input.append(image)


def _name_output(graph: Any) -> None:  # noqa: ANN401  as above
    [before] = graph.output
    graph.node.append(helper.make_node("Identity", [before.name], ["embedding"]))
    shape = ["n", LENGTH]
    after = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, shape)
    del graph.output[:]
    graph.output.append(after)


SPEC = ModelSpec(
    model_id=MODEL_ID,
    role="face embedding, a further choice",
    source=FetchedSource(
        "OpenCV Zoo",
        (
            SourceFile(
                "face_recognition_sface_2021dec.onnx",
                "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
                38_696_353,
                "https://media.githubusercontent.com/media/opencv/opencv_zoo/"
                "f12e12798e8314f7c074a6656816c048dcc95b7a/models/"
                "face_recognition_sface/face_recognition_sface_2021dec.onnx",
            ),
        ),
    ),
    licence="Apache-2.0",
    card="128 numbers; not measured and not calibrated here, so that no set uses it; "
    "training data not stated.",
    build=build,
    is_in_use=False,
)
