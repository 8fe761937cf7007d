"""A convolution network written node by node into an ONNX graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OPSET = 17
IR_VERSION = 8


@dataclass
class NetworkGraph:
    """Collects nodes and weights; every method returns the name of its result.

    The input is uint8 RGB images, channels last; inside, float32, channels first.
    """

    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def node(self, operator: str, inputs: Sequence[str], **attributes: object) -> str:
        result = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [result], **attributes))
        return result

    def weight(self, values: NDArray[Any]) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def rgb_input(self, name: str) -> str:
        as_float = self.node("Cast", [name], to=TensorProto.FLOAT)
        return self.node("Transpose", [as_float], perm=[0, 3, 1, 2])

    def convolution(
        self,
        data: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32],
        *,
        stride: tuple[int, int] = (1, 1),
        padding: tuple[int, int] = (0, 0),
    ) -> str:
        """kernel: float32 (out, in, height, width); bias: float32 (out,)."""
        return self.node(
            "Conv",
            [data, self.weight(kernel), self.weight(bias)],
            kernel_shape=list(kernel.shape[2:]),
            strides=list(stride),
            pads=[*padding, *padding],
        )

    def output_as(self, data: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [data], [name]))

    def serialize(
        self,
        name: str,
        image_shape: Sequence[int | str],
        outputs: dict[str, Sequence[int | str]],
    ) -> bytes:
        """Return the checked ONNX model.

        The input is named `image`: uint8, shape image_shape. outputs: float32, name to
        shape; a shape's text entries are free dimensions.

        Raises:
            ModelError: the nodes do not make a valid graph.
        """
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("image", TensorProto.UINT8, image_shape)],
            [
                helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
                for key, shape in outputs.items()
            ],
            self.weights,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="edge",
        )
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as e:
            raise ModelError(
                f"model {name}: conversion made no valid graph: {e}"
            ) from e
        return bytes(model.SerializeToString())


def fold_input_scaling(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    mean: NDArray[np.float64],
    factor: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold (x - mean) * factor into the first convolution; exact without padding.

    kernel: (out, in, height, width). mean: (in,).
    """
    wide = kernel.astype(np.float64) * factor
    shift = np.einsum("oihw,i->o", wide, mean)
    return wide.astype(np.float32), (bias - shift).astype(np.float32)
