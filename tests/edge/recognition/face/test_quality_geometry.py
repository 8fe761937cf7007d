"""Pose, size and place of a face from five points."""

from __future__ import annotations

import numpy as np
import pytest

from edge.recognition.face.alignment import DLIB_LAYOUT
from edge.recognition.face.detection import Face
from edge.recognition.face.quality_geometry import (
    estimate_pose,
    geometry_of,
    most_prominent,
)

POINTS = DLIB_LAYOUT.points


def face(points=POINTS, box=(0, 0, 150, 150)):
    return Face(np.array(box, np.float32), np.asarray(points, np.float32), 0.99)


def turned(points, degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points @ turn


@pytest.mark.parametrize("degrees", [-20.0, 0.0, 20.0])
def test_roll_is_the_angle_of_the_eyes(degrees):
    pose = estimate_pose(turned(POINTS, degrees))
    assert pose.roll_deg == pytest.approx(degrees, abs=2)
    assert abs(pose.yaw_deg) < 5


@pytest.mark.parametrize("way", [-1, 1])
def test_a_nose_to_the_side_is_yaw_and_one_lower_is_pitch(way):
    aside, lower = POINTS.copy(), POINTS.copy()
    aside[2, 0] += 25 * way
    lower[2, 1] += 20 * way
    assert estimate_pose(aside).yaw_deg * way > 30
    assert estimate_pose(lower).pitch_deg * way > 30


def test_a_whole_face_is_inside_and_half_a_face_is_not():
    assert geometry_of(face(POINTS + 200), 600, 600).inside == 1
    cut = geometry_of(face(POINTS + np.array([-75, 200])), 600, 600)
    assert 0.3 < cut.inside < 0.7
    assert cut.left < 0


def test_the_chin_lies_below_the_mouth_and_within_a_head():
    found = geometry_of(face(POINTS + 200), 600, 600)
    between = np.linalg.norm(POINTS[1] - POINTS[0])
    assert 1.4 < found.chin_px / between < 2.0


def test_the_largest_centred_face_is_meant():
    centred = face(box=(250, 150, 390, 330))
    larger_aside = face(box=(0, 0, 160, 200))
    assert most_prominent([larger_aside, centred], 480, 640) == 1
