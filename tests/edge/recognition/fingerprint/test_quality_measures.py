"""Block measures on images whose ridges are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint import quality_kernels as kernels
from edge.recognition.fingerprint import quality_standard_kernels as standard
from edge.recognition.fingerprint.quality_measures import (
    measure,
    residue_mm2,
    warm_up,
)
from edge.simulate.fingers import Condition, SyntheticFinger


def _stripes(period_px: float, degrees: float = 0.0, size=(288, 256)):
    """Straight ridges; degrees: direction across them, clockwise from the x axis."""
    y, x = np.indices(size, np.float64)
    across = x * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
    wave = 127 + 100 * np.cos(2 * math.pi * across / period_px)
    return np.rint(wave).astype(np.uint8)


@pytest.mark.parametrize("degrees", [-75, -30, 0, 20, 45, 80])
@pytest.mark.parametrize("period_px", [6.5, 9.0, 12.0])
def test_a_block_knows_direction_and_period_of_its_ridges(period_px, degrees):
    blocks = kernels.block_measures(_stripes(period_px, degrees), 16)
    angle = np.rad2deg(blocks[..., kernels.ANGLE])
    assert np.abs((angle - degrees + 90) % 180 - 90).max() < 4
    assert np.median(blocks[..., kernels.PERIOD_PX]) == pytest.approx(
        period_px, rel=0.1
    )
    assert blocks[..., kernels.CERTAINTY].min() > 0.95
    assert np.median(blocks[..., kernels.CLARITY]) > 0.8


def test_noise_has_neither_direction_nor_clarity():
    noise = np.random.default_rng(1).integers(0, 256, (288, 256), np.uint8)
    blocks = kernels.block_measures(noise, 16)
    assert np.median(blocks[..., kernels.CERTAINTY]) < 0.3
    assert measure(noise).clarity < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_generated_finger_is_clear_and_central(seed):
    found = measure(SyntheticFinger(seed).impression(0))
    assert found.touched_mm2 > 100
    assert found.clarity > 0.4
    assert 7 < found.period_px < 12
    assert found.offset < 0.15


@pytest.mark.parametrize(
    ("right", "down"), [(90, 0), (-90, 0), (0, 120), (0, -120), (70, 100)]
)
def test_the_centre_follows_the_finger(right, down):
    image = SyntheticFinger(1).impression(0)
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(image, shift, image.shape[::-1], borderValue=245)
    found = measure(np.asarray(moved, np.uint8))
    assert np.sign(round(found.right, 1)) == np.sign(right)
    assert np.sign(round(found.down, 1)) == np.sign(down)


@pytest.mark.parametrize(
    ("less", "more", "name"),
    [
        (Condition(coverage=0.4), Condition(coverage=0.95), "touched_mm2"),
        (Condition(moisture=-1.0), Condition(moisture=0.0), "clarity"),
        (Condition(pressure=1.0), Condition(pressure=-1.0), "brightness"),
        (Condition(pressure=-1.0), Condition(pressure=1.0), "ridge_share"),
        (Condition(moisture=0.5), Condition(moisture=-1.0), "roughness"),
    ],
)
def test_measures_follow_the_condition_of_the_finger(less, more, name):
    finger = SyntheticFinger(2)
    values = [
        getattr(measure(finger.impression(0, condition=condition)), name)
        for condition in (less, more)
    ]
    assert values[0] < values[1]


def test_white_margins_change_nothing_but_the_place():
    image = SyntheticFinger(3).impression(0)
    framed = np.pad(image, 40, constant_values=255)
    bare, found = measure(image), measure(framed)
    assert found.touched_mm2 == pytest.approx(bare.touched_mm2, rel=0.05)
    assert found.offset < 0.15


def test_faint_ridges_on_the_plate_are_residue():
    finger = SyntheticFinger(4).impression(0).astype(np.float64)
    noise = np.random.default_rng(4).normal(0, 5, finger.shape)
    faint = 245 - (245 - finger) * 0.1 + noise
    clean = 245 + noise
    assert residue_mm2(np.clip(faint, 0, 255).astype(np.uint8)) > 50
    assert residue_mm2(np.clip(clean, 0, 255).astype(np.uint8)) == 0


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
    found = measure(image)
    values = [v for k, v in vars(found).items() if k != "features"]
    assert all(math.isfinite(v) for v in [*values, *found.features.values()])


def test_after_the_warm_up_a_scanners_image_compiles_nothing():
    called = (
        kernels.block_measures,
        standard.block_scores,
        standard.certainties,
        standard.turns,
    )
    warm_up()
    before = [set(function.signatures) for function in called]
    image = SyntheticFinger(3).impression(0)
    # As it comes from the bytes of a line.
    image.setflags(write=False)
    measure(image)
    assert [set(function.signatures) for function in called] == before
