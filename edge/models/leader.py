"""The LEADER minutiae network from the HDF5 weights in the pyfing wheel to ONNX.

R. Cappelli, M. Ferrara: "LEADER", arXiv 2602.15493 (2026). Weights: PyPI pyfing, MIT.

ONNX input `image`: uint8 grey (1, height, width) at 500 ppi, height and width multiples
of 32. Outputs, float32, at the input's size: `position` (1, 1, height, width), the
probability of a minutia; `direction` (1, 2, height, width), cosine and sine, y up;
`type` (1, 1, height, width), at least 0.5 for a ridge ending; `suppressed`, the blurred
position map where it is the maximum of its 7x7 neighbourhood, else 0.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edge.errors import ModelError
from edge.models.network_graph import NetworkGraph
from edge.models.spec import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL_ID = "leader"
_EPSILON = 1e-3

Floats = NDArray[np.float32]


def build(source: bytes) -> bytes:
    """Return the serialized ONNX model made of the HDF5 weights.

    Raises:
        ModelError: the bytes are not this network's weights.
    """
    try:
        with h5py.File(io.BytesIO(source), "r") as file:
            return _Leader(NetworkGraph(), file).serialize()
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise ModelError(
            f"{MODEL_ID}: not the network's weights, install pyfing again: {error}"
        ) from error


@dataclass(frozen=True)
class _Head:
    """Numbers of the weight groups of one head, whose traversal orders interleave."""

    norms: tuple[int, int]
    depthwise: int
    block: tuple[int, int, int]
    pointwise: tuple[int, int]
    last: int


_POSITION = _Head((18, 21), 8, (32, 33, 35), (40, 42), 44)
_DIRECTION = _Head((19, 22), 9, (34, 36, 39), (43, 46), 48)
_TYPE = _Head((20, 23), 10, (37, 38, 41), (45, 49), 50)
_BLUR = 47


@dataclass(frozen=True)
class _Leader:
    """Writes the network into a graph; a number names a group of weights."""

    graph: NetworkGraph
    file: h5py.File

    def serialize(self) -> bytes:
        as_float = self.graph.node("Cast", ["image"], to=TensorProto.FLOAT)
        axis = self.graph.weight(np.array([1], np.int64))
        image = self.graph.node("Unsqueeze", [as_float, axis])
        features = self._stem(image, (0, 1), 0, "MaxPool")
        detail = self._stem(image, (2, 3), 9, "AveragePool")
        features = self._attend(self._context(features), detail)
        features = self._refine(features)
        self._write_heads(features)
        names = {"position": 1, "direction": 2, "type": 1, "suppressed": 1}
        shapes: dict[str, Sequence[int | str]] = {
            name: (1, channels, "height", "width") for name, channels in names.items()
        }
        return self.graph.serialize(MODEL_ID, (1, "height", "width"), shapes)

    def _stem(
        self, image: str, convolutions: tuple[int, int], norm: int, pool: str
    ) -> str:
        plain = self._convolution(image, convolutions[0])
        dilated = self._convolution(image, convolutions[1], dilation=2)
        both = self._concat(plain, dilated)
        return self._pool(pool, self._gelu(self._normalized(both, norm)))

    def _context(self, data: str) -> str:
        skips = []
        for step in range(4):
            data = self._separable(data, step, norm=1 + step)
            skips.append(data)
            data = self._down(data)
        for step in range(4):
            data = self._separable(data, 4 + step, norm=5 + step)
            data = self._concat(self._up(data), skips.pop())
        return data

    def _attend(self, data: str, detail: str) -> str:
        views = [
            self._gelu(self._convolution(data, number, dilation=dilation))
            for number, dilation in ((4, 1), (5, 3), (6, 6))
        ]
        weights = self.graph.node(
            "Sigmoid", [self._convolution(self._concat(*views), 7)]
        )
        return self._concat(self.graph.node("Mul", [data, weights]), detail)

    def _refine(self, data: str) -> str:
        skips = []
        for step in range(4):
            numbers = (8 + 3 * step, 9 + 3 * step, 10 + 3 * step)
            data = self._bottleneck(data, step, 10 + step, numbers)
            skips.append(data)
            data = self._down(data)
        for step in range(4):
            numbers = (20 + 3 * step, 21 + 3 * step, 22 + 3 * step)
            data = self._bottleneck(data, 4 + step, 14 + step, numbers)
            data = self._concat(self._up(data), skips.pop())
        return data

    def _write_heads(self, features: str) -> None:
        position = self.graph.node("Sigmoid", [self._head(features, _POSITION)])
        kind = self.graph.node("Sigmoid", [self._head(features, _TYPE)])
        self.graph.output_as(position, "position")
        self.graph.output_as(self._head(features, _DIRECTION), "direction")
        self.graph.output_as(kind, "type")
        self.graph.output_as(self._suppressed(position), "suppressed")

    def _head(self, data: str, head: _Head) -> str:
        data = self._bottleneck(data, head.depthwise, head.norms[0], head.block)
        data = self._convolution(data, head.pointwise[0])
        data = self._normalized(data, head.norms[1])
        data = self._gelu(self._convolution(data, head.pointwise[1]))
        # The original enlarges first; what lies between works on each pixel alone, so
        # the result is the same for a quarter of the work.
        return self._convolution(self._up(data), head.last)

    def _suppressed(self, position: str) -> str:
        kernel = _channels_first(self._weights("conv2d", _BLUR, 1)[0])
        blurred = self._node_same("Conv", [position, self.graph.weight(kernel)], 5)
        highest = self._node_same("MaxPool", [blurred], 7)
        is_peak = self.graph.node("Equal", [blurred, highest])
        zero = self.graph.weight(np.array(0, np.float32))
        return self.graph.node("Where", [is_peak, blurred, zero])

    def _separable(self, data: str, number: int, norm: int) -> str:
        depthwise, pointwise, bias = self._weights("separable_conv2d", number, 3)
        data = self._depthwise(data, depthwise)
        kernel = _channels_first(pointwise)
        data = self.graph.convolution(data, kernel, bias)
        return self._gelu(self._normalized(data, norm))

    def _bottleneck(
        self, data: str, depthwise: int, norm: int, numbers: tuple[int, int, int]
    ) -> str:
        """Inverted bottleneck; numbers: widening, narrowing, adjusting convolution."""
        kernel = self._weights("depthwise_conv2d", depthwise, 1)[0]
        inner = self._normalized(self._depthwise(data, kernel), norm)
        inner = self._gelu(self._convolution(inner, numbers[0]))
        inner = self._convolution(inner, numbers[1])
        return self._convolution(self.graph.node("Add", [data, inner]), numbers[2])

    def _convolution(self, data: str, number: int, *, dilation: int = 1) -> str:
        kernel, bias = self._weights("conv2d", number, 2)
        inputs = [
            data,
            self.graph.weight(_channels_first(kernel)),
            self.graph.weight(bias),
        ]
        extent = kernel.shape[0]
        return self._node_same("Conv", inputs, extent, dilation=dilation)

    def _depthwise(self, data: str, kernel: Floats) -> str:
        by_channel = np.ascontiguousarray(kernel.transpose(2, 3, 0, 1))
        inputs = [data, self.graph.weight(by_channel)]
        return self._node_same("Conv", inputs, kernel.shape[0], group=kernel.shape[2])

    def _node_same(
        self,
        operator: str,
        inputs: list[str],
        extent: int,
        *,
        dilation: int = 1,
        **attributes: object,
    ) -> str:
        """Add a windowed node whose output has the input's size."""
        if dilation > 1:
            attributes["dilations"] = [dilation, dilation]
        padding = [dilation * (extent // 2)] * 4
        return self.graph.node(
            operator, inputs, kernel_shape=[extent, extent], pads=padding, **attributes
        )

    def _normalized(self, data: str, number: int) -> str:
        """Layer normalisation over channels, which ONNX wants last."""
        scale, shift = self._weights("layer_normalization", number, 2)
        last = self.graph.node("Transpose", [data], perm=[0, 2, 3, 1])
        inputs = [last, self.graph.weight(scale), self.graph.weight(shift)]
        normal = self.graph.node("LayerNormalization", inputs, epsilon=_EPSILON)
        return self.graph.node("Transpose", [normal], perm=[0, 3, 1, 2])

    def _gelu(self, data: str) -> str:
        """The exact form, in the order of nodes that onnxruntime fuses into one."""
        constants = [
            self.graph.weight(np.array(value, np.float32))
            for value in (math.sqrt(2.0), 1.0, 0.5)
        ]
        ratio = self.graph.node("Div", [data, constants[0]])
        share = self.graph.node("Erf", [ratio])
        share = self.graph.node("Add", [share, constants[1]])
        product = self.graph.node("Mul", [data, share])
        return self.graph.node("Mul", [product, constants[2]])

    def _down(self, data: str) -> str:
        """Halve the size: maxima of half of the channels, means of the others."""
        halves = [f"{data}_first", f"{data}_second"]
        self.graph.nodes.append(helper.make_node("Split", [data], halves, axis=1))
        return self._concat(
            self._pool("MaxPool", halves[0]), self._pool("AveragePool", halves[1])
        )

    def _pool(self, operator: str, data: str) -> str:
        return self.graph.node(operator, [data], kernel_shape=[2, 2], strides=[2, 2])

    def _up(self, data: str) -> str:
        scales = self.graph.weight(np.array([1, 1, 2, 2], np.float32))
        return self.graph.node(
            "Resize",
            [data, "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def _concat(self, *parts: str) -> str:
        return self.graph.node("Concat", list(parts), axis=1)

    def _weights(self, layer: str, number: int, count: int) -> list[Floats]:
        group = f"{layer}_{number}" if number else layer
        variables = self.file[f"layers/{group}/vars"]
        return [np.asarray(variables[str(i)], np.float32) for i in range(count)]


def _channels_first(kernel: Floats) -> Floats:
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


SPEC = ModelSpec(
    model_id=MODEL_ID,
    role="fingerprint minutiae",
    source_distribution="pyfing",
    source_file="pyfing/models/LEADER.weights.h5",
    source_sha256="0cbf12af936482d10ba54b23f40a9b192ab767df2f81bc96c5954585735fefe6",
    licence="MIT",
    card=(
        "Finds minutiae with direction, type and probability in a grey fingerprint at "
        "500 ppi. 0.95 million parameters. Plain and latent prints; what prints its "
        "authors trained on is not published in full."
    ),
    build=build,
)
