"""A preview notices a finger that moves and a plate that is not clean."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.recognition.fingerprint.quality_preview import PreviewTracker
from edge.simulate.fingers import Condition, SyntheticFinger
from edge.terms import QualityReason

FINGER = SyntheticFinger(1).impression(0, condition=Condition(noise=1.0))


def _frame(seed: int, right: float = 0.0, image=FINGER):
    """One frame: shifted, with noise of its own."""
    shift = np.array([[1, 0, right], [0, 1, right / 3]], np.float32)
    moved = cv2.warpAffine(image, shift, image.shape[::-1], borderValue=245)
    noise = np.random.default_rng(seed).normal(0, 5, image.shape)
    return np.clip(np.rint(moved + noise), 0, 255).astype(np.uint8)


def test_a_finger_that_lies_still_has_not_moved():
    tracker = PreviewTracker()
    found = [tracker.update(_frame(seed)) for seed in range(3)]
    assert all(QualityReason.MOVED not in quality.reasons for quality in found)
    assert found[-1].measures["moved_px"] < 1


@pytest.mark.parametrize("right", [6, -12, 25])
def test_a_finger_that_slides_has_moved(right):
    tracker = PreviewTracker()
    tracker.update(_frame(0))
    quality = tracker.update(_frame(1, right))
    assert QualityReason.MOVED in quality.reasons
    assert quality.measures["moved_px"] == pytest.approx(abs(right) * 1.05, rel=0.25)


def test_a_finger_that_still_spreads_has_moved():
    finger = SyntheticFinger(1)
    tracker = PreviewTracker()
    tracker.update(finger.impression(0, condition=Condition(coverage=0.5)))
    quality = tracker.update(finger.impression(0, condition=Condition(coverage=0.95)))
    assert QualityReason.MOVED in quality.reasons


def test_the_first_frame_after_an_empty_plate_has_not_moved():
    tracker = PreviewTracker()
    tracker.update(_frame(0, 25))
    empty = tracker.update(np.full(FINGER.shape, 245, np.uint8))
    assert empty.reasons == (QualityReason.NO_FINGER,)
    assert QualityReason.MOVED not in tracker.update(_frame(1)).reasons


def test_remains_on_the_plate_stay_in_mind():
    other = SyntheticFinger(9).impression(0, condition=Condition(noise=1.0))
    remains = (245 - (245 - other.astype(np.float64)) * 0.1).astype(np.uint8)
    tracker = PreviewTracker(plate=_frame(3, image=remains))
    assert not tracker.is_plate_clean
    assert QualityReason.RESIDUE in tracker.update(_frame(0)).reasons


def test_a_clean_plate_is_clean():
    plate = np.full(FINGER.shape, 240, np.uint8)
    assert PreviewTracker(plate=_frame(3, image=plate)).is_plate_clean


def test_frames_of_two_sizes_are_no_error():
    tracker = PreviewTracker()
    tracker.update(_frame(0))
    smaller = tracker.update(_frame(1)[:256, :240])
    assert QualityReason.MOVED in smaller.reasons
