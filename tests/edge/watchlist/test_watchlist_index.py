from datetime import timedelta

import pytest

from edge.clock import ManualClock
from edge.errors import InputError
from edge.terms import Modality
from edge.watchlist.live import GalleryFollower
from edge.watchlist.search import WatchlistIndex

FINGERPRINT = Modality.FINGERPRINT


@pytest.fixture
def clock(noon):
    return ManualClock(noon)


@pytest.fixture
def follower(watchlist, gallery, face_gallery, clock):
    galleries = {FINGERPRINT: gallery, Modality.FACE: face_gallery}
    return GalleryFollower(watchlist, galleries, clock, lambda _name, _text: None)


@pytest.fixture
def index(watchlist, gallery, face_gallery, rules, clock):
    return WatchlistIndex(watchlist, watchlist, gallery, face_gallery, rules, clock)


@pytest.fixture
def probe_of(face, finger):
    return {Modality.FACE: face, FINGERPRINT: finger}


@pytest.fixture
def found(index, follower):
    def search(*probes):
        follower.look()
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


@pytest.mark.parametrize("kinds", [(), ("face", "face")])
def test_probes_that_belong_to_no_one_search_are_refused(
    index, watchlist, request, kinds
):
    watchlist.put("a")
    with pytest.raises(InputError, match=r"no probe|two faces"):
        index.search([request.getfixturevalue(kind) for kind in kinds])


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
    index, follower, watchlist, gallery, finger
):
    watchlist.put("a", modality=FINGERPRINT)
    watchlist.put("b", modality=FINGERPRINT)
    follower.look()
    examine = gallery.examine

    def examine_and_withdraw(probes, before):
        watchlist.withdraw("b")
        return examine(probes, before)

    gallery.examine = examine_and_withdraw
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


def test_faces_that_cannot_be_compared_do_not_keep_fingers_from_the_search(
    index, found, watchlist, face_gallery, face, finger
):
    watchlist.put("a", modality=FINGERPRINT)
    watchlist.put("b")
    face_gallery.objection_to_all = "templates of two kinds"
    assert found(finger) == ["a-0"]
    with pytest.raises(InputError, match="face cannot be searched"):
        index.search([face])


def test_a_search_takes_the_galleries_as_they_are(
    index, found, watchlist, gallery, finger
):
    watchlist.put("a", modality=FINGERPRINT)
    assert found(finger) == ["a-0"]
    watchlist.put("b", modality=FINGERPRINT)
    assert [c.entry_id for c in index.search([finger])] == ["a"]
    assert len(gallery.patches) == 1


@pytest.mark.parametrize("modality", list(Modality))
def test_what_was_withdrawn_is_no_candidate_before_the_galleries_know(
    index, found, watchlist, modality, probe_of
):
    watchlist.put("a", modality=modality)
    watchlist.put("b", modality=modality)
    assert found(probe_of[modality])
    watchlist.withdraw("a")
    candidates = index.search([probe_of[modality]])
    assert [c.entry_id for c in candidates] == ["b"]
