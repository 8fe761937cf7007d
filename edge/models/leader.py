"""The LEADER minutiae network from the HDF5 weights in the pyfing wheel to ONNX.

R. Cappelli, M. Ferrara: "LEADER", arXiv 2602.15493 (2026). Weights: PyPI pyfing, MIT.

ONNX input `image`: uint8 grey (1, height, width) at 500 ppi, height and width multiples
of 32. Outputs, float32, at the input's size: `position` (1, 1, height, width), the
probability of a minutia; `direction` (1, 2, height, width), cosine and sine, y up;
`type` (1, 1, height, width), at least 0.5 for a ridge ending; `suppressed`, the blurred
position map where it is the maximum of its 7x7 neighbourhood, else 0.

The graph is the network with less to compute, equal but for rounding: chains of linear
layers are multiplied out, the three heads' last layers run as one, the last convolution
runs before the enlargement that it follows, and channels of zeros fill the decoder's
maps up to what onnxruntime's fast convolutions take.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edge.errors import ModelError
from edge.models.leader_layers import EPSILON, LeaderLayers, channels_first
from edge.models.linear_layer import (
    LinearLayer,
    before_doubling,
    block_diagonal,
    centring,
    side_by_side,
    stacked,
)
from edge.models.network_graph import NetworkGraph
from edge.models.spec import ModelSpec, PackagedSource

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL_ID = "leader"
# onnxruntime's blocked convolutions want channels in multiples of its vector length.
_BLOCK = 16

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
class _Features:
    """A map whose channels are stored in another order, with zeros behind them.

    order: the channel in each place. width: all channels, zeros included.
    """

    data: str
    order: NDArray[np.int64]
    width: int


@dataclass(frozen=True)
class _Leader(LeaderLayers):
    """The network from the image to its maps."""

    def serialize(self) -> bytes:
        as_float = self.graph.node("Cast", ["image"], to=TensorProto.FLOAT)
        axis = self.graph.weight(np.array([1], np.int64))
        image = self.graph.node("Unsqueeze", [as_float, axis])
        features = self._stem(image, (0, 1), 0, "MaxPool")
        detail = self._stem(image, (2, 3), 9, "AveragePool")
        features = self._attend(self._context(features), detail)
        self._write_heads(self._refine(features))
        names = {"position": 1, "direction": 2, "type": 1, "suppressed": 1}
        shapes: dict[str, Sequence[int | str]] = {
            name: (1, channels, "height", "width") for name, channels in names.items()
        }
        return self.graph.serialize(MODEL_ID, (1, "height", "width"), shapes)

    def _stem(
        self, image: str, convolutions: tuple[int, int], norm: int, pool: str
    ) -> str:
        plain = self.convolution(image, convolutions[0])
        dilated = self.convolution(image, convolutions[1], dilation=2)
        both = self.concat(plain, dilated)
        return self.pool(pool, self.activated(both, norm))

    def _context(self, data: str) -> str:
        skips = []
        for step in range(4):
            data = self._separable(data, step, norm=1 + step)
            skips.append(data)
            data = self.down(data)
        for step in range(4):
            data = self._separable(data, 4 + step, norm=5 + step)
            data = self.concat(self.up(data), skips.pop())
        return data

    def _attend(self, data: str, detail: str) -> str:
        views = [
            self.gelu(self.convolution(data, number, dilation=dilation))
            for number, dilation in ((4, 1), (5, 3), (6, 6))
        ]
        weights = self.graph.node("Sigmoid", [self.convolution(self.concat(*views), 7)])
        return self.concat(self.graph.node("Mul", [data, weights]), detail)

    def _refine(self, data: str) -> _Features:
        skips = []
        features = _in_order(data, 64)
        for step, width in enumerate((32, 64, 128, 32)):
            numbers = (8 + 3 * step, 9 + 3 * step, 10 + 3 * step)
            data = self._bottleneck(features, step, 10 + step, numbers)
            skips.append((data, width))
            features = _in_order(self.down(data), width)
        for step, width in enumerate((27, 91, 42, 20)):
            numbers = (20 + 3 * step, 21 + 3 * step, 22 + 3 * step)
            # What the heads read is faster as it is.
            full = width if step == 3 else -(-width // _BLOCK) * _BLOCK
            data = self._bottleneck(features, 4 + step, 14 + step, numbers, full)
            skip, skip_width = skips.pop()
            # The network has the skip behind; in front, the zeros all come last.
            order = np.roll(np.arange(width + skip_width), -width)
            data = self.concat(skip, self.up(data))
            features = _Features(data, order, skip_width + full)
        return features

    def _write_heads(self, features: _Features) -> None:
        heads = (_POSITION, _DIRECTION, _TYPE)
        data = self._normalized_heads(features, heads)
        norms = [
            self.weights("layer_normalization", head.norms[1], 2) for head in heads
        ]
        second = side_by_side(
            [
                self.linear(head.pointwise[1]).scaled(*norm)
                for head, norm in zip(heads, norms, strict=True)
            ]
        )
        data = self.gelu(self.apply(second, data))
        last = [self.weights("conv2d", head.last, 2) for head in heads]
        kernel = before_doubling(
            block_diagonal([channels_first(kernel) for kernel, _ in last])
        )
        bias = np.repeat(np.concatenate([bias for _, bias in last]), 4)
        inputs = [data, self.constant(kernel), self.constant(bias)]
        data = self.node_same("Conv", inputs, 3)
        data = self.graph.node("DepthToSpace", [data], blocksize=2, mode="CRD")
        parts = [f"{data}_position", "direction", f"{data}_type"]
        channels = self.graph.weight(np.array([1, 2, 1], np.int64))
        self.graph.nodes.append(
            helper.make_node("Split", [data, channels], parts, axis=1)
        )
        position = self.graph.node("Sigmoid", [parts[0]])
        self.graph.output_as(position, "position")
        self.graph.output_as(self.graph.node("Sigmoid", [parts[2]]), "type")
        self.graph.output_as(self._suppressed(position), "suppressed")

    def _normalized_heads(self, features: _Features, heads: tuple[_Head, ...]) -> str:
        """Return four channels a head, normalised but neither scaled nor shifted.

        The original enlarges first; what lies between works on each pixel alone, so the
        result is the same for a quarter of the work.
        """
        direct, inner = [], []
        for head in heads:
            # Linear from the widened channels up to the mean that the norm takes away.
            tail = (
                centring(4)
                .after(self.linear(head.pointwise[0]))
                .after(self.linear(head.block[2]))
            )
            direct.append(
                tail.after(LinearLayer(np.eye(52), self.linear(head.block[1]).shift))
            )
            inner.append(tail.after(self.linear(head.block[1])).matrix)
        layer = stacked(direct).reading(features.order, features.width)
        total = self.apply(layer, features.data)
        for place, head in enumerate(heads):
            wide = self._widened(features, head.depthwise, head.norms[0], head.block[0])
            rows = [inner[place] if place == k else 0 * inner[k] for k in range(3)]
            part = LinearLayer(np.concatenate(rows), np.zeros(12))
            total = self.graph.node("Add", [self.apply(part, wide), total])
        mean = LinearLayer(
            block_diagonal([np.full((4, 4), 0.25)] * 3), np.full(12, EPSILON)
        )
        variance = self.apply(mean, self.graph.node("Mul", [total, total]))
        deviation = self.graph.node("Sqrt", [variance])
        return self.graph.node("Div", [total, deviation])

    def _suppressed(self, position: str) -> str:
        kernel = channels_first(self.weights("conv2d", _BLUR, 1)[0])
        blurred = self.node_same("Conv", [position, self.graph.weight(kernel)], 5)
        highest = self.node_same("MaxPool", [blurred], 7)
        is_peak = self.graph.node("Equal", [blurred, highest])
        zero = self.graph.weight(np.array(0, np.float32))
        return self.graph.node("Where", [is_peak, blurred, zero])

    def _separable(self, data: str, number: int, norm: int) -> str:
        depthwise, pointwise, bias = self.weights("separable_conv2d", number, 3)
        data = self.depthwise(data, depthwise)
        kernel = channels_first(pointwise)
        data = self.graph.convolution(data, kernel, bias)
        return self.activated(data, norm)

    def _bottleneck(
        self,
        features: _Features,
        depthwise: int,
        norm: int,
        numbers: tuple[int, int, int],
        width: int | None = None,
    ) -> str:
        """Inverted bottleneck; numbers: widening, narrowing, adjusting convolution.

        Narrowing, adding the block's input and adjusting are linear: one layer from the
        widened channels and one from the input. width: of the result, with zeros.
        """
        wide = self._widened(features, depthwise, norm, numbers[0])
        narrow, adjust = self.linear(numbers[1]), self.linear(numbers[2])
        inner = adjust.after(narrow)
        direct = LinearLayer(adjust.matrix, inner.shift)
        inner = LinearLayer(inner.matrix, np.zeros_like(inner.shift))
        if width is not None:
            inner, direct = inner.writing(width), direct.writing(width)
        direct = direct.reading(features.order, features.width)
        parts = [self.apply(inner, wide), self.apply(direct, features.data)]
        return self.graph.node("Add", parts)

    def _widened(
        self, features: _Features, depthwise: int, norm: int, widening: int
    ) -> str:
        kernel = self.weights("depthwise_conv2d", depthwise, 1)[0]
        count = len(features.order)
        zeros = ((0, 0), (0, 0), (0, features.width - count), (0, 0))
        data = self.depthwise(
            features.data, np.pad(kernel[:, :, features.order], zeros)
        )
        data = self.graph.node("Transpose", [data], perm=[0, 2, 3, 1])
        if features.width > count:
            bounds = [
                self.graph.weight(np.array([at], np.int64)) for at in (0, count, 3)
            ]
            data = self.graph.node("Slice", [data, *bounds])
        data = self.normalized(data, norm, features.order)
        data = self.graph.node("Transpose", [data], perm=[0, 3, 1, 2])
        layer = self.linear(widening).reading(features.order, count)
        return self.gelu(self.apply(layer, data))


def _in_order(data: str, width: int) -> _Features:
    return _Features(data, np.arange(width), width)


SPEC = ModelSpec(
    model_id=MODEL_ID,
    role="fingerprint minutiae",
    source=PackagedSource(
        "pyfing",
        "pyfing/models/LEADER.weights.h5",
        "0cbf12af936482d10ba54b23f40a9b192ab767df2f81bc96c5954585735fefe6",
    ),
    licence="MIT",
    card=(
        "Finds minutiae with direction, type and probability in a grey fingerprint at "
        "500 ppi. 0.95 million parameters. Plain and latent prints; what prints its "
        "authors trained on is not published in full."
    ),
    build=build,
)
