import numpy as np
import pytest

from edge.errors import StoreError, WatchlistError
from edge.store.audit import verify_audit
from edge.store.references import StoredReferences
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist
from edge.terms import ChangeOperation

ADD, REPLACE = ChangeOperation.ADD, ChangeOperation.REPLACE
WITHDRAW = ChangeOperation.WITHDRAW


@pytest.fixture
def watchlist(watchlist_store):
    return BoothWatchlist(watchlist_store)


@pytest.fixture
def change(watchlist, things):
    """Apply drafts as one batch made on this machine."""
    return lambda *drafts: watchlist.apply_local(drafts, at=things.start)


def test_an_added_entry_is_there_with_its_references(watchlist, change, things):
    draft = things.draft(ADD, "e1", references=3)
    change(draft)
    assert watchlist.entries() == [draft.entry]
    assert watchlist.entry("e1") == draft.entry
    assert watchlist.size() == (1, 3)
    for stored, given_one in zip(
        watchlist.references("e1"), draft.references, strict=True
    ):
        assert stored.reference_id == given_one.reference_id
        assert np.array_equal(stored.template.vector, given_one.template.vector)


def test_a_replacement_leaves_no_old_reference(watchlist, change, things):
    change(things.draft(ADD, "e1", references=3))
    change(things.draft(REPLACE, "e1", version=2, references=1))
    assert watchlist.size() == (1, 1)
    assert watchlist.entry("e1").version == 2


def test_a_withdrawal_takes_the_references_along(watchlist, change, things):
    change(things.draft(ADD, "e1"), things.draft(WITHDRAW, "e1"))
    assert watchlist.size() == (0, 0)
    assert watchlist.entry("e1") is None


def test_a_write_that_fails_midway_applies_nothing(
    watchlist, change, things, watchlist_store, breaking
):
    change(things.draft(ADD, "e1"))
    before = StoredReferences(watchlist_store).state()
    breaking(watchlist_store, "biometric_references")
    with pytest.raises(StoreError, match="disk trouble"):
        change(things.draft(REPLACE, "e1"), things.draft(ADD, "e2"))
    assert StoredReferences(watchlist_store).state() == before
    assert watchlist.size() == (1, 1)


def test_a_damaged_template_is_named(watchlist, change, things, watchlist_store):
    change(things.draft(ADD, "e1"))
    watchlist_store.conn.execute("update biometric_references set template = x'00'")
    with pytest.raises(StoreError, match="e1-r1"):
        watchlist.references()


def test_a_local_change_is_audited_and_is_in_no_hubs_log(
    watchlist, change, things, watchlist_store
):
    change(things.draft(ADD, "e1"), things.draft(REPLACE, "e1"))
    rows = watchlist_store.conn.execute("select actor, action, subject from audit")
    assert rows.fetchall() == [
        ("local", "watchlist add", "0 e1"),
        ("local", "watchlist replace", "0 e1"),
    ]
    assert verify_audit(watchlist_store) == 2
    assert watchlist.cursor() == 0
    assert StoredReplica(watchlist_store).position() is None


def test_a_list_of_the_hub_is_read_here_and_changed_there(
    watchlist, change, things, log, watchlist_store
):
    log.add("e1", "e2")
    StoredReplica(watchlist_store).apply(log.accepted(), at=things.start)
    for draft in (things.draft(ADD, "own"), things.draft(WITHDRAW, "e1")):
        with pytest.raises(WatchlistError, match="at the hub"):
            change(draft)
    assert watchlist.size() == (2, 2)
    assert watchlist.cursor() == 2


@pytest.mark.parametrize(
    ("operation", "entry_id"), [(ADD, "e1"), (REPLACE, "e2"), (WITHDRAW, "e2")]
)
def test_a_senseless_local_change_takes_back_the_whole_batch(
    watchlist, change, things, operation, entry_id
):
    change(things.draft(ADD, "e1"))
    with pytest.raises(WatchlistError, match=entry_id):
        change(things.draft(ADD, "e9"), things.draft(operation, entry_id))
    assert watchlist.size() == (1, 1)
