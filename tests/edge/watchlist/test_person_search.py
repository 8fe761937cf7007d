from dataclasses import replace

import pytest

from edge.errors import InputError
from edge.terms import FingerPosition, Modality
from edge.watchlist.person_search import PersonSearch

FINGERPRINT = Modality.FINGERPRINT
LEFT, RIGHT = FingerPosition.LEFT_INDEX, FingerPosition.RIGHT_INDEX


class Entries:
    def __init__(self, watchlist) -> None:
        self.entry = watchlist.entry
        self.size = lambda: len(watchlist.held)


@pytest.fixture
def held(watchlist, gallery, face_gallery):
    """Put an entry's references on the list and into the galleries."""

    def put(entry_id, *modalities):
        for modality in modalities:
            number = watchlist.last_number + 1
            watchlist.put(entry_id, modality=modality)
            if modality is Modality.FACE:
                face_gallery.numbers.add(number)
                face_gallery.references[number] = watchlist.stored[number]
            else:
                gallery.numbers.add(number)

    return put


@pytest.fixture
def search(watchlist, gallery, face_gallery, rules):
    return PersonSearch(Entries(watchlist), watchlist, gallery, face_gallery, rules)


def test_finger_and_face_of_an_entry_are_one_candidate(search, held, finger, face):
    held("z", FINGERPRINT)
    held("a", FINGERPRINT, Modality.FACE)
    held("x", Modality.FACE)
    first, *_ = search.look([finger, face], share=1.0).candidates
    assert first.entry_id == "a"
    assert [s.modality for s in first.samples] == [FINGERPRINT, Modality.FACE]
    total = sum(sample.log10_ratio for sample in first.samples)
    assert first.score.false_match_rate == pytest.approx(10.0**-total)


def test_the_sample_that_says_most_stands_for_the_candidate(search, held, finger, face):
    held("a", FINGERPRINT, Modality.FACE)
    (candidate,) = search.look([finger, face], share=1.0).candidates
    best = max(candidate.samples, key=lambda s: s.log10_ratio)
    assert candidate.modality is best.modality is Modality.FACE
    assert candidate.reference_id == best.reference_id


def test_what_came_before_counts_in_the_next_look(
    search, held, rules, gallery, finger, face
):
    held("a", FINGERPRINT, Modality.FACE)
    rules.limit = 1e-9
    assert search.look([finger], share=0.5).candidates == ()
    rules.limit = 1e-5
    (candidate,) = search.look([face], share=0.5).candidates
    assert len(candidate.samples) == 2
    assert [s.is_deciding for s in candidate.samples] == [False, True]
    assert gallery.probes == [finger]
    assert rules.asked[-1] == (("finger", "face"), 1, 0.5)


def test_the_later_finger_decides_though_the_earlier_says_more(
    search, held, rules, gallery, finger
):
    held("a", FINGERPRINT)
    right, left = replace(finger, position=RIGHT), replace(finger, position=LEFT)
    rules.limit = 0.0
    search.look([right], share=0.5)
    rules.limit = 1.0
    (candidate,) = search.look([left], share=0.5).candidates
    deciding = {s.position: s.is_deciding for s in candidate.samples}
    assert deciding == {RIGHT: False, LEFT: True}
    assert gallery.probes == [right, left]


def test_a_face_is_enough_though_the_finger_is_anothers(
    search, held, rules, finger, face
):
    held("a", FINGERPRINT, Modality.FACE)
    rules.log_ratio = lambda kind, _rate: -2.0 if kind == "finger" else 6.0
    rules.limit = 1e-5
    (candidate,) = search.look([finger, face], share=1.0).candidates
    assert candidate.score.false_match_rate == pytest.approx(1e-6)
    assert len(candidate.samples) == 2
    rules.limit = 1e-7
    assert search.look([], share=1.0).candidates == ()


def test_two_references_of_one_finger_count_once(search, held, finger):
    held("a", FINGERPRINT, FINGERPRINT)
    (candidate,) = search.look([finger], share=1.0).candidates
    assert len(candidate.samples) == 1


def test_nearly_enough_is_open_and_no_candidate(search, held, rules, face):
    held("a", Modality.FACE)
    rules.limit, rules.open_to = 1e-9, 1e-3
    found = search.look([face], share=1.0)
    assert (found.candidates, found.is_open) == ((), True)
    rules.open_to = 1e-8
    search = PersonSearch(search._entries, *_parts(search))
    assert not search.look([face], share=1.0).is_open


def _parts(search):
    return search._references, search._fingerprints, search._faces, search._rules


def test_nobody_is_open_who_is_no_longer_on_the_list(
    search, held, watchlist, rules, face
):
    held("a", Modality.FACE)
    rules.limit, rules.open_to = 1e-9, 1.0
    watchlist.held.clear()
    assert not search.look([face], share=1.0).is_open


def test_faces_that_cannot_carry_the_list_confirm_what_fingers_find(
    search, held, face_gallery, finger, face
):
    held("a", FINGERPRINT, Modality.FACE)
    held("b", Modality.FACE)
    face_gallery.objection_to_all = "too many"
    found = search.look([finger, face], share=1.0)
    assert found.unsearched == {Modality.FACE}
    assert [c.entry_id for c in found.candidates] == ["a"]
    assert len(found.candidates[0].samples) == 2


def test_an_entry_that_only_its_face_finds_is_compared_by_finger_too(
    search, held, gallery, finger, face
):
    held("a", FINGERPRINT, Modality.FACE)
    gallery.rare_numbers = lambda _examined, _max_fmr: []
    (candidate,) = search.look([finger, face], share=1.0).candidates
    assert [s.modality for s in candidate.samples] == [FINGERPRINT, Modality.FACE]


def test_a_second_face_is_refused(search, held, face):
    held("a", Modality.FACE)
    search.look([face], share=0.5)
    with pytest.raises(InputError, match="two faces"):
        search.look([face], share=0.5)
