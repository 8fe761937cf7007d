"""A network in OpenVINO's intermediate representation, version 11, written to ONNX.

https://docs.openvino.ai, "Operation specifications". An .xml file lists layers and the
edges between their ports; constants are slices of a .bin file, in float16 or float32.
Only what feed-forward convolution networks are made of is known here.

The files are read after their hash was found to be the pinned one; what is checked here
are slips of our own, and a file of another network.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np

from edge.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.models.network_graph import NetworkGraph

    Port = tuple[str, str]  # layer and number

XML_LIMIT_BYTES = 4 * 1024 * 1024
_TYPES = {"f16": np.float16, "f32": np.float32}


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer; inputs: ids of the layers that feed it, in the order of its ports."""

    layer_id: str
    kind: str
    attributes: Mapping[str, str]
    inputs: Sequence[str]

    def numbers(self, name: str) -> list[int]:
        return [int(part) for part in self.attributes[name].split(",")]


@dataclass(frozen=True, eq=False)
class Network:
    """layers: by id, each after what feeds it. constants: float32, by layer id."""

    layers: Mapping[str, Layer]
    constants: Mapping[str, NDArray[np.float32]]

    @property
    def result(self) -> str:
        """Return the layer whose output is the network's."""
        [last] = [item for item in self.layers.values() if item.kind == "Result"]
        return last.inputs[0]


def read_network(xml: bytes, weights: bytes) -> Network:
    """Return the layers and constants of a network.

    Raises:
        ModelError: no such network, or its constants lie outside the weights.
    """
    try:
        root = _parsed(xml)
        inputs = _inputs(root)
        layers = {
            item.attrib["id"]: Layer(
                item.attrib["id"],
                item.attrib["type"],
                _attributes(item),
                inputs.get(item.attrib["id"], ()),
            )
            for item in root.iterfind("layers/layer")
        }
        ordered = _ordered(layers)
        constants = _constants(ordered, weights)
    except (ET.ParseError, KeyError, IndexError, ValueError) as error:
        raise ModelError(f"OpenVINO network: cannot be read: {error!r}") from error
    return Network(ordered, constants)


def write_layers(network: Network, graph: NetworkGraph, image: str) -> str:
    """Write the network to the graph; return the name of its result.

    image: what stands for the network's parameter.

    Raises:
        ModelError: a layer of a kind that is not known here.
    """
    return _Writer(network, graph, image).result()


class _Writer:
    def __init__(self, network: Network, graph: NetworkGraph, image: str) -> None:
        self._network = network
        self._graph = graph
        self._names: dict[str, str] = {}
        self._image = image
        self._kinds: dict[str, Callable[[Layer], str]] = {
            "Parameter": lambda _: image,
            "Add": self._binary,
            "Multiply": self._binary,
            "Convolution": self._convolution,
            "GroupConvolution": self._convolution,
            "PReLU": self._leaky,
            "AvgPool": self._average,
            "Sigmoid": lambda item: graph.node("Sigmoid", [self._name(item, 0)]),
        }
        self._biases = self._find_biases()

    def result(self) -> str:
        for layer_id, item in self._network.layers.items():
            if layer_id in self._network.constants or item.kind == "Result":
                continue
            if layer_id in self._biases.values():
                self._names[layer_id] = self._names[item.inputs[0]]
                continue
            if item.kind not in self._kinds:
                raise ModelError(f"OpenVINO network: layer {item.kind} is not known")
            self._names[layer_id] = self._kinds[item.kind](item)
        return self._names[self._network.result]

    def _find_biases(self) -> dict[str, str]:
        """Return, by convolution, the addition of a constant that alone uses it."""
        users: dict[str, list[Layer]] = {}
        for item in self._network.layers.values():
            for source in item.inputs:
                users.setdefault(source, []).append(item)
        biases = {}
        for layer_id, using in users.items():
            kind = self._network.layers[layer_id].kind
            if kind not in {"Convolution", "GroupConvolution"} or len(using) != 1:
                continue
            [only] = using
            is_bias = only.kind == "Add" and only.inputs[1] in self._network.constants
            if is_bias and only.inputs[0] == layer_id:
                biases[layer_id] = only.layer_id
        return biases

    def _name(self, item: Layer, place: int) -> str:
        source = item.inputs[place]
        if source in self._network.constants:
            return self._graph.weight(self._network.constants[source])
        return self._names[source]

    def _binary(self, item: Layer) -> str:
        operator = {"Add": "Add", "Multiply": "Mul"}[item.kind]
        return self._graph.node(operator, [self._name(item, 0), self._name(item, 1)])

    def _convolution(self, item: Layer) -> str:
        kernel = self._network.constants[item.inputs[1]]
        groups = 1
        if item.kind == "GroupConvolution":
            groups = kernel.shape[0]
            kernel = kernel.reshape(-1, *kernel.shape[2:])
        added = self._biases.get(item.layer_id)
        bias = np.zeros(len(kernel), np.float32)
        if added is not None:
            constant = self._network.constants[self._network.layers[added].inputs[1]]
            bias = np.broadcast_to(constant.reshape(-1), bias.shape).copy()
        return self._graph.node(
            "Conv",
            [
                self._name(item, 0),
                self._graph.weight(kernel),
                self._graph.weight(bias),
            ],
            group=groups,
            kernel_shape=list(kernel.shape[2:]),
            strides=item.numbers("strides"),
            dilations=item.numbers("dilations"),
            pads=[*item.numbers("pads_begin"), *item.numbers("pads_end")],
        )

    def _leaky(self, item: Layer) -> str:
        # One slope for all channels: LeakyRelu, which runs inside the convolution.
        [slope] = self._network.constants[item.inputs[1]].reshape(-1).tolist()
        return self._graph.node("LeakyRelu", [self._name(item, 0)], alpha=slope)

    def _average(self, item: Layer) -> str:
        return self._graph.node(
            "AveragePool",
            [self._name(item, 0)],
            kernel_shape=item.numbers("kernel"),
            strides=item.numbers("strides"),
            pads=[*item.numbers("pads_begin"), *item.numbers("pads_end")],
            count_include_pad=int(item.attributes["exclude-pad"] == "false"),
        )


def _parsed(xml: bytes) -> ET.Element:
    if len(xml) > XML_LIMIT_BYTES or b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        message = "too large, or with declarations that no network needs"
        raise ValueError(message)
    return ET.fromstring(xml)  # noqa: S314  pinned, bounded, without entities


def _attributes(item: ET.Element) -> Mapping[str, str]:
    data = item.find("data")
    return {} if data is None else data.attrib


def _inputs(root: ET.Element) -> dict[str, list[str]]:
    edges: dict[str, list[tuple[int, str]]] = {}
    for edge in root.iterfind("edges/edge"):
        place = (int(edge.attrib["to-port"]), edge.attrib["from-layer"])
        edges.setdefault(edge.attrib["to-layer"], []).append(place)
    return {layer: [source for _, source in sorted(e)] for layer, e in edges.items()}


def _ordered(layers: Mapping[str, Layer]) -> dict[str, Layer]:
    """Return the layers, each after what feeds it."""
    feeding = {layer_id: item.inputs for layer_id, item in layers.items()}
    return {
        layer_id: layers[layer_id]
        for layer_id in TopologicalSorter(feeding).static_order()
    }


def _constants(
    layers: Mapping[str, Layer], weights: bytes
) -> dict[str, NDArray[np.float32]]:
    constants: dict[str, NDArray[np.float32]] = {}
    for layer_id, item in layers.items():
        if item.kind == "Const":
            constants[layer_id] = _constant(item, weights)
        elif item.kind == "Convert":
            constants[layer_id] = constants[item.inputs[0]]
    return constants


def _constant(item: Layer, weights: bytes) -> NDArray[np.float32]:
    kind: Any = _TYPES[item.attributes["element_type"]]
    start, size = int(item.attributes["offset"]), int(item.attributes["size"])
    if start < 0 or size < 0 or start + size > len(weights):
        message = f"constant {item.layer_id} lies outside the weights"
        raise ValueError(message)
    values = np.frombuffer(weights[start : start + size], kind)
    return values.reshape(item.numbers("shape")).astype(np.float32)
