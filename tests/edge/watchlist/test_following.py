import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.terms import Modality
from edge.watchlist.following import Manner, follow, is_current

FINGERPRINT = Modality.FINGERPRINT


SMALL_STEPS = Manner(step=4)


def enrol(watchlist, names, count=1):
    for name in names:
        watchlist.put(name, modality=FINGERPRINT, count=count)


def test_a_new_gallery_gets_what_is_held(watchlist, gallery):
    enrol(watchlist, "abc", 2)
    watchlist.withdraw("b")
    follow(gallery, watchlist, FINGERPRINT)
    assert gallery.numbers == {1, 2, 5, 6}
    assert is_current(gallery.revision, watchlist)


def test_a_gallery_that_is_current_is_left_alone(watchlist, gallery):
    enrol(watchlist, "ab")
    follow(gallery, watchlist, FINGERPRINT)
    follow(gallery, watchlist, FINGERPRINT)
    assert len(gallery.patches) == 1


def test_only_what_came_and_went_since_is_read(watchlist, gallery):
    enrol(watchlist, "abc")
    follow(gallery, watchlist, FINGERPRINT)
    watchlist.withdraw("b")
    enrol(watchlist, "d")
    assert not is_current(gallery.revision, watchlist)
    follow(gallery, watchlist, FINGERPRINT)
    assert gallery.patches[-1] == ([4], [2])
    assert watchlist.asked_after == [0, 3]


def test_much_goes_in_steps_that_part_no_entry(watchlist, gallery):
    enrol(watchlist, "abcde", 3)
    shares = []
    follow(gallery, watchlist, FINGERPRINT, Manner(shares.append, step=4))
    assert [numbers for numbers, _ in gallery.patches] == [
        [1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 11, 12],
        [13, 14, 15],
    ]
    assert shares == [6 / 15, 12 / 15]


def test_after_a_step_that_failed_the_next_attempt_goes_on_from_there(
    watchlist, gallery
):
    enrol(watchlist, "abcdef", 2)
    watchlist.withdraw("a")
    patch = gallery.patch

    def fail_at_the_second(*arguments):
        if gallery.patches:
            raise OSError
        patch(*arguments)

    gallery.patch = fail_at_the_second
    with pytest.raises(OSError):  # noqa: PT011  any error must pass through
        follow(gallery, watchlist, FINGERPRINT, SMALL_STEPS)
    assert not is_current(gallery.revision, watchlist)
    gallery.patch = patch
    watchlist.withdraw("b")
    follow(gallery, watchlist, FINGERPRINT, SMALL_STEPS)
    assert gallery.numbers == set(range(5, 13))
    assert gallery.times_cleared == 1
    assert watchlist.asked_after == [0, 6]


@pytest.mark.parametrize(
    "revision",
    ["", "?", "1 2 3", "1 2 x 4:ab", "9 9 9 9:", "-1 -1 -1 -1:00", "0 0 0 0"],
)
def test_a_revision_that_says_nothing_starts_anew(watchlist, gallery, revision):
    enrol(watchlist, "ab")
    gallery.revision = revision
    gallery.numbers = {77}
    assert not is_current(revision, watchlist)
    follow(gallery, watchlist, FINGERPRINT)
    assert gallery.numbers == {1, 2}


def test_another_watchlists_gallery_is_not_taken_for_this_ones(
    watchlist, another_watchlist, gallery
):
    enrol(watchlist, "abc")
    enrol(another_watchlist, "xyz", 2)
    follow(gallery, watchlist, FINGERPRINT)
    assert not is_current(gallery.revision, another_watchlist)
    follow(gallery, another_watchlist, FINGERPRINT)
    assert gallery.times_cleared == 2
    assert gallery.numbers == set(range(1, 7))


def test_a_restored_watchlist_that_went_on_otherwise_starts_anew(
    watchlist, another_watchlist, gallery
):
    enrol(watchlist, "abc")
    follow(gallery, watchlist, FINGERPRINT)
    enrol(another_watchlist, "abcd")
    another_watchlist.past[1:3] = watchlist.past[1:3]
    follow(gallery, another_watchlist, FINGERPRINT)
    assert gallery.times_cleared == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.integers(0, 3)),
            st.tuples(st.just("withdraw"), st.integers(0, 99)),
            st.tuples(st.just("follow"), st.just(0)),
        ),
        max_size=40,
    )
)
def test_whatever_happens_the_gallery_ends_with_what_is_held(made, steps):
    watchlist, gallery = made()
    for number, (step, value) in enumerate(steps):
        if step == "put":
            watchlist.put(f"e{number}", modality=FINGERPRINT, count=value)
        elif step == "withdraw" and watchlist.held:
            watchlist.withdraw(sorted(watchlist.held)[value % len(watchlist.held)])
        elif step == "follow":
            follow(gallery, watchlist, FINGERPRINT)
    follow(gallery, watchlist, FINGERPRINT)
    assert gallery.numbers == set(watchlist.stored)
