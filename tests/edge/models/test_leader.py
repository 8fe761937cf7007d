"""The minutiae network as ONNX."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from edge.errors import ModelError
from edge.models import leader
from edge.models.store import read_source


@pytest.fixture(scope="module")
def session():
    built = leader.build(read_source(leader.SPEC))
    return onnxruntime.InferenceSession(built, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("size", [(64, 96), (288, 256)])
def test_maps_have_the_size_of_the_image(session, size):
    image = np.random.default_rng(1).integers(0, 256, (1, *size), np.uint8)
    position, direction, kind, suppressed = session.run(None, {"image": image})
    assert position.shape == kind.shape == suppressed.shape == (1, 1, *size)
    assert direction.shape == (1, 2, *size)
    assert 0 <= position.min() <= position.max() <= 1


def test_the_suppressed_map_holds_peaks_of_the_blurred_position_map(session):
    image = np.random.default_rng(2).integers(0, 256, (1, 96, 96), np.uint8)
    position, _, _, suppressed = session.run(None, {"image": image})
    rows, columns = np.nonzero(suppressed[0, 0] > 1e-3)
    for row, column in zip(rows, columns, strict=True):
        peak = suppressed[0, 0, row, column]
        near = suppressed[
            0, 0, max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4
        ]
        assert near.max() == peak
        assert peak <= position.max()


@pytest.mark.parametrize("source", [b"", b"\x89HDF\r\n\x1a\n", b"text" * 1000])
def test_other_bytes_are_refused(source):
    with pytest.raises(ModelError, match="pyfing"):
        leader.build(source)
