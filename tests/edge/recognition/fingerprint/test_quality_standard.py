"""The standard's measures on images whose measures are known, by hand or by a port."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint import quality_standard_kernels as kernels
from edge.recognition.fingerprint.quality_standard import (
    LIMITS,
    NAMES,
    standard_measures,
)
from edge.simulate.fingers import SyntheticFinger

DARK, PALE = 40.0, 220.0


def _bars(ridge_px: int, valley_px: int, offset: int = 0) -> np.ndarray:
    """A window of upright bars, ridges first."""
    period = ridge_px + valley_px
    row = [DARK if (t + offset) % period < ridge_px else PALE for t in range(32)]
    return np.tile(np.array(row), (16, 1))


def _scores(window):
    profile, ratios = np.empty(32), np.empty(32)
    found = kernels.uniformity(window, profile, ratios)
    return kernels.local_clarity(window, profile), ratios[:found].tolist()


def _stripes(period_px: float, degrees: float, size=(140, 140)):
    y, x = np.indices(size, np.float64)
    across = x * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    return np.rint(127 + 100 * np.cos(2 * math.pi * across / period_px)).astype(
        np.uint8
    )


def test_clean_bars_are_wholly_clear():
    clarity, ratios = _scores(_bars(4, 4))
    assert clarity == 1.0
    assert ratios == [1.0] * 4


def test_ratios_are_ridge_over_valley_whatever_comes_first():
    for offset in range(8):
        _, ratios = _scores(_bars(3, 5, offset))
        assert ratios
        # Each pair is read from ridge to valley or back, never mixed.
        assert len({round(ratio, 6) for ratio in ratios}) == 1


def test_bars_of_odd_widths_have_no_clarity():
    assert _scores(_bars(2, 6))[0] == 0.0
    assert _scores(_bars(4, 12))[0] == 0.0
    assert _scores(np.full((16, 32), 90.0))[0] == 0.0


def test_each_wrong_pixel_takes_its_share_of_clarity():
    window = _bars(4, 4)
    window[3, 4] = DARK  # One of 16 x 16 pixels of valley.
    assert _scores(window)[0] == pytest.approx(1 - 1 / 256 / 2)


@pytest.mark.parametrize("waves", [2, 3, 4, 8])
def test_a_pure_wave_has_the_whole_spectrum(waves):
    profile = 100 + 50 * np.cos(2 * math.pi * waves * np.arange(32) / 32)
    assert kernels.wave(np.tile(profile, (16, 1)), np.empty(32)) == pytest.approx(1.0)


def test_two_waves_share_the_spectrum_with_their_neighbours():
    t = 2 * math.pi * np.arange(32) / 32
    profile = 100 + 30 * np.cos(3 * t) + 20 * np.cos(4 * t) + 10 * np.cos(9 * t)
    share = kernels.wave(np.tile(profile, (16, 1)), np.empty(32))
    assert share == pytest.approx((30 + 0.3 * 20) / 60)


def test_no_wave_or_a_very_long_one_counts_as_one():
    t = np.arange(32)
    for profile in (np.full(32, 80.0), 100 + 50 * np.cos(2 * math.pi * t / 32)):
        assert kernels.wave(np.tile(profile, (16, 1)), np.empty(32)) == 1.0


def test_the_window_is_turned_about_the_centre_of_the_block():
    image = np.arange(36 * 36, dtype=np.int64).reshape(36, 36) % 251
    image = image.astype(np.uint8)
    window = np.empty((16, 32))
    kernels.turned(image, 0, 0, 0.0, (0, 1), window)
    assert np.array_equal(window, image[10:26, 2:34])
    kernels.turned(image, 0, 0, math.pi / 2, (0, 1), window)
    # Across runs downwards, along runs to the left; pixel 18 of 36 stays where it is.
    assert np.array_equal(window, image[2:34, 11:27].T[::-1])


def test_what_lies_outside_the_block_is_black():
    image = np.full((36, 36), 200, np.uint8)
    window = np.empty((16, 32))
    kernels.turned(image, 0, 0, math.radians(45), (2, 1), window)
    assert 0 < (window == 0).sum() < 40


def test_gradients_end_at_the_block():
    ramp = np.tile(np.arange(0, 120, 3), (40, 1)).astype(np.uint8)
    ramp[:, :4] = 255
    assert kernels.covariance(ramp, 4, 4, 32) == (9.0, 0.0, 0.0)


def test_a_block_is_foreground_beside_a_hundredth_of_its_contrast():
    image = np.full((70, 64), 128, np.uint8)
    image[:32, :32:2] = 0
    image[32:64, :32:2] = 126
    image[64:, 32::2] = 64
    expected = [[True, False], [False, False], [False, True]]
    assert kernels.foreground(image, 32).tolist() == expected


@pytest.mark.parametrize("degrees", [0, 30, 90])
def test_straight_ridges_are_certain_and_do_not_turn(degrees):
    image = _stripes(9.0, degrees)
    assert kernels.certainties(image).min() > 0.95
    assert len(kernels.certainties(image)) == 16
    # Near 90 degrees the sign of the angle is chance: the standard knows no turn.
    assert degrees == 90 or len(kernels.turns(image)) == 0


def test_bent_ridges_turn():
    y, x = np.indices((140, 140), np.float64)
    rings = np.rint(127 + 100 * np.cos(np.hypot(x - 70, y - 70) * 2 * math.pi / 9))
    turns = kernels.turns(rings.astype(np.uint8))
    assert len(turns) > 10
    assert turns.max() > 0.3


def test_blocks_of_a_generated_finger_fill_the_histograms():
    found = standard_measures(SyntheticFinger(1).impression(0))
    blocks = sum(found[f"local_clarity_{i}"] for i in range(10))
    assert 20 < blocks <= 8 * 8
    assert blocks == sum(found[f"spectrum_{i}"] for i in range(10))
    assert sum(found[f"certainty_{i}"] for i in range(10)) <= 9 * 8
    assert set(NAMES) <= set(found)
    assert all(list(limits) == sorted(limits) for limits in LIMITS.values())


def test_white_margins_are_cut_off():
    image = SyntheticFinger(3).impression(0)
    framed = np.pad(image, 31, constant_values=255)
    assert standard_measures(framed)["grey"] == pytest.approx(image.mean(), abs=3)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    low=st.integers(0, 255),
    seed=st.integers(0, 1000),
)
def test_every_image_has_finite_measures(height, width, low, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(low, 256, (height, width)).astype(np.uint8)
    found = standard_measures(image)
    assert set(NAMES) <= set(found)
    assert all(math.isfinite(value) and value >= 0 for value in found.values())
