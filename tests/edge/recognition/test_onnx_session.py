"""The door to onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from edge.config import default_cache_dir
from edge.errors import ModelError
from edge.models.store import ModelStore
from edge.recognition.onnx_session import OnnxSession


@pytest.fixture(scope="module")
def model_path():
    return ModelStore(default_cache_dir() / "models").path("leader")


def _image(side: int):
    rng = np.random.default_rng(side)
    return {"image": rng.integers(0, 256, (1, side, side), np.uint8)}


def test_a_session_gives_the_outputs_in_the_models_order(model_path):
    position, direction, kind, suppressed = OnnxSession(model_path).run(_image(64))
    assert position.shape == kind.shape == suppressed.shape == (1, 1, 64, 64)
    assert direction.shape == (1, 2, 64, 64)


def test_giving_memory_back_changes_no_result(model_path):
    keeping, giving = OnnxSession(model_path), OnnxSession(model_path, 1, 64 * 64)
    for side in (64, 96, 64):
        pairs = zip(keeping.run(_image(side)), giving.run(_image(side)), strict=True)
        assert all(np.array_equal(kept, given) for kept, given in pairs)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "leader.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="edge models prepare"):
        OnnxSession(path)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"picture": np.zeros((1, 64, 64), np.uint8)},
        {"image": np.zeros((64, 64), np.uint8)},
        {"image": np.zeros((1, 64, 64), np.float32)},
    ],
)
def test_inputs_that_do_not_fit_are_an_error_of_the_model(model_path, inputs):
    with pytest.raises(ModelError, match="inference failed"):
        OnnxSession(model_path).run(inputs)
