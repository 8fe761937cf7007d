"""Searches of faces at the policy's rates, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from edge.config import PolicySection
from edge.errors import InputError
from edge.recognition.face.embedding import DLIB_TEMPLATES
from edge.recognition.face.gallery import FaceGallery
from edge.services.face_search import FaceSearch
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    Modality,
    NumberedReference,
    Reference,
)

VECTORS = np.eye(64, 128, dtype=np.float32)
PROBE = FaceTemplate(DLIB_TEMPLATES, VECTORS[0])


def reference(number, model_id=DLIB_TEMPLATES):
    template = FaceTemplate(model_id, VECTORS[number])
    position = FingerPosition.UNKNOWN
    return NumberedReference(
        number, Reference(f"r{number}", f"e{number}", Modality.FACE, position, template)
    )


def search_of(*references, policy=None):
    gallery = FaceGallery()
    gallery.patch(references)
    return FaceSearch(gallery, policy or PolicySection(), DLIB_TEMPLATES)


def test_a_short_list_is_searched():
    searched = search_of(*map(reference, range(10)))
    assert [c.entry_id for c in searched.search(PROBE)] == ["e0"]
    state = searched.state()
    assert state.is_searched
    assert "among 10 persons" in state.text
    assert state.unsearchable == {}


def test_a_list_too_long_confirms_candidates_only():
    policy = PolicySection(face_false_positive_identification_rate=1e-10)
    searched = search_of(*map(reference, range(60)), policy=policy)
    assert not searched.state().is_searched
    with pytest.raises(InputError, match="only confirms candidates"):
        searched.search(PROBE)
    assert [c.entry_id for c in searched.confirm(PROBE, ["e0", "e4"])] == ["e0"]
    assert searched.confirm(PROBE, ["e4"]) == []


def test_references_of_other_networks_are_told():
    searched = search_of(reference(1), reference(2, "older"), reference(3, "older"))
    state = searched.state()
    assert state.unsearchable == {"older": 2}
    assert state.unsearchable_entries == ("e2", "e3")


def test_networks_without_calibration_search_nobody():
    searched = FaceSearch(FaceGallery(), PolicySection(), "unknown")
    state = searched.state()
    assert not state.is_searched
    assert "no calibration" in state.text
