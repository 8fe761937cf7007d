"""Guidance over a stream of drawn faces, with the real detector."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.errors import InputError
from edge.recognition.face.alignment import DLIB_LAYOUT
from edge.recognition.face.engine import FaceEngine
from edge.recognition.face.guidance import FaceTracker
from edge.simulate.faces import demo_faces, empty_scene
from edge.terms import FaceInstruction, FaceSample, FaceTemplate, QualityReason

START = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, SECOND = (person.frame(0) for person in demo_faces(3)[1:])


@pytest.fixture
def stream(detector):
    """A tracker that is fed ten frames a second."""
    return _Stream(FaceTracker(detector))


class _Stream:
    def __init__(self, tracker):
        self.tracker = tracker
        self._frames = 0

    def skip_s(self, seconds):
        self._frames += round(10 * seconds)

    def show(self, image, times=1):
        found = None
        for _ in range(times):
            at = START + timedelta(seconds=0.1 * self._frames)
            found = self.tracker.update(FaceSample(image, at))
            self._frames += 1
        return found


def enlarged(image):
    turn = cv2.getRotationMatrix2D((310, 250), 0, 1.15)
    return cv2.warpAffine(image, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)


def side_by_side(left, right):
    return np.hstack([left[:, 150:470], right[:, 150:470]])


def shifted(image, x):
    return np.roll(image, x, axis=1)


def test_nobody_is_asked_to_look_and_a_good_face_is_usable(stream):
    assert stream.show(empty_scene(), 3).instruction is FaceInstruction.LOOK_AT_CAMERA
    found = stream.show(enlarged(FIRST), 4)
    assert found.instruction is FaceInstruction.OK
    assert found.is_usable
    assert found.face is not None
    assert found.number == 1


def test_an_instruction_changes_only_when_it_persists(stream):
    good, bad = enlarged(FIRST), (enlarged(FIRST) * 0.15).astype(np.uint8)
    stream.show(good, 3)
    shown = [stream.show(image).instruction for image in (bad, good, bad, good)]
    assert shown == [FaceInstruction.OK] * 4
    assert stream.show(bad, 2).instruction is FaceInstruction.TOO_DARK


def test_a_moving_face_is_told_to_hold_still_and_its_frames_are_not_kept(stream):
    image = enlarged(FIRST)
    for step in range(6):
        found = stream.show(shifted(image, 25 * (step % 2)))
    assert found.instruction is FaceInstruction.HOLD_STILL
    assert found.motion_per_s > 2
    assert not found.is_usable


def test_the_best_frame_of_a_burst_is_kept_and_the_rest_let_go(stream):
    good, blurred = enlarged(FIRST), cv2.GaussianBlur(enlarged(FIRST), (0, 0), 2.5)
    kept = []
    for image in (blurred, good, blurred, blurred):
        copy = image.copy()
        kept.append(weakref.ref(copy))
        stream.show(copy)
        del copy
    gc.collect()
    assert [ref() is not None for ref in kept] == [False, True, False, False]
    best = stream.tracker.take_best()
    assert best.sample.image is kept[1]()
    assert best.quality.is_sufficient
    assert stream.tracker.take_best() is None
    del best
    gc.collect()
    assert kept[1]() is None


def test_reset_lets_the_last_frame_go(stream):
    image = enlarged(FIRST)
    stream.show(image, 2)
    stream.tracker.reset()
    assert stream.tracker.take_best() is None
    assert stream.show(empty_scene()).number == 0


def test_two_faces_are_refused_until_the_officer_picks_one(stream):
    both = side_by_side(FIRST, SECOND)
    found = stream.show(both, 3)
    assert found.instruction is FaceInstruction.ONE_PERSON_ONLY
    assert len(found.faces) == 2
    assert stream.tracker.take_best() is None
    stream.tracker.pick(480, 250)
    found = stream.show(both, 3)
    assert found.is_picked
    assert found.face.box[0] > 300
    assert found.instruction is not FaceInstruction.ONE_PERSON_ONLY
    assert stream.tracker.take_best().face.box[0] > 300


def test_the_best_frame_of_one_traveller_is_not_handed_out_for_the_next(stream):
    stream.show(enlarged(FIRST), 3)
    stream.show(empty_scene(), 8)
    assert stream.tracker.take_best() is None
    assert stream.show(enlarged(SECOND), 3).number == 2
    assert stream.tracker.take_best() is not None


def test_a_picked_point_without_a_face_changes_nothing(stream):
    stream.show(enlarged(FIRST), 2)
    stream.tracker.pick(5, 5)
    found = stream.show(enlarged(FIRST), 2)
    assert found.number == 1
    assert not found.is_picked


def test_frames_of_any_size_are_judged_and_what_is_no_frame_is_refused(stream):
    for shape in ((1, 1), (7, 300), (300, 7), (64, 64)):
        image = np.full((*shape, 3), 90, np.uint8)
        assert stream.show(image).face is None
    with pytest.raises(InputError):
        stream.show(np.zeros((10, 10), np.uint8))


class _Embedder:
    """Embeds a chip as its mean colour."""

    model_id = "dlib-face-resnet-v1-unit"

    def embed(self, chip):
        return FaceTemplate(self.model_id, chip.mean(axis=(0, 1)).astype(np.float32))


def test_what_is_processed_of_a_burst_is_the_picked_face_of_its_best_frame(detector):
    engine = FaceEngine(detector, _Embedder(), DLIB_LAYOUT)
    tracker = engine.track()
    both = side_by_side(FIRST, SECOND)
    tracker.pick(480, 250)
    stream = _Stream(tracker)
    stream.show(both, 3)
    best = tracker.take_best()
    quality, template = engine.process_best(best)
    assert quality.is_sufficient
    assert quality.measures["face_left_px"] > 300
    right = max(engine.detect(both), key=lambda face: face.box[0])
    expected = engine.embed(both, right).vector
    assert np.abs(template.vector - expected).max() < 8


def test_a_booth_is_led_to_the_same_face_by_the_port(detector):
    guide = FaceEngine(detector, _Embedder(), DLIB_LAYOUT).guide()
    stream = _Stream(guide)
    both = side_by_side(FIRST, SECOND)
    found = stream.show(both, 2)
    assert found.instruction is FaceInstruction.ONE_PERSON_ONLY
    assert (len(found.faces), found.is_usable) == (2, False)
    assert guide.take_best() is None
    guide.pick(480, 250)
    found = stream.show(both, 3)
    assert found.is_picked
    assert found.is_steady
    assert (found.width_px, found.height_px) == (640, 480)
    best = guide.take_best()
    assert best.is_picked
    assert best.box.left_px > 300
    assert best.box.left_px == pytest.approx(found.face.left_px, abs=12)
    assert best.template.model_id == _Embedder.model_id
    assert guide.take_best() is None


def test_a_moving_face_is_refused_with_a_reason(detector):
    guide = FaceEngine(detector, _Embedder(), DLIB_LAYOUT).guide()
    stream = _Stream(guide)
    for step in range(4):
        found = stream.show(shifted(enlarged(FIRST), 25 * (step % 2)))
    assert (found.is_usable, found.is_steady) == (False, False)
    assert found.quality.reasons == (QualityReason.MOVED,)
    assert not found.quality.is_sufficient


def test_after_a_gap_a_face_elsewhere_is_looked_at_at_once(stream):
    stream.show(side_by_side(FIRST, empty_scene()), 2)
    elsewhere = side_by_side(empty_scene(), SECOND)
    assert stream.show(elsewhere).face is None
    stream.skip_s(1)
    assert stream.show(elsewhere).number == 2
