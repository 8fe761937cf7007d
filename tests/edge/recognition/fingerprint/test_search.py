"""One-to-many search of prints."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import InputError
from edge.recognition.fingerprint.search import FingerprintGallery
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Modality,
    Reference,
)

INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.RIGHT_THUMB


def _template(seed: int, position: FingerPosition, noise: int = 0):
    rng = np.random.default_rng(seed)
    places = rng.integers(40, 360, (40, 2))
    angle = rng.uniform(0, 6.28, 40)
    jitter = np.random.default_rng(noise).integers(-1, 2, (40, 2)) if noise else 0
    x, y = (places + jitter).T.astype(np.int16)
    return FingerprintTemplate(
        position=position,
        model_id="leader",
        width_px=400,
        height_px=400,
        x=x,
        y=y,
        angle_rad=angle.astype(np.float32),
        kind=np.ones(40, np.uint8),
        quality=np.full(40, 90, np.uint8),
    )


def _reference(seed: int, position: FingerPosition) -> Reference:
    return Reference(
        reference_id=f"r{seed}",
        entry_id=f"e{seed}",
        modality=Modality.FINGERPRINT,
        position=position,
        template=_template(seed, position),
    )


@pytest.fixture(scope="module")
def gallery():
    return FingerprintGallery([_reference(seed, INDEX) for seed in range(30)])


def test_finds_the_enrolled_finger_alone(gallery):
    found = gallery.search(_template(7, INDEX, noise=1), 1e-6)
    assert [candidate.entry_id for candidate in found] == ["e7"]
    assert found[0].score.false_match_rate <= 1e-6


def test_an_unknown_position_is_compared_with_every_finger(gallery):
    assert len(gallery.search(_template(7, FingerPosition.UNKNOWN), 1e-6)) == 1


def test_another_finger_position_is_not_compared(gallery):
    assert gallery.search(_template(7, THUMB), 1e-6) == []


def test_a_stranger_is_not_found(gallery):
    assert gallery.search(_template(1000, INDEX), 1e-6) == []


def test_candidates_come_best_first(gallery):
    found = gallery.search(_template(3, INDEX, noise=2), 1.0)
    scores = [candidate.score.value for candidate in found]
    assert found[0].entry_id == "e3"
    assert scores == sorted(scores, reverse=True)


def test_an_empty_gallery_finds_nobody():
    assert FingerprintGallery([]).search(_template(1, INDEX), 1e-6) == []


def test_a_face_is_no_probe(gallery):
    with pytest.raises(InputError, match="no fingerprint"):
        gallery.search(FaceTemplate("face", np.zeros(3, np.float32)), 1e-6)
