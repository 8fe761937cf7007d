from datetime import UTC, datetime

import numpy as np
import pytest

from edge.config import default_cache_dir
from edge.errors import InputError
from edge.models.store import ModelStore
from edge.recognition.face.engine import FaceEngine
from edge.simulate.faces import FRAME, SyntheticFace, demo_faces, empty_scene
from edge.terms import FaceSample

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine():
    return FaceEngine.from_model_store(ModelStore(default_cache_dir() / "models"), 2)


def test_everything_follows_from_the_seed():
    assert np.array_equal(SyntheticFace(3).frame(1), SyntheticFace(3).frame(1))


def test_a_frame_is_rgb_of_the_cameras_size():
    frame = SyntheticFace(3).frame(0)
    assert frame.shape == (FRAME[1], FRAME[0], 3)
    assert frame.dtype == np.uint8


def test_the_demos_faces_are_found_and_told_apart_at_the_operating_point(engine):
    templates = []
    for face in demo_faces(6):
        results = [engine.process(FaceSample(face.frame(i), NOON)) for i in range(2)]
        assert all(template is not None for _, template in results)
        templates.append([template for _, template in results])
    for number, (first, second) in enumerate(templates):
        assert engine.compare(first, second).false_match_rate < 1e-5
        for other, _ in templates[number + 1 :]:
            assert engine.compare(first, other).false_match_rate > 1e-3


def test_nobody_is_found_in_the_empty_scene(engine):
    _, template = engine.process(FaceSample(empty_scene(), NOON))
    assert template is None


def test_more_demo_faces_than_there_are_is_an_error():
    with pytest.raises(InputError, match="7 demo faces"):
        demo_faces(7)
