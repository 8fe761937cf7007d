from datetime import timedelta

import pytest

from edge.clock import ManualClock
from edge.errors import InputError
from edge.terms import Modality
from edge.watchlist.search import WatchlistIndex

FINGERPRINT = Modality.FINGERPRINT


@pytest.fixture
def clock(noon):
    return ManualClock(noon)


@pytest.fixture
def built():
    return []


@pytest.fixture
def index(watchlist, gallery, face_gallery, clock, built):
    def faces(references):
        built.append([r.reference_id for r in references])
        return face_gallery(references)

    return WatchlistIndex(watchlist, watchlist, gallery, faces, clock)


@pytest.fixture
def probe_of(face, finger):
    return {Modality.FACE: face, FINGERPRINT: finger}


@pytest.fixture
def found(index):
    def search(*probes):
        return [c.reference_id for c in index.search(probes)]

    return search


def test_each_modality_is_searched_among_its_own_references(
    found, watchlist, face, finger
):
    watchlist.put("a")
    watchlist.put("b", modality=FINGERPRINT)
    assert found(face) == ["a-0"]
    assert found(finger) == ["b-0"]


def test_the_best_reference_stands_for_its_entry(found, watchlist, face, finger):
    watchlist.put("a", count=3)
    watchlist.put("b", count=2)
    watchlist.put("c", count=3, modality=FINGERPRINT)
    watchlist.put("d", count=2, modality=FINGERPRINT)
    assert found(face) == ["a-0", "b-0"]
    assert found(finger) == ["d-1", "c-2"]


def test_all_fingers_are_searched_at_once_and_their_common_rate_is_the_candidates(
    index, watchlist, gallery, finger
):
    watchlist.put("a", modality=FINGERPRINT, count=4)
    (candidate,) = index.search([finger, finger])
    assert gallery.probes == [finger, finger]
    assert (candidate.score.value, candidate.score.false_match_rate) == (0.5, 0.25)
    assert (candidate.entry_id, candidate.modality) == ("a", FINGERPRINT)


@pytest.mark.parametrize("kinds", [(), ("face", "finger"), ("face", "face")])
def test_probes_that_belong_to_no_one_search_are_refused(
    index, watchlist, request, kinds
):
    watchlist.put("a")
    with pytest.raises(InputError, match="fingers of a person or with one face"):
        index.search([request.getfixturevalue(kind) for kind in kinds])


def test_a_change_costs_what_changed(found, watchlist, gallery, built, face, finger):
    watchlist.put("a", modality=FINGERPRINT, count=2)
    watchlist.put("b")
    found(finger)
    found(face)
    assert gallery.patches == [([1, 2], [])]
    watchlist.put("c", modality=FINGERPRINT)
    watchlist.withdraw("a")
    found(finger)
    assert gallery.patches[1:] == [([4], [1, 2])]
    assert built == [["b-0"]]


def test_faces_are_indexed_anew_when_one_came_or_went(found, watchlist, built, face):
    watchlist.put("a")
    watchlist.put("b")
    assert found(face) == ["a-0", "b-0"]
    watchlist.withdraw("a")
    watchlist.put("c")
    assert found(face) == ["b-0", "c-0"]
    watchlist.withdraw("c")
    assert found(face) == ["b-0"]
    assert len(built) == 3


@pytest.mark.parametrize("modality", list(Modality))
def test_a_withdrawn_entry_is_not_found_again(
    index, watchlist, modality, probe_of, found
):
    probe = probe_of[modality]
    watchlist.put("a", modality=modality)
    assert found(probe) == ["a-0"]
    watchlist.withdraw("a")
    assert (found(probe), index.size(), index.entry("a")) == ([], 0, None)


def test_a_reference_withdrawn_while_the_search_ran_is_no_candidate(
    index, watchlist, gallery, finger
):
    watchlist.put("a", modality=FINGERPRINT)
    watchlist.put("b", modality=FINGERPRINT)
    search = gallery.search

    def search_and_withdraw(probes):
        watchlist.withdraw("b")
        return search(probes)

    gallery.search = search_and_withdraw
    assert [c.entry_id for c in index.search([finger])] == ["a"]


@pytest.mark.parametrize("modality", list(Modality))
def test_an_entry_counts_from_its_first_instant_up_to_its_last(
    index, watchlist, clock, noon, modality, probe_of, found
):
    probe = probe_of[modality]
    hour = timedelta(hours=1)
    begins, ends = noon + hour, noon + 2 * hour
    watchlist.put("a", modality=modality, valid_from=begins, expires_at=ends)
    seen = []
    for _ in range(3):
        seen.append((found(probe), index.size(), index.entry("a") is not None))
        clock.advance(3600)
    assert seen == [([], 0, False), (["a-0"], 1, True), ([], 0, False)]


@pytest.mark.parametrize("modality", list(Modality))
def test_a_source_that_cannot_be_read_leaves_the_index_to_try_again(
    watchlist, found, probe_of, modality
):
    watchlist.put("a", modality=modality)
    working = watchlist.added

    def broken(*_args, **_options):
        raise OSError

    watchlist.added = broken
    with pytest.raises(OSError):  # noqa: PT011  any error must pass through
        found(probe_of[modality])
    watchlist.added = working
    assert found(probe_of[modality]) == ["a-0"]


def test_faces_that_cannot_be_compared_do_not_keep_fingers_from_the_search(
    watchlist, gallery, clock, face, finger
):
    def refuse(_references):
        message = "templates of two kinds"
        raise InputError(message)

    watchlist.put("a", modality=FINGERPRINT)
    watchlist.put("b")
    index = WatchlistIndex(watchlist, watchlist, gallery, refuse, clock)
    assert [c.entry_id for c in index.search([finger])] == ["a"]
    with pytest.raises(InputError, match="two kinds"):
        index.search([face])


def test_refreshing_beforehand_leaves_nothing_for_the_search_to_read(
    index, watchlist, gallery, found, finger
):
    watchlist.put("a", modality=FINGERPRINT)
    index.refresh()
    watchlist.added = None
    assert found(finger) == ["a-0"]
    assert len(gallery.patches) == 1
