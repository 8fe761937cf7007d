"""MiniFASNet, which tells a face before the camera from a picture of one.

Minivision AI, Silent-Face-Anti-Spoofing (2020), Apache-2.0. Two networks, which see the
face with more and with less around it; their answers are averaged. ONNX input `image`:
uint8 RGB (n, 80, 80, 3). Output `probability`: float32 (n, 3); the share of class 1 is
that of a bona fide presentation, the others are kinds of attack.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError
from edge.models.network_graph import NetworkGraph
from edge.models.spec import FetchedSource, ModelSpec, SourceFile
from edge.models.torch_weights import read_tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

INPUT_PX = 80
CLASSES = 3
BONA_FIDE = 1
_EPSILON = 1e-5
# Groups of residual blocks, with the block that halves the picture before each.
_GROUPS = (("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5"))


def build(name: str, source: bytes) -> bytes:
    """Return one of the networks as ONNX.

    Raises:
        ModelError: the bytes are not this network's weights.
    """
    weights = read_tensors(source)
    try:
        return _Writer(weights).write(name)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ModelError(
            f"model {name}: weights do not fit the network: {error!r}"
        ) from error


class _Writer:
    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._graph = NetworkGraph()

    def write(self, name: str) -> bytes:
        graph = self._graph
        image = graph.rgb_input("image")
        # It was trained on images with blue first, 0 to 255.
        data = graph.node("Gather", [image, graph.weight(np.array([2, 1, 0]))], axis=1)
        data = self._activated("conv1", data, stride=2, padding=1)
        data = self._activated("conv2_dw", data, padding=1)
        for halving, group in _GROUPS:
            data = self._depthwise(halving, data, stride=2)
            number = 0
            while f"{group}.model.{number}.conv.conv.weight" in self._weights:
                data = self._residual(f"{group}.model.{number}", data)
                number += 1
        data = self._activated("conv_6_sep", data)
        data = graph.node("Flatten", [self._convolved("conv_6_dw", data)])
        probability = graph.node("Softmax", [self._classified(data)], axis=1)
        graph.output_as(probability, "probability")
        shape: list[int | str] = ["n", INPUT_PX, INPUT_PX, 3]
        return graph.serialize(name, shape, {"probability": ["n", CLASSES]})

    def _residual(self, name: str, data: str) -> str:
        more = self._depthwise(name, data)
        if f"{name}.se_module.fc1.weight" in self._weights:
            more = self._gated(f"{name}.se_module", more)
        return self._graph.node("Add", [data, more])

    def _depthwise(self, name: str, data: str, *, stride: int = 1) -> str:
        data = self._activated(f"{name}.conv", data)
        data = self._activated(f"{name}.conv_dw", data, stride=stride, padding=1)
        return self._convolved(f"{name}.project", data)

    def _gated(self, name: str, data: str) -> str:
        """Weigh the channels by what is in the whole picture (squeeze and excite)."""
        graph = self._graph
        mean = graph.node("GlobalAveragePool", [data])
        hidden = self._normalised(f"{name}.fc1", f"{name}.bn1", mean)
        hidden = graph.node("Relu", [hidden])
        gate = self._normalised(f"{name}.fc2", f"{name}.bn2", hidden)
        return graph.node("Mul", [data, graph.node("Sigmoid", [gate])])

    def _activated(
        self, name: str, data: str, *, stride: int = 1, padding: int = 0
    ) -> str:
        convolved = self._convolved(name, data, stride=stride, padding=padding)
        slopes = self._weights[f"{name}.prelu.weight"].reshape(-1, 1, 1)
        return self._graph.node("PRelu", [convolved, self._graph.weight(slopes)])

    def _convolved(
        self, name: str, data: str, *, stride: int = 1, padding: int = 0
    ) -> str:
        return self._normalised(
            f"{name}.conv", f"{name}.bn", data, stride=stride, padding=padding
        )

    def _normalised(
        self, name: str, norm: str, data: str, *, stride: int = 1, padding: int = 0
    ) -> str:
        """Convolve, with the normalisation of batches folded into the kernel."""
        kernel = self._weights[f"{name}.weight"].astype(np.float64)
        scale, shift = self._norm(norm)
        kernel = kernel * scale[:, None, None, None]
        groups = len(kernel) if kernel.shape[1] == 1 and len(kernel) > 1 else 1
        return self._graph.node(
            "Conv",
            [
                data,
                self._graph.weight(kernel.astype(np.float32)),
                self._graph.weight(shift.astype(np.float32)),
            ],
            group=groups,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=[padding] * 4,
        )

    def _norm(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        gamma, beta, mean, variance = (
            self._weights[f"{name}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        return scale, beta - mean * scale

    def _classified(self, data: str) -> str:
        """Return the scores of the classes: two linear layers and a normalisation."""
        scale, shift = self._norm("bn")
        first = self._weights["linear.weight"].astype(np.float64).T * scale
        last = self._weights["prob.weight"].astype(np.float64).T
        graph = self._graph
        # Nothing stands between the two layers but scaling: they are one.
        product = graph.weight((first @ last).astype(np.float32))
        offset = graph.weight((shift @ last).astype(np.float32))
        return graph.node("Gemm", [data, product, offset])


_PLACE = (
    "https://raw.githubusercontent.com/minivision-ai/Silent-Face-Anti-Spoofing/master/"
    "resources/anti_spoof_models/"
)


def _spec(model_id: str, file: str, sha256: str, size_bytes: int) -> ModelSpec:
    return ModelSpec(
        model_id=model_id,
        role="presentation attack detection",
        source=FetchedSource(
            "github.com/minivision-ai/Silent-Face-Anti-Spoofing",
            (SourceFile(file, sha256, size_bytes, _PLACE + file),),
        ),
        licence="Apache-2.0",
        card=(
            "Bona fide face or picture of one; training data not public, error rates "
            "on other cameras unknown."
        ),
        build=partial(build, model_id),
    )


V2_SPEC = _spec(
    "minifasnet-v2",
    "2.7_80x80_MiniFASNetV2.pth",
    "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0",
    1_849_453,
)
V1SE_SPEC = _spec(
    "minifasnet-v1se",
    "4_0_0_80x80_MiniFASNetV1SE.pth",
    "84ee1d37d96894d5e82de5a57df044ef80a58be2b218b5ed7cdfd875ec2f5990",
    1_856_130,
)
