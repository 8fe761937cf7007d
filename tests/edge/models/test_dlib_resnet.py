"""The conversion of dlib's face ResNet, against numbers stored once.

The numbers agree to 1e-6 with a plain numpy computation of the same layers.
"""

from __future__ import annotations

from importlib.metadata import distribution

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.models.dlib_resnet import SPEC, build

# fmt: off
EXPECTED_START = [
    -0.101178288, 0.061556134, 0.0000258257, -0.037653096, -0.183507934, -0.047915593,
    -0.007056810, -0.089515626, 0.099094942, -0.062569417, 0.094430208, -0.083617091,
    -0.269527674, -0.051269311, -0.038775783, 0.108100690,
]
# fmt: on
EXPECTED_SUM = -0.869812906
EXPECTED_LENGTH = 1.3029668


def generated_chip():
    row, column, channel = np.mgrid[0:150, 0:150, 0:3]
    values = row * row * 3 + column * 7 + channel * 50 + row * column
    return (values % 256).astype(np.uint8)


@pytest.fixture(scope="module")
def source():
    return (
        distribution(SPEC.source.distribution)
        .locate_file(SPEC.source.file)
        .read_bytes()
    )


def test_a_generated_chip_gives_the_stored_embedding(source):
    session = onnxruntime.InferenceSession(build(source))
    chips = np.stack([generated_chip(), generated_chip()[::-1]])
    embeddings = session.run(["embedding"], {"image": chips})[0]
    assert embeddings.shape == (2, 128)
    np.testing.assert_allclose(embeddings[0, :16], EXPECTED_START, atol=2e-5)
    assert embeddings[0].sum() == pytest.approx(EXPECTED_SUM, abs=1e-4)
    assert np.linalg.norm(embeddings[0]) == pytest.approx(EXPECTED_LENGTH, abs=1e-4)


@pytest.mark.parametrize("kept", [0, 300, 19_000, 1_000_000])
def test_a_file_cut_short_is_refused(source, kept):
    with pytest.raises(ModelError):
        build(source[:kept])


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=300))
def test_anything_else_is_refused(data):
    with pytest.raises(ModelError):
        build(b"\x01\x15input_rgb_image_sized" + data)
