"""Where the print lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint.foreground import find_print


def _ridges(height: int, width: int):
    wave = 127 + 100 * np.sin(np.arange(width) * 0.7)
    return np.tile(wave.astype(np.uint8), (height, 1))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_even_image_holds_no_print(grey):
    assert find_print(np.full((288, 256), grey, np.uint8)) is None


@pytest.mark.parametrize("contrast", [1.0, 0.2, 0.03])
def test_a_faint_print_is_found_as_a_strong_one(contrast):
    image = np.full((480, 504), 240.0)
    image[200:330, 90:190] = 240 - contrast * _ridges(130, 100)
    found = find_print(image.round().astype(np.uint8))
    assert found is not None
    assert found.top <= 200 - 24
    assert found.bottom >= 330 + 24
    assert found.area_px < 300 * 300


def test_the_noise_of_a_clean_plate_is_left_out():
    image = np.random.default_rng(1).normal(200, 3, (480, 504))
    image[200:330, 90:190] = _ridges(130, 100)
    found = find_print(image.astype(np.uint8))
    assert found is not None
    assert found.area_px < 300 * 300


def test_a_speck_of_dust_is_no_print():
    image = np.full((288, 256), 240, np.uint8)
    image[100:104, 50:54] = 20
    assert find_print(image) is None


def test_the_window_holds_the_print_and_a_margin():
    image = np.full((480, 504), 240, np.uint8)
    image[200:330, 90:190] = _ridges(130, 100)
    found = find_print(image)
    assert found is not None
    assert 200 - 64 <= found.top <= 200 - 24
    assert 330 + 24 <= found.bottom <= 330 + 64
    assert 90 - 64 <= found.left <= 90 - 24
    assert 190 + 24 <= found.right <= 190 + 64


def test_a_print_that_fills_the_image_is_seen_whole():
    found = find_print(_ridges(288, 256))
    assert found is not None
    assert (found.top, found.bottom, found.left, found.right) == (0, 288, 0, 256)


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    seed=st.integers(0, 2**16),
    deviation=st.sampled_from([0.0, 5.0, 7.0, 60.0]),
)
def test_the_window_never_leaves_the_image(height, width, seed, deviation):
    grey = np.random.default_rng(seed).normal(128, deviation, (height, width))
    found = find_print(grey.clip(0, 255).astype(np.uint8))
    if found is not None:
        assert 0 <= found.top < found.bottom <= height
        assert 0 <= found.left < found.right <= width
