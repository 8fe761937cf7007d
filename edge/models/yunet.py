"""YuNet, a face detector, as OpenCV's model zoo gives it, for frames of any size.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (2023). MIT. The graph of
the zoo takes 640 x 640 BGR floats; nothing in it depends on that size, so that the size
is made free. ONNX input `image`: uint8 RGB (1, height, width, 3), both multiples of 32.
Outputs, float32, for strides s of 8, 16 and 32 px, n cells row by row: `cls_s` and
`obj_s` (1, n, 1), `bbox_s` (1, n, 4), `kps_s` (1, n, 10).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge.errors import ModelError
from edge.models.spec import FetchedSource, ModelSpec, SourceFile

MODEL_ID = "yunet-2023mar"
STRIDES_PX = (8, 16, 32)
_OUTPUTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def build(source: bytes) -> bytes:
    """Return the detector with a free size and our kind of input.

    Raises:
        ModelError: the bytes are not the zoo's model.
    """
    try:
        model = onnx.load_model_from_string(source)
        _free_size(model)
        _take_rgb_bytes(model.graph)
        onnx.checker.check_model(model, full_check=True)
    except ModelError:
        raise
    # protobuf's and onnx's errors have no parent of their own.
    except Exception as error:
        raise ModelError(
            f"model {MODEL_ID}: not the expected graph: {error}"
        ) from error
    return bytes(model.SerializeToString())


def _free_size(model: Any) -> None:  # noqa: ANN401  onnx's classes are made at run time
    # In the order of the strides, whatever the order in the file.
    outputs = {f"{kind}_{s}": n for s in STRIDES_PX for kind, n in _OUTPUTS.items()}
    found = {output.name for output in model.graph.output}
    if found != set(outputs):
        raise ModelError(f"model {MODEL_ID}: its outputs are {sorted(found)}")
    del model.graph.output[:], model.graph.value_info[:]
    for name, width in outputs.items():
        cells = f"cells_{name}"
        model.graph.output.append(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, cells, width])
        )


def _take_rgb_bytes(graph: Any) -> None:  # noqa: ANN401  as above
    """Put the change of type, order and channels before the first convolution."""
    [before] = graph.input
    [first] = [node for node in graph.node if before.name in node.input]
    [kernel] = [item for item in graph.initializer if item.name == first.input[1]]
    # The network wants blue first: its first kernels are turned round instead.
    turned = np.ascontiguousarray(numpy_helper.to_array(kernel)[:, ::-1])
    kernel.CopyFrom(numpy_helper.from_array(turned, kernel.name))
    nodes = [
        helper.make_node("Cast", ["image"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["as_float"], [before.name], perm=[0, 3, 1, 2]),
    ]
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    del graph.input[:]
    shape = [1, "height", "width", 3]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, shape))


SPEC = ModelSpec(
    model_id=MODEL_ID,
    role="face detection",
    source=FetchedSource(
        "github.com/ShiqiYu/libfacedetection.train",
        (
            SourceFile(
                "face_detection_yunet_2023mar.onnx",
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
                232_589,
                "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
                "master/onnx/yunet_s_640_640.onnx",
            ),
        ),
    ),
    licence="MIT",
    card="One network over the whole image: face box and five points. WIDER FACE.",
    build=build,
)
