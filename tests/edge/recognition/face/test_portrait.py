"""Faces side by side: one size, the eyes at the same places."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.recognition.face.portrait import EYES, HEIGHT_PX, WIDTH_PX, portrait
from edge.simulate.faces import demo_faces
from edge.terms import FaceBox


@pytest.fixture(scope="module")
def frame():
    return demo_faces(1)[0].frame(0)


def turned(image, degrees, scale):
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    return cv2.warpAffine(image, turn, (width, height), borderValue=(128, 128, 128))


def eyes_of(detector, image):
    return detector.detect(image)[0].points[:2]


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.0), (12, 0.8), (-10, 1.1)])
def test_the_eyes_lie_where_they_always_do(detector, frame, degrees, scale):
    shown = portrait(turned(frame, degrees, scale), detector)
    assert shown.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert np.abs(eyes_of(detector, shown) - EYES).max() < 6


def test_of_two_faces_the_one_in_the_box_is_shown(detector, frame):
    both = np.hstack([frame, frame[:, ::-1]])
    width = frame.shape[1]
    left, top, right, bottom = detector.detect(frame)[0].box
    mirrored = (2 * width - right, top, 2 * width - left, bottom)
    first = portrait(both, detector, FaceBox(left, top, right, bottom))
    second = portrait(both, detector, FaceBox(*map(float, mirrored)))
    assert np.abs(first.astype(int) - portrait(frame, detector)).mean() < 8
    assert np.abs(first.astype(int) - second).mean() > 1


def test_without_a_face_the_box_or_the_whole_image_is_shown(detector):
    blank = np.full((400, 800, 3), 90, np.uint8)
    whole = portrait(blank, detector)
    assert (whole.shape, whole[150, 120, 0], whole[10, 120, 0]) == (
        (300, 240, 3),
        90,
        0,
    )
    box = portrait(blank, detector, FaceBox(300.0, 100.0, 400.0, 240.0))
    assert box[150, 120, 0] == 90
