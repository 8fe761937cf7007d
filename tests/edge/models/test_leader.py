"""The minutiae network as ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edge.errors import ModelError
from edge.models import leader
from edge.models.sources import read_source


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    built = leader.build(*read_source(leader.SPEC, tmp_path_factory.mktemp("sources")))
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


def test_the_maps_are_those_of_the_original_implementation(session):
    """Recorded with pyfing 0.7.3 on Keras 3.15.1 and JAX 0.10.2, a drawn image.

    maps: every fourth pixel, position, direction in radians, type, suppressed map;
    peaks: row and column of each minutia of at least 0.45, peak_maps: the maps there.
    """
    recorded = np.load(Path(__file__).parent / "leader_reference.npz")
    found = session.run(None, {"image": recorded["image"][None]})
    position, direction, kind, suppressed = (values[0] for values in found)
    angle = np.arctan2(direction[1], direction[0])
    maps = np.stack([position[0], angle, kind[0], suppressed[0]], axis=-1)

    rows, columns = np.nonzero(suppressed[0] >= 0.45)
    np.testing.assert_array_equal(np.stack([rows, columns], 1), recorded["peaks"])
    np.testing.assert_allclose(
        maps[rows, columns], recorded["peak_maps"], rtol=0, atol=2e-5
    )
    difference = np.abs(maps[::4, ::4] - recorded["maps"])
    assert difference[..., [0, 2, 3]].max() < 1e-4
    turn = np.minimum(difference[..., 1], 2 * np.pi - difference[..., 1])
    assert turn.max() < 0.02


def test_the_same_weights_make_the_same_bytes(tmp_path):
    [source] = read_source(leader.SPEC, tmp_path)
    assert leader.build(source) == leader.build(source)


@pytest.mark.parametrize("source", [b"", b"\x89HDF\r\n\x1a\n", b"text" * 1000])
def test_other_bytes_are_refused(source):
    with pytest.raises(ModelError, match="pyfing"):
        leader.build(source)
