"""face-reidentification-retail-0095 of the Open Model Zoo, from OpenVINO's files.

Apache-2.0; what it was trained on is not stated. ONNX input `image`: uint8 RGB
(n, 128, 128, 3), a face whose five points lie where RETAIL_LAYOUT says. Output
`embedding`: float32 (n, 256); its direction tells persons apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError
from edge.models.network_graph import NetworkGraph
from edge.models.openvino_ir import read_network, write_layers
from edge.models.spec import FetchedSource, ModelSpec, SourceFile

if TYPE_CHECKING:
    from edge.models.openvino_ir import Network

MODEL_ID = "omz-reid-retail-0095"
FILE_NAME = "face-reidentification-retail-0095"
CHIP_SIZE_PX = 128
LENGTH = 256


def build(xml: bytes, weights: bytes) -> bytes:
    """Return the network as ONNX.

    Raises:
        ModelError: the bytes are not this network.
    """
    network = read_network(xml, weights)
    graph = NetworkGraph()
    image = graph.rgb_input("image")
    # It was trained on images with blue first.
    order = graph.weight(np.array([2, 1, 0], np.int64))
    turned = graph.node("Gather", [image, order], axis=1)
    try:
        result = write_layers(network, graph, turned)
        _require_shape(network)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError(f"model {MODEL_ID}: not this network: {error!r}") from error
    graph.output_as(graph.node("Flatten", [result]), "embedding")
    side = CHIP_SIZE_PX
    return graph.serialize(MODEL_ID, ["n", side, side, 3], {"embedding": ["n", LENGTH]})


def _require_shape(network: Network) -> None:
    [parameter] = [i for i in network.layers.values() if i.kind == "Parameter"]
    if parameter.numbers("shape")[1:] != [3, CHIP_SIZE_PX, CHIP_SIZE_PX]:
        message = f"its input is {parameter.attributes['shape']}"
        raise ValueError(message)


_PLACE = (
    "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/"
    f"models_bin/1/{FILE_NAME}/FP16/{FILE_NAME}"
)
SPEC = ModelSpec(
    model_id=MODEL_ID,
    role="face embedding",
    source=FetchedSource(
        "Open Model Zoo 2023.0",
        (
            SourceFile(
                f"{FILE_NAME}.xml",
                "ce53d2c9c08c0bd1c1660fb8a5b6d0e3e4ec19eb92f1036d2d83a85e83082dce",
                350_427,
                f"{_PLACE}.xml",
            ),
            SourceFile(
                f"{FILE_NAME}.bin",
                "241229ca3d206321868d46ce74a3c0b06c49cea58db7dc70b2e842ff287545d1",
                2_213_628,
                f"{_PLACE}.bin",
            ),
        ),
    ),
    licence="Apache-2.0",
    card="256 numbers whose direction tells persons apart; training data not stated.",
    build=build,
)
