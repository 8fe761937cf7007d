"""A gallery of faces that is searched while it changes."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.face import face_rows
from edge.recognition.face.calibration import shipped_calibration
from edge.recognition.face.embedding import DLIB_TEMPLATES
from edge.recognition.face.gallery import FaceGallery, Unsearchable
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Modality,
    NumberedReference,
    Reference,
)

VECTORS = np.random.default_rng(3).normal(0, 0.1, (3000, 16)).astype(np.float32)
ANYBODY = 1.0
NONE = np.zeros(0, np.int16)
FINGER = FingerprintTemplate(
    FingerPosition.UNKNOWN,
    "m",
    *(9, 9, NONE, NONE),
    *(NONE.astype(np.float32), NONE.astype(np.uint8), NONE.astype(np.uint8)),
)


def face(number, model_id=DLIB_TEMPLATES):
    return FaceTemplate(model_id, VECTORS[number])


def item(number, *, entry=None, template=None, model_id=DLIB_TEMPLATES):
    reference = Reference(
        reference_id=f"r{number}",
        entry_id=entry or f"e{number}",
        modality=Modality.FACE,
        position=FingerPosition.UNKNOWN,
        template=face(number, model_id) if template is None else template,
    )
    return NumberedReference(number, reference)


def items(*numbers):
    return [item(number) for number in numbers]


def found(gallery, probe=0):
    return {c.entry_id: c.score for c in gallery.search(face(probe), ANYBODY)}


@pytest.fixture
def few_dead(monkeypatch):
    monkeypatch.setattr(face_rows, "_DEAD_ROWS", 3)
    monkeypatch.setattr(face_rows, "_FEWEST_ROWS", 4)


def test_what_was_added_is_found_and_what_was_removed_is_not():
    gallery = FaceGallery()
    gallery.patch(items(1, 2, 3), revision="one")
    gallery.patch(items(4), [2, 77], "two")
    assert set(found(gallery)) == {"e1", "e3", "e4"}
    assert (len(gallery), gallery.revision) == (3, "two")


def test_a_cleared_gallery_is_empty_and_starts_anew():
    gallery = FaceGallery()
    gallery.patch(items(5), revision="one")
    gallery.clear(100)
    assert (len(gallery), gallery.revision, found(gallery)) == (0, "", {})
    gallery.patch(items(1))
    assert set(found(gallery)) == {"e1"}


@pytest.mark.usefixtures("few_dead")
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 9), st.lists(st.integers(1, 60), max_size=12)),
        max_size=12,
    )
)
def test_whatever_order_of_changes_a_search_is_that_of_a_fresh_gallery(steps):
    gallery, held, number = FaceGallery(), {}, 0
    for count, removed in steps:
        new = items(*range(number + 1, number + 1 + count))
        number += count
        gallery.patch(new, [n for n in removed if n <= number - count])
        held = {n: i for n, i in held.items() if n not in removed}
        held |= {i.number: i for i in new}
    fresh = FaceGallery()
    fresh.patch(held.values())
    assert found(gallery) == found(fresh)
    assert len(gallery) == len(held)


def test_a_reference_that_is_no_face_of_numbers_is_refused_and_nothing_changes():
    gallery = FaceGallery()
    gallery.patch(items(1), revision="one")
    odd = [
        FINGER,
        FaceTemplate(DLIB_TEMPLATES, np.full(16, np.nan, np.float32)),
        FaceTemplate(DLIB_TEMPLATES, np.zeros((4, 4), np.float32)),
    ]
    for template in odd:
        bad = item(2, template=template)
        assert gallery.objection(bad.reference)
        with pytest.raises(InputError, match="reference r2"):
            gallery.patch([bad], [1], "two")
    assert (set(found(gallery)), gallery.revision) == ({"e1"}, "one")
    assert gallery.objection(item(3).reference) is None


def test_of_two_models_at_once_the_one_of_the_probe_is_searched_the_other_told():
    gallery = FaceGallery(calibration=lambda _: shipped_calibration())
    gallery.patch([item(1), item(2, model_id="newer"), item(3, model_id="newer")])
    names = {
        model_id: {c.entry_id for c in gallery.search(face(0, model_id), ANYBODY)}
        for model_id in (DLIB_TEMPLATES, "newer")
    }
    assert names == {DLIB_TEMPLATES: {"e1"}, "newer": {"e2", "e3"}}
    assert gallery.unsearchable("newer") == Unsearchable({DLIB_TEMPLATES: 1}, ("e1",))
    assert gallery.unsearchable(DLIB_TEMPLATES).count == 2
    gallery.patch([], [1])
    assert gallery.search(face(0), ANYBODY) == []
    assert gallery.unsearchable("newer").count == 0
    assert gallery.unsearchable(DLIB_TEMPLATES).entry_ids == ("e2", "e3")


def test_nothing_is_left_of_a_withdrawn_face():
    gallery = FaceGallery()
    gallery.patch(items(1, 2))
    (rows,) = gallery._kinds.values()
    assert VECTORS[1].tobytes() in rows.matrix.tobytes()
    gallery.patch((), [1])
    assert VECTORS[1].tobytes() not in rows.matrix.tobytes()
    assert VECTORS[2].tobytes() in rows.matrix.tobytes()
    assert "e1" not in rows.entry_ids


def test_a_face_withdrawn_during_a_search_is_overwritten_when_that_is_over():
    gallery = FaceGallery()
    gallery.patch(items(1, 2))
    seen = gallery._rows_for(face(0))
    gallery.patch((), [1])
    assert (seen.matrix[0] == VECTORS[1]).all()
    assert not gallery.tidy()
    matrix = seen.matrix
    del seen
    gc.collect()
    assert gallery.tidy()
    assert not matrix[0].any()


@pytest.mark.usefixtures("few_dead")
def test_the_space_of_many_dead_is_taken_back():
    gallery = FaceGallery()
    for first in range(0, 400, 10):
        gallery.patch(items(*range(first + 1, first + 11)), range(first - 9, first + 1))
    (rows,) = gallery._kinds.values()
    assert len(rows.matrix) < 100
    assert set(found(gallery)) == {f"e{n}" for n in range(391, 401)}


def test_searches_in_other_threads_see_whole_patches_only():
    gallery = FaceGallery()
    gallery.patch([item(n, entry=f"v0-{n}") for n in range(1, 51)])
    is_done, wrong, count = threading.Event(), [], []

    def search():
        while not is_done.is_set():
            versions = {c.entry_id[:2] for c in gallery.search(face(0), ANYBODY)}
            found = len(gallery.search(face(0), ANYBODY))
            count.append(found)
            if len(versions) != 1 or found != 50:
                wrong.append((versions, found))

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for version in range(1, 40):
        first = 50 * version
        added = [
            item(n, entry=f"v{version % 10}-{n}") for n in range(first + 1, first + 51)
        ]
        gallery.patch(added, range(first - 49, first + 1))
    is_done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert count


def test_some_entries_are_compared_however_unlike():
    gallery = FaceGallery()
    gallery.patch([item(1, entry="a"), item(2, entry="a"), item(3, entry="b")])
    probe = face(2)
    matches = gallery.best_of(probe, ["a", "b", "c"])
    assert [m.best.entry_id for m in matches] == ["a", "b"]
    assert matches[0].best.reference_id == "r2"
    of_two, of_one = matches
    rate = of_two.best.score.false_match_rate
    assert of_two.false_match_rate_of_best == pytest.approx(2 * rate, rel=1e-3)
    one = of_one.best.score.false_match_rate
    assert of_one.false_match_rate_of_best == pytest.approx(one)
    assert gallery.best_of(probe, []) == gallery.best_of(probe, ["c"]) == []
