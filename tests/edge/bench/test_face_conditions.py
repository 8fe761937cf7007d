"""What travellers are told in some twenty conditions: drawn ones, and real pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.bench.face_conditions import measure_conditions, portrait_of
from edge.bench.face_folder import FaceImage, read_face_folder
from edge.models.store import ModelStore
from edge.recognition.face.detection import FaceDetector
from edge.recognition.face.face_sets import MTCNN_IDS
from edge.recognition.onnx_session import OnnxSession
from edge.simulate.faces import demo_faces

REAL_IMAGES = 4
# Drawings have too little skin and too few details for these.
UNCERTAIN = {"moved", "masked", "hand before mouth"}


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("detector"))
    return FaceDetector(*(OnnxSession(store.path(name)) for name in MTCNN_IDS))


@pytest.fixture
def drawings(tmp_path):
    """A drawn person, and a scene of two."""
    frames = [person.frame(0) for person in demo_faces(3)[1:]]
    frames[1] = np.hstack([frame[:, 150:470] for frame in frames])
    images = []
    for number, frame in enumerate(frames):
        path = tmp_path / f"d{number}_1.png"
        cv2.imwrite(str(path), frame[..., ::-1])
        images.append(FaceImage(path, f"d{number}"))
    return images


@pytest.mark.slow
def test_drawn_faces_are_told_what_is_wrong(detector, drawings):
    report = measure_conditions(drawings, detector).report()
    assert (report["portraits"], report["skipped"]) == (1, 1)
    assert report["simulated"]
    for name, figures in report["conditions"].items():
        if name not in UNCERTAIN:
            assert figures["right"] == 1, (name, figures)
    # A spoilt face is searched with in none of these, a plain one always.
    assert report["conditions"]["plain"]["usable"] == 1
    for name in ("dark", "bright", "far", "scarf", "two persons", "out of focus"):
        assert report["conditions"][name]["usable"] == 0, name


@pytest.mark.slow
def test_real_faces_are_told_what_is_wrong(detector, shared_folder):
    every = read_face_folder(shared_folder / "data" / "faces" / "lfw_dev")
    images = every[:: len(every) // REAL_IMAGES][:REAL_IMAGES]
    report = measure_conditions(images, detector).report()
    assert report["portraits"] >= REAL_IMAGES // 2
    conditions = report["conditions"]
    # What is only advised gives way to a turned head, as most of these are.
    advised = {"plain", "left of the middle", "right of the middle"}
    told = [f["right"] for name, f in conditions.items() if name not in advised]
    assert np.mean(told) > 0.75, conditions


def test_a_picture_without_just_one_face_is_no_portrait(detector):
    nobody = np.full((240, 320, 3), 120, np.uint8)
    assert portrait_of(nobody, detector) is None
