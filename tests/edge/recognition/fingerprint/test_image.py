"""One resolution for all prints."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.fingerprint.image import at_500_ppi, read_finger_image


def _wave(height, width, period_px):
    grey = 127 + 100 * np.sin((np.arange(width) + 0.5) * 2 * np.pi / period_px)
    return np.tile(grey, (height, 1)).astype(np.uint8)


@pytest.mark.parametrize("ppi", [495.0, 500.0, 505.0])
def test_what_is_near_500_ppi_is_left_as_it_is(ppi):
    image = _wave(60, 80, 9)
    assert np.array_equal(at_500_ppi(image, ppi), image)


@pytest.mark.parametrize("ppi", [250.0, 333.0, 569.0, 1000.0])
def test_ridges_have_the_same_period_after_resampling(ppi):
    image = _wave(round(120 * ppi / 500), round(180 * ppi / 500), 9 * ppi / 500)
    found = at_500_ppi(image, ppi).astype(float)
    expected = _wave(120, 180, 9).astype(float)
    assert found.shape == expected.shape
    correlation = np.corrcoef(found[5:-5, 5:-5].ravel(), expected[5:-5, 5:-5].ravel())
    assert correlation[0, 1] > 0.97


def test_ridges_finer_than_the_new_pixels_vanish_and_make_no_new_ones():
    found = at_500_ppi(_wave(400, 400, 2.2), 1000.0)
    assert found[:, 5:-5].std() < 12


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 80), width=st.integers(1, 80), ppi=st.floats(250.0, 1000.0)
)
def test_every_size_and_resolution_gives_a_contiguous_grey_image(height, width, ppi):
    found = at_500_ppi(_wave(height, width, 9)[::-1], ppi)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert min(found.shape) >= 1


@pytest.mark.parametrize("ppi", [0.0, -1.0, 249.9, 1000.1, float("nan"), float("inf")])
def test_resolutions_that_no_scanner_has_are_refused(ppi):
    with pytest.raises(InputError, match="wrong resolution"):
        at_500_ppi(_wave(60, 80, 9), ppi)


def test_what_would_grow_too_large_is_refused_before_it_does():
    huge = np.broadcast_to(np.zeros((1, 1), np.uint8), (40000, 40000))
    with pytest.raises(InputError, match="at most 2048 a side"):
        at_500_ppi(huge, 250.0)


def test_a_file_is_refused_by_its_name(tmp_path):
    path = tmp_path / "slap.png"
    cv2.imwrite(str(path), _wave(40, 3000, 9))
    with pytest.raises(InputError, match=r"slap\.png: .*3000 x 40"):
        read_finger_image(path)
