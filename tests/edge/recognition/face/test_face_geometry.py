"""Detection's building blocks and alignment, without networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.face.alignment import (
    DLIB_LAYOUT,
    cut_chip,
    similarity_transform,
)
from edge.recognition.face.detection import (
    MOST_PROPOSALS,
    FaceDetector,
    cut_patches,
    pyramid_scales,
    squares,
    suppress_overlaps,
)

CHIP_POINTS = DLIB_LAYOUT.points


class CertainNetwork:
    """Answers as one of the three networks that sees a face in every window."""

    def __init__(self, points=None):
        self._points = points
        self.largest_batch = 0

    def run(self, inputs):
        image = inputs["image"]
        count = len(image)
        self.largest_batch = max(self.largest_batch, count)
        if self._points is None and image.shape[1:3] != (24, 24):
            shape = [(extent - 12) // 2 + 1 for extent in image.shape[1:3]]
            return [np.ones((1, *shape), np.float32), np.zeros((1, 4, *shape), "f4")]
        answers = [np.ones(count, np.float32), np.zeros((count, 4), np.float32)]
        if self._points is not None:
            answers.append(np.tile(np.asarray(self._points, np.float32), (count, 1)))
        return answers


def test_the_cascade_bounds_its_work_and_returns_the_largest_face_first():
    rnet, onet = CertainNetwork(), CertainNetwork([0.3, 0.7, 0.5, 0.3, 0.7] * 2)
    detector = FaceDetector(CertainNetwork(), rnet, onet)
    faces = detector.detect(np.zeros((200, 300, 3), np.uint8))
    areas = [face.area_px for face in faces]
    assert areas == sorted(areas, reverse=True)
    assert 0 < rnet.largest_batch <= MOST_PROPOSALS
    assert faces[0].points.shape == (5, 2)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 50), np.uint8),
        np.zeros((50, 50, 3), np.float32),
        np.zeros((0, 50, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_image_is_refused(image):
    network = CertainNetwork()
    with pytest.raises(InputError, match="face image"):
        FaceDetector(network, network, network).detect(image)


def test_an_image_smaller_than_the_smallest_face_has_none():
    network = CertainNetwork()
    detector = FaceDetector(network, network, network, min_face_px=60)
    assert detector.detect(np.zeros((40, 300, 3), np.uint8)) == []


@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.integers(12, 400))
def test_every_pyramid_level_holds_a_window(extents, min_face_px):
    scales = pyramid_scales(extents, min_face_px)
    assert all(round(min(extents) * scale) >= 12 for scale in scales)
    assert scales == sorted(scales, reverse=True)


def test_of_overlapping_boxes_the_most_confident_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]], np.float32)
    kept = suppress_overlaps(boxes, np.array([0.8, 0.9, 0.7]), 0.5)
    assert kept.tolist() == [1, 2]


def test_a_box_inside_another_falls_by_the_smaller_area():
    boxes = np.array([[0, 0, 100, 100], [10, 10, 30, 30]], np.float32)
    confidences = np.array([0.9, 0.8])
    assert suppress_overlaps(boxes, confidences, 0.7).tolist() == [0, 1]
    assert suppress_overlaps(boxes, confidences, 0.7, by_smaller=True).tolist() == [0]


def test_squares_keep_the_centre_and_the_longer_side():
    assert squares(np.array([[0, 10, 20, 50]], "f4")).tolist() == [[-10, 10, 30, 50]]


def test_patches_are_black_outside_the_image():
    image = np.full((20, 20, 3), 200, np.uint8)
    windows = np.array([[-10, 0, 10, 20], [100, 100, 120, 120]], np.float32)
    patches = cut_patches(image, windows, 24)
    assert patches.shape == (2, 24, 24, 3)
    assert (patches[0, :, :11] == 0).all()
    assert (patches[0, :, 13:] == 200).all()
    assert (patches[1] == 0).all()


@given(st.floats(0.1, 10), st.floats(-3, 3), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_exactly(scale, angle_rad, x, y):
    turn = scale * np.array(
        [
            [np.cos(angle_rad), -np.sin(angle_rad)],
            [np.sin(angle_rad), np.cos(angle_rad)],
        ]
    )
    found = similarity_transform(CHIP_POINTS, CHIP_POINTS @ turn.T + [x, y])
    np.testing.assert_allclose(found[:, :2], turn, atol=1e-6)
    np.testing.assert_allclose(found[:, 2], [x, y], atol=1e-6)


def test_points_that_coincide_still_give_a_chip():
    chip = cut_chip(np.zeros((90, 90, 3), np.uint8), np.full((5, 2), 40.0))
    assert chip.image.shape == (150, 150, 3)


@pytest.mark.parametrize("scale", [1, 4])
def test_the_chip_shows_the_points_at_their_canonical_places(scale):
    image = np.zeros((150 * scale, 150 * scale, 3), np.uint8)
    points = CHIP_POINTS * scale
    for x, y in points.astype(int):
        image[y - 3 * scale : y + 3 * scale, x - 3 * scale : x + 3 * scale] = 255
    chip = cut_chip(image, points)
    assert chip.inside > 0.98
    for x, y in CHIP_POINTS.astype(int):
        assert chip.image[y, x, 0] > 200


def test_a_face_at_the_border_lies_partly_outside_the_frame():
    chip = cut_chip(np.zeros((150, 150, 3), np.uint8), CHIP_POINTS - [75, 0])
    assert chip.inside == pytest.approx(0.5, abs=0.02)
