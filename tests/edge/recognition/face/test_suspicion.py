"""Faces that the detector itself does not report."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.recognition.face.quality import no_face
from edge.recognition.face.suspicion import Suspicion
from edge.simulate.faces import demo_faces, empty_scene
from edge.terms import FaceInstruction

PERSON = demo_faces(2)[1]


@pytest.mark.parametrize("degrees", [-90, 90])
def test_a_head_on_its_side_is_told_to_be_level(detector, degrees):
    turn = cv2.getRotationMatrix2D((320, 240), degrees, 1)
    image = cv2.warpAffine(
        PERSON.frame(0), turn, (640, 480), borderMode=cv2.BORDER_REPLICATE
    )
    faces = Suspicion(detector).faces(image)
    assert faces
    across = np.degrees(np.arctan2(*(faces[0].points[1] - faces[0].points[0])[::-1]))
    assert abs(across) == pytest.approx(90, abs=20)
    assert no_face(image, faces).instruction is FaceInstruction.LEVEL_HEAD


def test_a_suspected_face_is_never_sufficient(detector):
    image = PERSON.frame(0)
    found = no_face(image, detector.detect(image))
    assert not found.is_sufficient
    assert found.instruction is FaceInstruction.LOOK_AT_CAMERA
    assert found.score == 0


def test_the_places_are_in_pixels_of_the_whole_image(detector):
    image = cv2.resize(PERSON.frame(0), (1280, 960))
    seen = detector.detect(image)[0]
    suspected = Suspicion(detector).faces(image, look_turned=False)
    assert suspected
    assert np.abs(suspected[0].points - seen.points).max() < 0.2 * seen.inter_eye_px


def test_nothing_is_suspected_in_an_empty_scene_nor_in_a_pixel(detector):
    suspicion = Suspicion(detector)
    assert suspicion.faces(empty_scene()) == []
    assert suspicion.faces(np.zeros((1, 1, 3), np.uint8)) == []


def test_a_detector_without_a_fainter_one_is_asked_for_turned_heads_only():
    class Blind:
        def detect(self, image):
            assert image.ndim == 3
            return []

    assert Suspicion(Blind()).faces(PERSON.frame(0)) == []
    assert Suspicion(Blind()).faces(PERSON.frame(0), look_turned=False) == []
