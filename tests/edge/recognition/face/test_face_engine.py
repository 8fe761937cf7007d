"""The whole face pipeline with the real networks."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from edge.models.dlib_resnet import SPEC
from edge.models.store import ModelStore
from edge.recognition.face.engine import FaceEngine
from edge.recognition.face.face_sets import DLIB_ID
from edge.recognition.image_file import read_rgb_image
from edge.terms import FaceSample, QualityReason

CAPTURED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return FaceEngine.from_model_store(ModelStore(tmp_path_factory.mktemp("models")))


def test_the_templates_carry_the_id_of_the_pinned_model():
    assert SPEC.model_id == DLIB_ID


def test_noise_is_no_face(engine):
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    quality, template = engine.process(FaceSample(noise, CAPTURED_AT))
    assert quality.reasons == (QualityReason.NO_FACE,)
    assert template is None


@pytest.mark.shared
def test_two_images_of_a_person_match_and_another_person_does_not(
    engine, shared_folder
):
    folder = shared_folder / "data" / "faces" / "lfw_dev"
    first, second, other = (
        engine.process(FaceSample(read_rgb_image(folder / name), CAPTURED_AT))[1]
        for name in ("p0007_1.jpg", "p0007_2.jpg", "p0001_1.jpg")
    )
    mated, non_mated = engine.compare(first, second), engine.compare(first, other)
    assert mated.false_match_rate < 1e-3 < non_mated.false_match_rate


@pytest.mark.shared
def test_a_face_turned_upside_down_is_not_found(engine, shared_folder):
    folder = shared_folder / "data" / "faces" / "lfw_dev"
    image = read_rgb_image(folder / "p0007_1.jpg")
    assert engine.detector.detect(image)
    upside_down = np.ascontiguousarray(image[::-1])
    quality, template = engine.process(FaceSample(upside_down, CAPTURED_AT))
    assert not quality.is_sufficient
    assert template is None
