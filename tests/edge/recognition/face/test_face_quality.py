"""The gate in front of the face search, on generated faces and points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.recognition.face.detection import Face
from edge.recognition.face.quality import assess, no_face
from edge.recognition.face.quality_components import FOR_COMPARISON
from edge.recognition.face.quality_thresholds import BORDER, ENROLMENT, PROFILES
from edge.simulate.faces import demo_faces
from edge.terms import FaceInstruction, QualityReason

# Where the drawn face's points lie in its own frame, found once by the detector.
POINTS = np.array([[275, 232], [359, 233], [323, 305], [276, 331], [354, 334]])
BOX = np.array([207, 145, 409, 384])


def face(points=POINTS, box=BOX):
    return Face(np.asarray(box, np.float32), np.asarray(points, np.float32), 0.99)


def blank(level=128, shape=(240, 320)):
    return np.full((*shape, 3), level, np.uint8)


def test_no_face_has_its_reason_and_asks_to_look_at_the_camera():
    quality = no_face()
    assert quality.reasons == (QualityReason.NO_FACE,)
    assert quality.instruction is FaceInstruction.LOOK_AT_CAMERA
    assert not quality.is_sufficient


@pytest.mark.parametrize(
    ("level", "instruction"),
    [
        (5, FaceInstruction.TOO_DARK),
        (128, FaceInstruction.LOOK_AT_CAMERA),
        (254, FaceInstruction.TOO_BRIGHT),
    ],
)
def test_a_frame_without_a_face_tells_its_light(level, instruction):
    assert no_face(blank(level)).instruction is instruction


def test_every_component_is_between_nothing_and_a_hundred():
    image = demo_faces(1)[0].frame(0)
    measures = assess(image, [face()]).measures
    named = [
        *FOR_COMPARISON,
        *("single_face_present", "head_size", "natural_colour"),
        *("leftward_crop", "rightward_crop", "upward_crop", "downward_crop"),
        *("luminance_variance", "under_exposure_prevention", "background_uniformity"),
    ]
    assert all(0 <= measures[name] <= 100 for name in named)


def test_a_second_face_beside_is_refused_and_one_at_the_edge_is_not():
    image = np.hstack([demo_faces(1)[0].frame(0)] * 2)
    beside = face(POINTS + np.array([640, 0]), BOX + np.array([640, 0, 640, 0]))
    found = assess(image, [face(), beside])
    assert found.instruction is FaceInstruction.ONE_PERSON_ONLY
    assert QualityReason.SEVERAL_FACES in found.reasons
    small = face(POINTS / 3, BOX / 3)
    assert QualityReason.SEVERAL_FACES not in assess(image, [face(), small]).reasons


def test_enrolment_is_stricter_than_the_border():
    assert set(PROFILES) == {"border", "enrolment"}
    border, enrolment = BORDER.refused, ENROLMENT.refused
    assert enrolment.inter_eye_px(480) > border.inter_eye_px(480)
    assert enrolment.most_yaw_deg < border.most_yaw_deg
    assert enrolment.least_sharpness > border.least_sharpness
    assert ENROLMENT.asked.inter_eye_px(1200) == 240


def test_the_border_asks_120_px_of_a_portrait_and_less_in_proportion_of_a_small_one():
    assert BORDER.asked.inter_eye_px(800) == 120
    assert BORDER.asked.inter_eye_px(300) == 60


numbers = st.floats(-1e9, 1e9) | st.sampled_from([np.nan, np.inf, -np.inf])
images = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda size: arrays(np.uint8, (*size, 3))
)


@settings(max_examples=60, deadline=None)
@given(
    images,
    arrays(np.float64, (5, 2), elements=numbers),
    arrays(np.float64, 4, elements=numbers),
)
def test_no_image_and_no_points_whatever_raise_or_give_no_number(image, points, box):
    with np.errstate(over="ignore", invalid="ignore"):
        found = Face(box.astype(np.float32), points.astype(np.float32), 0.9)
    quality = assess(image, [found, found])
    assert 0 <= quality.score <= 100
    assert np.isfinite(list(quality.measures.values())).all()
    assert isinstance(no_face(image).instruction, FaceInstruction)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 300), st.floats(0, 90))
def test_noise_of_any_strength_is_judged_without_a_fault(seed, mean, spread):
    noise = np.random.default_rng(seed).normal(mean, spread, (480, 640, 3))
    quality = assess(np.clip(noise, 0, 255).astype(np.uint8), [face()])
    assert np.isfinite(list(quality.measures.values())).all()


def test_a_blank_image_and_coinciding_points_are_refused():
    flat = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.9)
    quality = assess(blank(0), [flat])
    assert not quality.is_sufficient
    assert 0 <= quality.score <= 100


def test_a_face_without_detail_is_told_to_hold_still():
    image = cv2.GaussianBlur(demo_faces(1)[0].frame(0), (0, 0), 12)
    found = assess(image, [face()])
    assert found.instruction is FaceInstruction.HOLD_STILL
