"""Scenes of a face that is spoilt in one way each."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.simulate.face_conditions import CONDITIONS, EYES_PX, FRAME, Portrait, plain
from edge.simulate.faces import demo_faces

PICTURE = Portrait(
    demo_faces(2)[1].frame(0),
    np.array([[258, 214], [350, 218], [306, 263], [272, 306], [333, 308]], np.float32),
)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_a_scene_is_a_camera_frame_that_comes_out_the_same_again(condition):
    first, second = (
        condition.show(PICTURE, np.random.default_rng(4)) for _ in range(2)
    )
    assert first.shape == (FRAME[1], FRAME[0], 3)
    assert first.dtype == np.uint8
    assert (first == second).all()
    if condition.show is not plain:
        before = plain(PICTURE, np.random.default_rng(4)).astype(int)
        assert np.abs(before - first).mean() > 1


def test_a_portrait_is_placed_where_and_how_it_is_asked_to_be():
    placed = PICTURE.placed(eyes_px=60, eyes_at=(200, 150), tilt_deg=30)
    left, right = placed.points[:2]
    assert (left + right) / 2 == pytest.approx([200, 150], abs=0.1)
    assert np.linalg.norm(right - left) == pytest.approx(60, abs=0.1)
    assert np.degrees(np.arctan2(*(right - left)[::-1])) == pytest.approx(30, abs=0.1)


def test_the_points_move_with_the_picture():
    dotted = PICTURE.image.copy()
    x, y = (round(float(v)) for v in PICTURE.points[2])
    cv2.circle(dotted, (x, y), 4, (0, 255, 0), -1)
    placed = Portrait(dotted, PICTURE.points).placed(eyes_px=EYES_PX, tilt_deg=20)
    nose_x, nose_y = (round(float(v)) for v in placed.points[2])
    red, green, blue = placed.image[nose_y, nose_x].astype(int)
    assert green > red + 100
    assert green > blue + 100
