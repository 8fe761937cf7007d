"""The gate says what is wrong, on generated fingers in known trouble."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.recognition.fingerprint.minutiae import Minutiae
from edge.recognition.fingerprint.quality import judge, measure, preview
from edge.recognition.fingerprint.quality_reasons import directions, resolution_hint
from edge.simulate.fingers import Condition, SyntheticFinger, poor_impression
from edge.terms import QualityReason


def _finger(condition: Condition | None = None, seed: int = 1):
    return SyntheticFinger(seed).impression(0, condition=condition or Condition())


def _scaled(image, factor):
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)
    return np.asarray(scaled, np.uint8)


@pytest.mark.parametrize("seed", [1, 2, 4, 5])
def test_an_ordinary_finger_passes(seed):
    quality = preview(_finger(seed=seed))
    assert quality.is_sufficient
    assert quality.score >= 40
    assert quality.reasons == ()


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (Condition(moisture=-2.5), QualityReason.TOO_DRY),
        (Condition(pressure=2.0, moisture=2.0), QualityReason.TOO_WET),
        (Condition(pressure=-3.0), QualityReason.TOO_LIGHT),
        (Condition(coverage=0.3), QualityReason.TOO_SMALL),
        (Condition(coverage=0.45), QualityReason.TOO_SMALL),
    ],
)
def test_the_cause_is_named(condition, reason):
    assert preview(_finger(condition)).reasons[0] is reason


def test_a_touch_that_hardly_shows_is_too_light():
    image = _finger(Condition(noise=0.5)).astype(np.float64)
    faint = (245 - (245 - image) * 0.09).round().astype(np.uint8)
    quality = preview(faint)
    assert quality.reasons == (QualityReason.TOO_LIGHT,)
    assert not quality.is_sufficient


@pytest.mark.parametrize("seed", range(4))
def test_a_poor_impression_is_refused(seed):
    quality = preview(poor_impression(_finger(seed=seed)))
    assert not quality.is_sufficient
    assert quality.score == 0


@pytest.mark.parametrize(
    ("right", "down", "way"),
    [
        (110, 0, QualityReason.MOVE_LEFT),
        (-110, 0, QualityReason.MOVE_RIGHT),
        (0, 140, QualityReason.MOVE_UP),
        (0, -140, QualityReason.MOVE_DOWN),
    ],
)
def test_a_finger_off_centre_is_told_where_to_move(right, down, way):
    image = _finger()
    shift = np.array([[1, 0, right], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(image, shift, image.shape[::-1], borderValue=245)
    reasons = preview(np.asarray(moved, np.uint8)).reasons
    assert {QualityReason.OFF_CENTRE, way} <= set(reasons)


def test_the_farther_way_comes_first():
    assert directions(0.4, -0.6) == [QualityReason.MOVE_DOWN, QualityReason.MOVE_LEFT]
    assert directions(0.1, -0.1) == []


@pytest.mark.parametrize(
    ("factor", "low", "high"), [(2.0, 800, 1000), (0.45, 200, 300)]
)
def test_a_wrong_resolution_is_noticed(factor, low, high):
    # Four prints side by side, so that enough is left of the small ones.
    image = np.tile(_finger(), (2, 2))
    quality = preview(_scaled(image, factor))
    assert quality.reasons == (QualityReason.WRONG_RESOLUTION,)
    assert low <= quality.measures["seeming_ppi"] <= high
    hint = resolution_hint(quality.measures, 500.0)
    assert hint is not None
    assert "ppi, not 500" in hint


def test_a_childs_finger_has_no_wrong_resolution():
    quality = preview(_scaled(_finger(), 0.7))
    assert quality.is_sufficient
    assert QualityReason.WRONG_RESOLUTION not in quality.reasons


def test_without_ridges_there_is_no_resolution_to_hint_at():
    assert (
        resolution_hint(preview(np.full((288, 256), 250, np.uint8)).measures, 500)
        is None
    )


def test_faint_ridges_beside_the_finger_are_remains_of_another():
    # Touched above, an old print below.
    image = _finger(Condition(noise=0.5)).astype(np.float64)
    other = _finger(Condition(noise=0.5), seed=7).astype(np.float64)
    image[144:] = 245 - (245 - other[144:]) * 0.09
    reasons = preview(image.round().astype(np.uint8)).reasons
    assert QualityReason.RESIDUE in reasons


def test_stripes_without_minutiae_are_no_finger():
    stripes = (127 + 100 * np.sin(np.arange(256) * 0.7)).astype(np.uint8)
    measures = measure(np.tile(stripes, (288, 1)))
    quality = judge(measures, None)
    assert quality.reasons == (QualityReason.NOT_A_FINGER,)
    assert quality.score == 0


def test_clear_ridges_with_few_minutiae_lack_minutiae():
    few = np.arange(9)
    minutiae = Minutiae(
        x=few.astype(np.int16),
        y=few.astype(np.int16),
        angle_rad=few.astype(np.float32) / 2,
        kind=np.ones(9, np.uint8),
        quality=np.full(9, 95, np.uint8),
    )
    quality = judge(measure(_finger()), minutiae)
    assert quality.reasons == (QualityReason.TOO_FEW_MINUTIAE,)
    assert quality.score < 20


def test_measures_tell_why():
    measures = preview(_finger()).measures
    assert measures["touched_mm2"] > 100
    assert 7 < measures["ridge_period_px"] < 12
