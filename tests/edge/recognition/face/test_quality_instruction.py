"""The instruction for drawn faces that are spoilt in one way each."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.recognition.face.detection import Face
from edge.recognition.face.quality import assess, no_face
from edge.recognition.face.quality_geometry import most_prominent
from edge.simulate.faces import demo_faces, empty_scene
from edge.terms import FaceInstruction

PEOPLE = demo_faces(6)[1:]
MIDDLE = 320


def plain(image):
    return image


def dark(image):
    return (image * 0.15).astype(np.uint8)


def bright(image):
    return np.clip(image * 1.8 + 110.0, 0, 255).astype(np.uint8)


def small(image):
    tiny = cv2.resize(image, (160, 120), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(tiny, 180, 180, 240, 240, cv2.BORDER_REPLICATE)


def rolled(image):
    turn = cv2.getRotationMatrix2D((MIDDLE, 240), 27, 1)
    return cv2.warpAffine(image, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)


def blurred(image):
    return cv2.GaussianBlur(image, (0, 0), 11)


def moved(image):
    kernel = np.full((1, 43), 1 / 43, np.float32)
    return cv2.filter2D(image, -1, kernel)


def lower_half_covered(image):
    covered = image.copy()
    covered[285:430, 190:450] = (70, 90, 120)
    return covered


def side_covered(image):
    covered = image.copy()
    covered[90:420, MIDDLE + 15 : 470] = (128, 128, 128)
    return covered


def lit_from_one_side(image):
    ramp = 0.2 + 1 / (1 + np.exp(-(np.arange(640) - MIDDLE) / 35))
    return np.clip(image * ramp[None, :, None], 0, 255).astype(np.uint8)


def two_faces(image):
    return np.hstack([image[:, 130:510], PEOPLE[0].frame(3)[:, 130:510]])


def too_low(image):
    return np.ascontiguousarray(image[:330])


def reflecting(image):
    shiny = image.copy()
    for x in (275, 368):
        cv2.ellipse(shiny, (x, 220), (24, 14), 20, 0, 360, (255, 255, 255), -1)
    return shiny


@pytest.mark.parametrize(
    ("spoil", "instruction"),
    [
        (plain, FaceInstruction.OK),
        (dark, FaceInstruction.TOO_DARK),
        (bright, FaceInstruction.TOO_BRIGHT),
        (small, FaceInstruction.CLOSER),
        (rolled, FaceInstruction.LEVEL_HEAD),
        (blurred, FaceInstruction.HOLD_STILL),
        (moved, FaceInstruction.HOLD_STILL),
        (lower_half_covered, FaceInstruction.UNCOVER_FACE),
        (side_covered, FaceInstruction.UNCOVER_FACE),
        (lit_from_one_side, FaceInstruction.LIGHT_FROM_ONE_SIDE),
        (two_faces, FaceInstruction.ONE_PERSON_ONLY),
        (too_low, FaceInstruction.UP),
        (reflecting, FaceInstruction.GLASSES_REFLECT),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_spoilt_face_gets_the_instruction_that_mends_it(detector, spoil, instruction):
    given = [_instruction(detector, spoil(person.frame(0))) for person in PEOPLE]
    seen = [found for found in given if found is not FaceInstruction.LOOK_AT_CAMERA]
    assert len(seen) >= 2, given
    assert seen.count(instruction) >= len(seen) - 1, given


def _moved(x=0.0, y=0.0):
    """The first drawn face's place, as if the frame showed it elsewhere."""
    points = np.array([[258, 214], [350, 218], [306, 263], [272, 306], [333, 308]])
    box = np.array([202, 116, 400, 368])
    shift = np.array([x, y])
    return Face(
        (box + np.tile(shift, 2)).astype(np.float32),
        (points + shift).astype(np.float32),
        0.99,
    )


@pytest.mark.parametrize(
    ("rows", "columns", "instruction"),
    [
        (slice(None), slice(275, None), FaceInstruction.LEFT),
        (slice(None), slice(None, 330), FaceInstruction.RIGHT),
        (slice(200, None), slice(None), FaceInstruction.DOWN),
        (slice(None, 300), slice(None), FaceInstruction.UP),
        (slice(180, 330), slice(None), FaceInstruction.FURTHER),
        # There is room above, but less than is missing below.
        (slice(125, 330), slice(None), FaceInstruction.FURTHER),
    ],
)
def test_a_face_that_is_cut_off_is_led_back_by_the_travellers_own_sides(
    rows, columns, instruction
):
    image = np.ascontiguousarray(PEOPLE[0].frame(0)[rows, columns])
    found = _moved(-(columns.start or 0), -(rows.start or 0))
    assert assess(image, [found]).instruction is instruction


@pytest.mark.parametrize(
    ("x", "y", "instruction"),
    [
        (-40, 0, FaceInstruction.LOOK_STRAIGHT),
        (40, 0, FaceInstruction.LOOK_STRAIGHT),
        (0, 35, FaceInstruction.CHIN_UP),
        (0, -40, FaceInstruction.CHIN_DOWN),
    ],
)
def test_where_the_nose_lies_tells_how_to_turn_the_head(x, y, instruction):
    found = _moved()
    found.points[2] += [x, y]
    assert assess(PEOPLE[0].frame(0), [found]).instruction is instruction


def test_nobody_in_view_is_asked_to_look_at_the_camera(detector):
    assert _instruction(detector, empty_scene()) is FaceInstruction.LOOK_AT_CAMERA


def _instruction(detector, image):
    faces = detector.detect(image)
    if not faces:
        return no_face(image).instruction
    chosen = most_prominent(faces, *image.shape[:2])
    return assess(image, faces, chosen).instruction
