import numpy as np
import pytest
from hypothesis import strategies as st

from edge.errors import StoreError, WatchlistError
from edge.store.watchlist import BoothWatchlist
from edge.terms import ChangeOperation

ADD, REPLACE = ChangeOperation.ADD, ChangeOperation.REPLACE
WITHDRAW = ChangeOperation.WITHDRAW


@pytest.fixture
def watchlist(watchlist_store):
    return BoothWatchlist(watchlist_store)


def test_an_added_entry_is_there_with_its_references(watchlist, things):
    change = things.change(1, ADD, "e1", references=3)
    assert watchlist.apply([change]) == 1
    assert watchlist.entries() == [change.entry]
    assert watchlist.entry("e1") == change.entry
    assert watchlist.size() == (1, 3)
    for stored, given_one in zip(
        watchlist.references("e1"), change.references, strict=True
    ):
        assert stored.reference_id == given_one.reference_id
        assert np.array_equal(stored.template.vector, given_one.template.vector)


def test_a_replacement_leaves_no_old_reference(watchlist, things):
    watchlist.apply([things.change(1, ADD, "e1", references=3)])
    watchlist.apply([things.change(2, REPLACE, "e1", version=2, references=1)])
    assert watchlist.size() == (1, 1)
    assert watchlist.entry("e1").version == 2


def test_a_withdrawal_takes_the_references_along(watchlist, things):
    watchlist.apply([things.change(1, ADD, "e1"), things.change(2, WITHDRAW, "e1")])
    assert watchlist.size() == (0, 0)
    assert watchlist.entry("e1") is None
    assert watchlist.cursor() == 2


def test_changes_that_were_applied_are_skipped(watchlist, things):
    batch = [things.change(1, ADD, "e1"), things.change(2, ADD, "e2")]
    watchlist.apply(batch)
    revision = watchlist.revision()
    assert watchlist.apply(batch) == 2
    assert watchlist.revision() == revision
    assert watchlist.apply([*batch, things.change(3, WITHDRAW, "e1")]) == 3
    assert watchlist.revision() != revision


@pytest.mark.parametrize("sequences", [(2,), (1, 3), (1, 2, 4)])
def test_a_gap_is_refused_and_nothing_applied(watchlist, things, sequences):
    batch = [things.change(number, ADD, f"e{number}") for number in sequences]
    with pytest.raises(WatchlistError, match="missing"):
        watchlist.apply(batch)
    assert (watchlist.cursor(), watchlist.size()) == (0, (0, 0))


def test_a_write_that_fails_midway_applies_nothing(
    watchlist, things, watchlist_store, breaking
):
    watchlist.apply([things.change(1, ADD, "e1")])
    before = watchlist.revision()
    breaking(watchlist_store, "biometric_references")
    with pytest.raises(StoreError, match="disk trouble"):
        watchlist.apply([things.change(2, REPLACE, "e1"), things.change(3, ADD, "e2")])
    assert (watchlist.cursor(), watchlist.revision()) == (1, before)
    assert watchlist.size() == (1, 1)


def test_a_damaged_template_is_named(watchlist, things, watchlist_store):
    watchlist.apply([things.change(1, ADD, "e1")])
    watchlist_store.conn.execute("update biometric_references set template = x'00'")
    with pytest.raises(StoreError, match="e1-r1"):
        watchlist.references()


def test_a_local_change_leaves_the_hubs_cursor_alone(watchlist, things):
    watchlist.apply([things.change(1, ADD, "e1")])
    revision = watchlist.revision()
    watchlist.apply_local([things.draft(ADD, "local")], at=things.start)
    assert watchlist.cursor() == 1
    assert watchlist.revision() != revision
    assert watchlist.size() == (2, 2)


@pytest.mark.parametrize(
    ("operation", "entry_id"), [(ADD, "e1"), (REPLACE, "e2"), (WITHDRAW, "e2")]
)
def test_a_senseless_local_change_takes_back_the_whole_batch(
    watchlist, things, operation, entry_id
):
    watchlist.apply_local([things.draft(ADD, "e1")], at=things.start)
    batch = [things.draft(ADD, "e9"), things.draft(operation, entry_id)]
    with pytest.raises(WatchlistError, match=entry_id):
        watchlist.apply_local(batch, at=things.start)
    assert watchlist.size() == (1, 1)


STEPS = st.lists(
    st.tuples(st.sampled_from(ChangeOperation), st.sampled_from("abc")), max_size=15
)
