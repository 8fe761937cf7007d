"""Tilted faces, with a detector that reports less tilt than there is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.models.yunet import build
from edge.recognition.face.detection import Face
from edge.recognition.face.detection_yunet import YunetDetector
from edge.recognition.face.levelling import levelled
from edge.recognition.face.quality_geometry import estimate_pose
from edge.recognition.image_file import read_rgb_image
from edge.recognition.onnx_session import OnnxSession

UPRIGHT = np.array([[-20, -15], [20, -15], [0, 5], [-15, 25], [15, 25]], np.float64)
CENTRE = np.array([160.0, 120.0])
DOT = (255, 0, 0)


def tilted(angle_deg):
    """An image with two dots where the eyes are, and the points turned so."""
    turn = np.radians(angle_deg)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = UPRIGHT @ spin.T + CENTRE
    image = np.full((240, 320, 3), 200, np.uint8)
    for number, (x, y) in enumerate(points[:2]):
        cv2.circle(image, (round(x), round(y)), 4, (255, 0, 0 if number else 250), -1)
    return image, points


class Dots:
    """Sees the two dots, and reports a share of their tilt."""

    shortens_tilt = True

    def __init__(self, share=0.4, *, sees=True):
        self.share = share
        self.sees = sees
        self.looks = 0

    def detect(self, image):
        self.looks += 1
        if not self.sees:
            return []
        is_dot = (image[..., 0] > 150) & (image[..., 1] < 80)
        left = np.argwhere(is_dot & (image[..., 2] > 150)).mean(axis=0)[::-1]
        right = np.argwhere(is_dot & (image[..., 2] < 80)).mean(axis=0)[::-1]
        turn = self.share * np.arctan2(*(right - left)[::-1])
        size = np.linalg.norm(right - left) / 40
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = (left + right) / 2 + spin @ (0, 15 * size)
        return [face_at(UPRIGHT * size @ spin.T + middle)]


def face_at(points):
    middle = points.mean(axis=0)
    size = np.linalg.norm(points[1] - points[0]) * 2.2
    box = np.concatenate([middle - size / 2, middle + size / 2])
    return Face(box.astype(np.float32), points.astype(np.float32), 0.9)


@pytest.mark.parametrize("angle_deg", [-35, -15, 8, 20, 40])
def test_the_true_tilt_is_found_from_a_share_of_it(angle_deg):
    image, points = tilted(angle_deg)
    detector = Dots()
    [seen] = detector.detect(image)
    assert abs(estimate_pose(seen.points).roll_deg) < 0.5 * abs(angle_deg)
    found = levelled(detector, image, seen)
    roll = estimate_pose(found.points).roll_deg
    assert roll == pytest.approx(angle_deg, abs=4)
    assert np.abs(found.points - points).max() < 5
    assert (found.box == seen.box).all()


def test_an_upright_face_costs_no_look():
    image, _ = tilted(1)
    detector = Dots()
    [seen] = detector.detect(image)
    assert (levelled(detector, image, seen).points == seen.points).all()
    assert detector.looks == 1


def test_a_face_that_is_not_seen_again_stays_as_it_was():
    image, points = tilted(30)
    seen = face_at(points)
    found = levelled(Dots(sees=False), image, seen)
    assert (found.points == seen.points).all()


def test_another_face_at_the_edge_of_the_cut_is_not_taken_for_it():
    class Elsewhere(Dots):
        def detect(self, image):
            del image
            return [face_at(UPRIGHT / 4 + 15)]

    image, points = tilted(30)
    seen = face_at(points)
    assert (levelled(Elsewhere(), image, seen).points == seen.points).all()


def test_a_detector_that_needs_no_help_gets_none():
    class Exact:
        def detect(self, image):
            del image
            pytest.fail("it was asked")

    image, points = tilted(30)
    seen = face_at(points)
    assert levelled(Exact(), image, seen) is seen


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (np.nan, 0, 5, 5), (-1e9, -1e9, 1, 1)])
def test_any_box_and_points_are_borne(box):
    face = Face(np.array(box, np.float32), np.full((5, 2), np.inf, np.float32), 0.9)
    image = np.zeros((20, 20, 3), np.uint8)
    assert levelled(Dots(sees=False), image, face).points.shape == (5, 2)


def test_tilted_photographs_are_levelled(shared_folder, tmp_path):
    source = shared_folder / "models" / "face_detection_yunet_2023mar.onnx"
    path = tmp_path / "yunet.onnx"
    path.write_bytes(build(source.read_bytes()))
    detector = YunetDetector(OnnxSession(path))

    def roll(image):
        seen = detector.detect(image)[0]
        level = levelled(detector, image, seen)
        return [estimate_pose(face.points).roll_deg for face in (seen, level)]

    errors = []
    for photograph in sorted((shared_folder / "data/faces/lfw_dev").iterdir())[::150]:
        image = read_rgb_image(photograph)
        turn = cv2.getRotationMatrix2D((125, 125), -30, 1)
        size = image.shape[1::-1]
        turned = cv2.warpAffine(image, turn, size, borderMode=cv2.BORDER_REPLICATE)
        upright, tilted_by = roll(image)[1], roll(turned)
        errors.append([abs(reported - upright - 30) for reported in tilted_by])
    before, after = np.median(errors, axis=0)
    assert before > 10
    assert after < 6
