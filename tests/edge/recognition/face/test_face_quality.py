"""The gate in front of the face search, on generated chips and points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.recognition.face.alignment import DLIB_LAYOUT, Chip
from edge.recognition.face.detection import Face
from edge.recognition.face.quality import assess, estimate_pose, no_face
from edge.terms import QualityReason

CHIP_POINTS = DLIB_LAYOUT.points


def face(points=CHIP_POINTS, scale=1.5, extent=150.0):
    box = np.array([0, 0, extent, extent], np.float32)
    return Face(box, np.asarray(points * scale, np.float32), 0.99)


def texture(brightness=120.0):
    noise = np.random.default_rng(5).normal(0, 40, (150, 150)).astype(np.float32)
    grey = np.clip(cv2.GaussianBlur(noise, (0, 0), 1.0) * 3 + brightness, 0, 255)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def chip(image=None, inside=1.0):
    return Chip(texture() if image is None else image, inside)


def turned(points, degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points @ turn


def test_a_good_face_is_sufficient():
    quality = assess([face()], chip())
    assert quality.reasons == ()
    assert quality.is_sufficient
    assert 40 <= quality.score <= 100


def test_no_face_has_its_reason():
    assert no_face().reasons == (QualityReason.NO_FACE,)
    assert not no_face().is_sufficient


def shaded():
    image = texture().astype(int)
    image[:, :75] -= 110
    image[:, 75:] += 60
    return np.clip(image, 0, 255).astype(np.uint8)


def to_the_side():
    points = CHIP_POINTS.copy()
    points[2, 0] += 35
    return points


@pytest.mark.parametrize(
    ("faces", "cut", "reason"),
    [
        ([face(), face(extent=120.0)], chip(), QualityReason.SEVERAL_FACES),
        ([face(scale=0.4)], chip(), QualityReason.FACE_TOO_SMALL),
        ([face()], chip(inside=0.8), QualityReason.FACE_CUT_OFF),
        ([face(to_the_side())], chip(), QualityReason.FACE_TURNED),
        ([face(turned(CHIP_POINTS, 45))], chip(), QualityReason.FACE_TURNED),
        ([face()], chip(texture(10.0)), QualityReason.TOO_DARK),
        ([face()], chip(texture(250.0)), QualityReason.TOO_BRIGHT),
        ([face()], chip(shaded()), QualityReason.UNEVEN_LIGHT),
        (
            [face()],
            chip(cv2.GaussianBlur(texture(), (0, 0), 6)),
            QualityReason.BLURRED,
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, QualityReason) else "",
)
def test_each_fault_has_its_reason(faces, cut, reason):
    quality = assess(faces, cut)
    assert reason in quality.reasons
    assert not quality.is_sufficient
    assert 0 <= quality.score <= 100


def test_a_far_second_face_does_not_disturb():
    assert assess([face(), face(extent=50.0)], chip()).is_sufficient


def test_a_blank_chip_and_coinciding_points_are_judged_without_a_fault():
    flat = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.9)
    quality = assess([flat], chip(np.zeros((150, 150, 3), np.uint8)))
    assert not quality.is_sufficient
    assert 0 <= quality.score <= 100


@pytest.mark.parametrize("degrees", [-20.0, 0.0, 20.0])
def test_roll_is_the_angle_of_the_eyes(degrees):
    pose = estimate_pose(turned(CHIP_POINTS, degrees))
    assert pose.roll_deg == pytest.approx(degrees, abs=2)
    assert abs(pose.yaw_deg) < 5
