"""The LEADER network's layers as ONNX nodes, with the weights of its HDF5 file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from edge.models.linear_layer import LinearLayer

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from edge.models.network_graph import NetworkGraph

    Floats = NDArray[np.float32]

EPSILON = 1e-3


@dataclass(frozen=True)
class LeaderLayers:
    """Writes layers into a graph; a number names a group of weights.

    Maps are float32 (1, channels, height, width) unless said otherwise; every method
    that writes returns the name of its result.
    """

    graph: NetworkGraph
    file: h5py.File

    def convolution(self, data: str, number: int, *, dilation: int = 1) -> str:
        kernel, bias = self.weights("conv2d", number, 2)
        inputs = [
            data,
            self.graph.weight(channels_first(kernel)),
            self.graph.weight(bias),
        ]
        extent = kernel.shape[0]
        return self.node_same("Conv", inputs, extent, dilation=dilation)

    def depthwise(self, data: str, kernel: Floats) -> str:
        by_channel = np.ascontiguousarray(kernel.transpose(2, 3, 0, 1))
        inputs = [data, self.graph.weight(by_channel)]
        return self.node_same("Conv", inputs, kernel.shape[0], group=kernel.shape[2])

    def node_same(
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

    def activated(self, data: str, norm: int) -> str:
        last = self.graph.node("Transpose", [data], perm=[0, 2, 3, 1])
        last = self.gelu(self.normalized(last, norm, None))
        return self.graph.node("Transpose", [last], perm=[0, 3, 1, 2])

    def normalized(
        self, data: str, number: int, order: NDArray[np.int64] | None
    ) -> str:
        """Layer normalisation over channels, which come last in data."""
        weights = self.weights("layer_normalization", number, 2)
        if order is not None:
            weights = [values[order] for values in weights]
        inputs = [data, *(self.graph.weight(values) for values in weights)]
        return self.graph.node("LayerNormalization", inputs, epsilon=EPSILON)

    def apply(self, layer: LinearLayer, data: str) -> str:
        inputs = [data, self.constant(layer.matrix[:, :, None, None])]
        if layer.shift.any():
            inputs.append(self.constant(layer.shift))
        return self.graph.node("Conv", inputs, kernel_shape=[1, 1])

    def gelu(self, data: str) -> str:
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

    def down(self, data: str) -> str:
        """Halve the size: maxima of half of the channels, means of the others."""
        halves = [f"{data}_first", f"{data}_second"]
        self.graph.nodes.append(helper.make_node("Split", [data], halves, axis=1))
        return self.concat(
            self.pool("MaxPool", halves[0]), self.pool("AveragePool", halves[1])
        )

    def pool(self, operator: str, data: str) -> str:
        return self.graph.node(operator, [data], kernel_shape=[2, 2], strides=[2, 2])

    def up(self, data: str) -> str:
        scales = self.graph.weight(np.array([1, 1, 2, 2], np.float32))
        return self.graph.node(
            "Resize",
            [data, "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def concat(self, *parts: str) -> str:
        return self.graph.node("Concat", list(parts), axis=1)

    def weights(self, layer: str, number: int, count: int) -> list[Floats]:
        group = f"{layer}_{number}" if number else layer
        variables = self.file[f"layers/{group}/vars"]
        return [np.asarray(variables[str(i)], np.float32) for i in range(count)]

    def linear(self, number: int) -> LinearLayer:
        kernel, bias = self.weights("conv2d", number, 2)
        return LinearLayer(kernel[0, 0].T.astype(np.float64), bias.astype(np.float64))

    def constant(self, values: NDArray[Any]) -> str:
        return self.graph.weight(np.ascontiguousarray(values, np.float32))


def channels_first(kernel: Floats) -> Floats:
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
