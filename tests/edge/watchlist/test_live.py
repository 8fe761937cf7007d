import pytest

from edge.clock import ManualClock
from edge.errors import StoreError
from edge.terms import Modality
from edge.watchlist import live
from edge.watchlist.live import RETRY_S, GalleryFollower

FINGERPRINT, FACE = Modality.FINGERPRINT, Modality.FACE


@pytest.fixture
def clock(noon):
    return ManualClock(noon)


@pytest.fixture
def told():
    return []


@pytest.fixture
def follower(watchlist, gallery, face_gallery, clock, told):
    galleries = {FINGERPRINT: gallery, FACE: face_gallery}
    return GalleryFollower(
        watchlist, galleries, clock, lambda name, text: told.append((name, text))
    )


@pytest.fixture(autouse=True)
def no_rest(monkeypatch):
    monkeypatch.setattr(live, "REST_S", 0)


def test_each_gallery_gets_the_references_of_its_modality(
    follower, watchlist, gallery, face_gallery
):
    watchlist.put("a", modality=FINGERPRINT, count=2)
    watchlist.put("b", modality=FACE)
    assert follower.look()
    assert (gallery.numbers, face_gallery.numbers) == ({1, 2}, {3})
    watchlist.withdraw("a")
    watchlist.withdraw("b")
    assert follower.look()
    assert (gallery.numbers, face_gallery.numbers) == (set(), set())


def test_only_a_change_is_something_new(follower, watchlist, gallery):
    watchlist.put("a", modality=FINGERPRINT)
    assert follower.look()
    assert not follower.look()
    assert len(gallery.patches) == 1


def test_what_searches_see_is_named(follower, watchlist):
    assert follower.searched.is_building
    watchlist.put("a", modality=FINGERPRINT)
    follower.look()
    searched = follower.searched
    assert (searched.revision, searched.pending_share) == (1, 0.0)
    assert (searched.faults, searched.unsearchable) == ({}, 0)
    assert not searched.is_building


def test_a_damaged_reference_is_left_out_and_named_and_the_rest_is_found(
    follower, watchlist, gallery, told
):
    watchlist.damaged = {"b-0"}
    for name in "abc":
        watchlist.put(name, modality=FINGERPRINT)
    follower.look()
    assert gallery.numbers == {1, 3}
    assert follower.searched.unsearchable == 1
    assert follower.searched.skipped == ("b-0 is damaged",)
    assert told == [("reference_skipped", "b-0 is damaged")]
    watchlist.withdraw("b")
    follower.look()
    assert (follower.searched.unsearchable, follower.searched.skipped) == (0, ())


def test_a_reference_that_a_gallery_objects_to_is_left_out(
    follower, watchlist, face_gallery, told
):
    face_gallery.refused = {"a-0"}
    watchlist.put("a")
    watchlist.put("b")
    follower.look()
    assert face_gallery.numbers == {2}
    assert told == [
        ("reference_skipped", "reference a-0 cannot be searched: it is odd")
    ]


def test_only_the_last_of_many_bad_references_are_named(follower, watchlist):
    for n in range(30):
        watchlist.put(f"e{n}", modality=FINGERPRINT)
        watchlist.damaged.add(f"e{n}-0")
    follower.look()
    assert follower.searched.unsearchable == 30
    assert len(follower.searched.skipped) == live.NAMES_HELD


def test_a_gallery_that_fails_keeps_its_state_and_the_other_goes_on(
    follower, watchlist, gallery, face_gallery, told
):
    watchlist.put("a", modality=FINGERPRINT)
    follower.look()
    gallery.error = StoreError("no room for the gallery")
    watchlist.put("b", modality=FINGERPRINT)
    watchlist.put("c", modality=FACE)
    assert not follower.look()
    assert (gallery.numbers, face_gallery.numbers) == ({1}, {3})
    assert follower.searched.faults == {"fingerprint": "no room for the gallery"}
    assert follower.searched.revision == 1
    assert told == [("gallery_fault", "fingerprint: no room for the gallery")]


def test_what_failed_is_tried_again_after_a_while_and_told_once(
    follower, watchlist, gallery, clock, told
):
    gallery.error = StoreError("full")
    watchlist.put("a", modality=FINGERPRINT)
    for _ in range(3):
        follower.look()
        clock.advance(RETRY_S)
    assert len(told) == 1
    gallery.error = None
    assert follower.look()
    assert (gallery.numbers, follower.searched.faults) == ({1}, {})


def test_a_watchlist_that_cannot_be_read_is_a_fault_and_nothing_is_lost(
    follower, watchlist, gallery, clock, monkeypatch
):
    watchlist.put("a", modality=FINGERPRINT)
    follower.look()

    def fail():
        message = "cannot read the store"
        raise StoreError(message)

    with monkeypatch.context() as patch:
        patch.setattr(watchlist, "state", fail)
        assert not follower.look()
    assert follower.searched.faults == {"watchlist": "cannot read the store"}
    assert gallery.numbers == {1}
    clock.advance(RETRY_S)
    follower.look()
    assert follower.searched.faults == {}


def test_files_that_cannot_be_written_are_a_fault_until_they_can(
    follower, watchlist, gallery, clock, monkeypatch
):
    def fail():
        message = "No space left on device"
        raise StoreError(message)

    watchlist.put("a", modality=FINGERPRINT)
    with monkeypatch.context() as patch:
        patch.setattr(gallery, "tidy", fail)
        assert follower.look()
    assert follower.searched.faults == {"fingerprint files": "No space left on device"}
    clock.advance(RETRY_S)
    follower.look()
    assert follower.searched.faults == {}


def test_a_gallery_is_tidied_until_nothing_is_left_to_do(
    follower, watchlist, gallery, monkeypatch
):
    answers = iter([False, False, True])
    monkeypatch.setattr(gallery, "tidy", lambda: next(answers))
    watchlist.put("a", modality=FINGERPRINT)
    for _ in range(5):
        follower.look()
    assert next(answers, None) is None


def test_a_list_that_is_new_for_the_most_part_is_being_built(
    follower, watchlist, gallery, monkeypatch
):
    seen = []
    patch = gallery.patch

    def note_and_patch(*arguments):
        seen.append((follower.searched.is_building, follower.searched.pending_share))
        patch(*arguments)

    monkeypatch.setattr(gallery, "patch", note_and_patch)
    monkeypatch.setattr(live, "LIVE_STEP", 4)
    for n in range(12):
        watchlist.put(f"a{n}", modality=FINGERPRINT)
    follower.look()
    assert [is_building for is_building, _ in seen] == [True] * 3
    assert [share for _, share in seen] == pytest.approx([1, 8 / 12, 4 / 12])
    watchlist.put("one-more", modality=FINGERPRINT)
    follower.look()
    assert seen[-1] == (False, pytest.approx(1 / 13))


def test_the_time_since_the_first_unsearched_change_is_the_lag(
    follower, watchlist, gallery, clock
):
    gallery.error = StoreError("full")
    watchlist.put("a", modality=FINGERPRINT)
    follower.look()
    clock.advance(7.0)
    watchlist.put("b", modality=FINGERPRINT)
    follower.look()
    assert follower.searched.lag_s(clock.monotonic_s()) == 7.0
    gallery.error = None
    clock.advance(RETRY_S)
    follower.look()
    assert follower.searched.lag_s(clock.monotonic_s()) == 0.0


def test_catching_up_at_the_start_shows_how_far_it_is(
    follower, watchlist, gallery, monkeypatch
):
    monkeypatch.setattr(live, "LIVE_STEP", 1)
    for n in range(3):
        watchlist.put(f"e{n}", modality=FINGERPRINT)
    shares = []
    follower.catch_up(shares.append)
    assert gallery.patches == [([1, 2, 3], [])]
    assert shares == []
    assert not follower.searched.is_building


def test_a_long_way_is_gone_with_rests(follower, watchlist, monkeypatch):
    slept = []
    monkeypatch.setattr(live, "WORK_S", 0.0)
    monkeypatch.setattr(live, "REST_S", 0.004)
    monkeypatch.setattr(live.time, "sleep", slept.append)
    watchlist.put("a", modality=FINGERPRINT, count=5)
    follower.look()
    assert slept == [0.004] * 10
