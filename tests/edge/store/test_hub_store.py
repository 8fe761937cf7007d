import sqlite3
from datetime import timedelta

import pytest

from edge.errors import StoreError, WatchlistError
from edge.store.hub import HubStore
from edge.terms import ChangeOperation

ADD, REPLACE = ChangeOperation.ADD, ChangeOperation.REPLACE
WITHDRAW = ChangeOperation.WITHDRAW


@pytest.fixture
def store(hub):
    return HubStore(hub)


def test_changes_are_numbered_without_gaps_and_read_back_in_pages(store, things):
    drafts = [things.draft(ADD, f"e{n}") for n in range(5)]
    assert [c.sequence for c in store.append(drafts, at=things.start)] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert store.head() == 5
    assert [c.sequence for c in store.changes_after(1, limit=2)] == [2, 3]
    assert [c.sequence for c in store.changes_after(3, limit=99)] == [4, 5]
    assert store.changes_after(5, limit=99) == []


@pytest.mark.parametrize(
    ("operation", "entry_id"), [(ADD, "e1"), (REPLACE, "e2"), (WITHDRAW, "e2")]
)
def test_a_senseless_change_takes_back_its_batch(store, things, operation, entry_id):
    store.append([things.draft(ADD, "e1")], at=things.start)
    batch = [things.draft(ADD, "e9"), things.draft(operation, entry_id)]
    with pytest.raises(WatchlistError, match=entry_id):
        store.append(batch, at=things.start)
    assert store.head() == 1
    (again,) = store.append([things.draft(ADD, "e9")], at=things.start)
    assert again.sequence == 2


def test_the_current_list_leaves_out_the_withdrawn(store, things):
    store.append([things.draft(ADD, "e1"), things.draft(ADD, "e2")], at=things.start)
    store.append([things.draft(REPLACE, "e2", version=2)], at=things.start)
    store.append([things.draft(WITHDRAW, "e1")], at=things.start)
    found = [(c.entry_id, c.entry.version) for c in store.current()]
    assert found == [("e2", 2)]
    store.append([things.draft(ADD, "e1", version=3)], at=things.start)
    assert [c.entry_id for c in store.current()] == ["e1", "e2"]


def test_the_log_cannot_be_changed_in_place(store, hub, things):
    store.append([things.draft(ADD, "e1")], at=things.start)
    for statement in (
        "update watchlist_log set entry_id = 'x'",
        "delete from watchlist_log",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            hub.conn.execute(statement)


def test_a_hit_is_new_once(store, things):
    hit = things.hit(1)
    options = {"message_id": "hit-1", "sequence": 1, "at": things.start}
    assert store.accept_hit(hit, **options) is True
    assert store.accept_hit(hit, **options) is False
    assert store.has_hit("hit-1")
    assert [received.hit for received in store.hits()] == [hit]


def test_two_booths_may_use_the_same_numbers(store, things):
    for number, booth_id in enumerate(("booth-1", "booth-2")):
        assert store.accept_hit(
            things.hit(number, booth_id=booth_id),
            message_id=f"hit-{number}",
            sequence=1,
            at=things.start,
        )
    assert len(store.hits()) == 2


def test_the_last_hits_come_oldest_first(store, things):
    for number in range(5):
        store.accept_hit(
            things.hit(number),
            message_id=f"hit-{number}",
            sequence=number,
            at=things.start + timedelta(seconds=number),
        )
    assert [r.hit.hit_id for r in store.hits(limit=2)] == ["hit-3", "hit-4"]


def test_a_hit_that_cannot_be_written_is_not_accepted(store, hub, things, breaking):
    breaking(hub, "hits")
    with pytest.raises(StoreError, match="disk trouble"):
        store.accept_hit(things.hit(1), message_id="hit-1", sequence=1, at=things.start)
    assert not store.has_hit("hit-1")


def test_booths_are_known_by_what_they_last_said(store, things):
    later = things.start + timedelta(minutes=1)
    store.booth_seen("booth-1", state="online", at=things.start)
    store.booth_cursor("booth-1", cursor=7, at=later)
    store.booth_seen("booth-1", state="offline", at=later)
    store.booth_cursor("booth-0", cursor=3, at=things.start)
    found = [(b.booth_id, b.state, b.cursor) for b in store.booths()]
    assert found == [("booth-0", "online", 3), ("booth-1", "offline", 7)]
