"""SFace's graph is made ours: tried on a small one with the same ends."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.errors import ModelError
from edge.models.registry import ALL_SPECS
from edge.models.sface import CHIP_SIZE_PX, LENGTH, MODEL_ID, build

SIDE = CHIP_SIZE_PX


def zoo_like(side=SIDE, length=LENGTH):
    """Return a graph of the zoo's inputs and outputs: the mean of each channel."""
    picks = np.zeros((3, length), np.float32)
    picks[[0, 1, 2], [0, 1, 2]] = 1
    nodes = [
        helper.make_node("GlobalAveragePool", ["data"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "picks"], ["fc1"]),
    ]
    weights = [numpy_helper.from_array(picks, "picks")]
    # Weights stand among the inputs, as in older files.
    inputs = [
        helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, side, side]),
        helper.make_tensor_value_info("picks", TensorProto.FLOAT, [3, length]),
    ]
    output = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, length])
    graph = helper.make_graph(nodes, "zoo", inputs, [output], weights)
    opset = helper.make_opsetid("", 11)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=6)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def test_images_go_in_as_rgb_bytes_and_several_at_a_time():
    session = onnxruntime.InferenceSession(build(zoo_like()))
    images = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    images[0, ..., 0], images[0, ..., 2] = 200, 50
    images[1, ..., 1] = 7
    [embedding] = session.run(None, {"image": images})
    assert embedding.shape == (2, LENGTH)
    # The network gets blue first.
    np.testing.assert_allclose(embedding[:, :3], [[50, 0, 200], [0, 7, 0]], rtol=1e-5)


@pytest.mark.parametrize(
    "source", [b"", b"no graph", zoo_like(side=96), zoo_like(length=512)]
)
def test_another_graph_is_refused(source):
    with pytest.raises(ModelError, match=MODEL_ID):
        build(source)


def test_it_is_listed_as_a_model_that_has_to_be_fetched():
    [spec] = [spec for spec in ALL_SPECS if spec.model_id == MODEL_ID]
    assert spec.is_optional
    assert not spec.is_in_use
    assert len(spec.source.files[0].sha256) == 64
