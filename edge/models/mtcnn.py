"""The three networks of MTCNN from the weight files of the mtcnn wheel to ONNX.

Zhang, Zhang, Li, Qiao: "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (2016). Weights: PyPI mtcnn 1.0.0, MIT.

A weight file is a joblib pickle of a list of float32 arrays, channels last. A pickle
can run code: `build` must only see bytes whose hash is the pinned one, which the model
store checks first.

ONNX input `image`: uint8 RGB (n, height, width, 3); P takes any size from 12, R 24x24,
O 48x48. Outputs, float32: `probability` of a face, `box` (four corrections x1, y1, x2,
y2 in units of the window), for O `points` (x of five points, then y, in units of the
window). P's outputs are maps, probability (n, rows, columns), box (n, 4, rows, columns)
with one cell every two pixels.
"""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from edge.errors import ModelError
from edge.models.network_graph import NetworkGraph, fold_input_scaling
from edge.models.spec import ModelSpec, PackagedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Weights = list[NDArray[np.float32]]

_INPUT_MEAN = np.full(3, 127.5)
_INPUT_FACTOR = 1.0 / 128.0

_Pool = tuple[int, bool]  # extent (stride is 2), and whether the border is padded
_P_POOLS: tuple[_Pool | None, ...] = ((2, True), None, None)
_R_POOLS: tuple[_Pool | None, ...] = ((3, True), (3, False), None)
_O_POOLS: tuple[_Pool | None, ...] = ((3, True), (3, False), (2, True), None)


def build_pnet(source: bytes) -> bytes:
    """Return the proposal network, fully convolutional.

    Raises:
        ModelError: the bytes are not this network's weights.
    """
    return _build("pnet", source, 13, _write_pnet)


def build_rnet(source: bytes) -> bytes:
    """Return the refinement network; raises ModelError as build_pnet."""
    return _build("rnet", source, 16, _write_rnet)


def build_onet(source: bytes) -> bytes:
    """Return the output network; raises ModelError as build_pnet."""
    return _build("onet", source, 21, _write_onet)


def _build(
    name: str, source: bytes, count: int, write: Callable[[Weights], bytes]
) -> bytes:
    weights = _read_weights(name, source, count)
    try:
        return write(weights)
    except (ValueError, IndexError) as error:
        raise ModelError(f"{name}: weights do not fit the network: {error}") from error


def _read_weights(name: str, source: bytes, count: int) -> Weights:
    advice = "install mtcnn 1.0.0 again"
    try:
        # The caller has checked the pinned hash, so this pickle is a known one.
        arrays = joblib.load(io.BytesIO(source))
    except (
        pickle.UnpicklingError,
        EOFError,
        KeyError,
        ValueError,
        OSError,
        RuntimeError,
        IndexError,
    ) as error:
        raise ModelError(f"{name}: no weight file, {advice}: {error}") from error
    if not isinstance(arrays, list) or len(arrays) != count:
        raise ModelError(f"{name}: not {count} weight arrays; {advice}")
    return [np.asarray(array, np.float32) for array in arrays]


def _write_pnet(weights: Weights) -> bytes:
    graph = NetworkGraph()
    data = _trunk(graph, weights, _P_POOLS)
    box = graph.convolution(data, _kernel(weights[9]), weights[10])
    logits = graph.convolution(data, _kernel(weights[11]), weights[12])
    pair = graph.node("Softmax", [logits], axis=1)
    index = graph.weight(np.array(1, np.int64))
    graph.output_as(graph.node("Gather", [pair, index], axis=1), "probability")
    graph.output_as(box, "box")
    return graph.serialize(
        "mtcnn_pnet",
        ["n", "height", "width", 3],
        {
            "probability": ["n", "rows", "columns"],
            "box": ["n", 4, "rows", "columns"],
        },
    )


def _write_rnet(weights: Weights) -> bytes:
    graph = NetworkGraph()
    data = _dense_stage(graph, weights[9:], _trunk(graph, weights, _R_POOLS))
    graph.output_as(_dense(graph, data, weights[12:14]), "box")
    _write_probability(graph, data, weights[14:16])
    return graph.serialize(
        "mtcnn_rnet", ["n", 24, 24, 3], {"probability": ["n"], "box": ["n", 4]}
    )


def _write_onet(weights: Weights) -> bytes:
    graph = NetworkGraph()
    data = _dense_stage(graph, weights[12:], _trunk(graph, weights, _O_POOLS))
    graph.output_as(_dense(graph, data, weights[15:17]), "box")
    graph.output_as(_dense(graph, data, weights[17:19]), "points")
    _write_probability(graph, data, weights[19:21])
    return graph.serialize(
        "mtcnn_onet",
        ["n", 48, 48, 3],
        {"probability": ["n"], "box": ["n", 4], "points": ["n", 10]},
    )


def _trunk(graph: NetworkGraph, weights: Weights, pools: Sequence[_Pool | None]) -> str:
    data = graph.rgb_input("image")
    for stage, pool in enumerate(pools):
        kernel, bias, slope = weights[3 * stage : 3 * stage + 3]
        kernel = _kernel(kernel)
        if stage == 0:
            kernel, bias = fold_input_scaling(kernel, bias, _INPUT_MEAN, _INPUT_FACTOR)
        data = graph.convolution(data, kernel, bias)
        data = _prelu(graph, data, slope.reshape(-1, 1, 1))
        if pool is not None:
            extent, padded = pool
            data = graph.node(
                "MaxPool",
                [data],
                kernel_shape=[extent, extent],
                strides=[2, 2],
                auto_pad="SAME_UPPER" if padded else "VALID",
            )
    return data


def _kernel(channels_last: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(channels_last.transpose(3, 2, 0, 1))


def _prelu(graph: NetworkGraph, data: str, slope: NDArray[np.float32]) -> str:
    # Two cheap operators that onnxruntime vectorises; its PRelu is slower.
    positive = graph.node("Relu", [data])
    negative = graph.node("Sub", [data, positive])
    scaled = graph.node("Mul", [negative, graph.weight(slope)])
    return graph.node("Add", [positive, scaled])


def _dense_stage(graph: NetworkGraph, weights: Weights, data: str) -> str:
    # The dense weights expect the order column, row, channel.
    ordered = graph.node("Transpose", [data], perm=[0, 3, 2, 1])
    flat = graph.node("Flatten", [ordered])
    return _prelu(graph, _dense(graph, flat, weights[0:2]), weights[2])


def _dense(graph: NetworkGraph, data: str, weights: Sequence[NDArray[Any]]) -> str:
    matrix, bias = weights
    return graph.node("Gemm", [data, graph.weight(matrix), graph.weight(bias)])


def _write_probability(
    graph: NetworkGraph, data: str, weights: Sequence[NDArray[Any]]
) -> None:
    pair = graph.node("Softmax", [_dense(graph, data, weights)], axis=1)
    index = graph.weight(np.array(1, np.int64))
    graph.output_as(graph.node("Gather", [pair, index], axis=1), "probability")


def _spec(name: str, sha256: str, build: Callable[[bytes], bytes]) -> ModelSpec:
    return ModelSpec(
        model_id=f"mtcnn-{name}",
        role="face detection",
        source=PackagedSource(
            "mtcnn",
            f"mtcnn/assets/weights/{name}.lz4",
            sha256,
        ),
        licence="MIT",
        card=(
            "One of MTCNN's three cascaded networks: face box and five points. "
            "Upright faces from about 20 px; weak on faces turned to profile."
        ),
        build=build,
    )


PNET_SPEC = _spec(
    "pnet",
    "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    build_pnet,
)
RNET_SPEC = _spec(
    "rnet",
    "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    build_rnet,
)
ONET_SPEC = _spec(
    "onet",
    "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
    build_onet,
)
