import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.records.template import encode_template
from edge.store import references as references_module
from edge.store.database import open_database
from edge.store.migrations import APPLICATION_IDS
from edge.store.references import StoredReferences
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist
from edge.terms import ChangeOperation, Modality

ADD, REPLACE = ChangeOperation.ADD, ChangeOperation.REPLACE
WITHDRAW = ChangeOperation.WITHDRAW
FACE, FINGERPRINT = Modality.FACE, Modality.FINGERPRINT


@pytest.fixture
def watchlist(watchlist_store):
    return BoothWatchlist(watchlist_store)


@pytest.fixture
def change(watchlist, things):
    """Apply drafts as one batch made on this machine."""
    return lambda *drafts: watchlist.apply_local(drafts, at=things.start)


@pytest.fixture
def references(watchlist_store):
    return StoredReferences(watchlist_store)


def held(references, after=0, to=1 << 40):
    found = references.added(FACE, after=after, to=to)
    return [(item.number, item.reference.reference_id) for item in found]


def test_references_are_numbered_in_the_order_in_which_they_came(
    change, references, things
):
    change(things.draft(ADD, "z", references=2))
    change(things.draft(ADD, "a", references=2))
    assert held(references) == [(1, "z-r1"), (2, "z-r2"), (3, "a-r1"), (4, "a-r2")]
    assert held(references, after=1, to=3) == [(2, "z-r2"), (3, "a-r1")]
    assert references.numbers(FACE) == [1, 2, 3, 4]
    assert list(references.added(FINGERPRINT, after=0, to=9)) == []
    assert references.numbers(FINGERPRINT) == []


def test_what_is_removed_here_is_told_in_its_order(change, references, things):
    change(*(things.draft(ADD, f"e{n}", references=2) for n in (1, 2, 3)))
    change(things.draft(WITHDRAW, "e3"))
    change(things.draft(REPLACE, "e1"))
    change(things.draft(WITHDRAW, "e2"))
    assert references.removed(after=0, to=99) == [5, 6, 1, 2, 3, 4]
    assert references.removed(after=2, to=4) == [1, 2]
    assert held(references) == [(7, "e1-r1")]
    assert references.tally(FACE) == (1, 7)
    assert references.tally(FINGERPRINT) == (0, 0)


def test_what_the_hub_removes_is_told_in_its_order(
    change, references, things, log, watchlist_store
):
    change(things.draft(ADD, "own", references=2))
    replica = StoredReplica(watchlist_store)
    log.add("e1", "e2", "e3", references=2)
    replica.apply(log.accepted(), at=things.start)
    assert references.removed(after=0, to=99) == [1, 2]
    log.change(WITHDRAW, "e3")
    log.change(REPLACE, "e1")
    replica.apply(log.accepted(after=3), at=things.start)
    assert references.removed(after=2, to=99) == [7, 8, 3, 4]
    assert held(references) == [(5, "e2-r1"), (6, "e2-r2"), (9, "e1-r1")]
    assert references.tally(FACE) == (3, 9)


def test_a_number_never_comes_twice(change, references, things):
    change(things.draft(ADD, "e1", references=3))
    change(things.draft(WITHDRAW, "e1"), things.draft(ADD, "e2"))
    assert held(references) == [(4, "e2-r1")]


def test_a_reference_is_there_by_its_number_until_it_is_removed(
    change, references, things
):
    change(things.draft(ADD, "e1"))
    assert references.reference(1).entry_id == "e1"
    change(things.draft(WITHDRAW, "e1"))
    assert references.reference(1) is None


def test_many_are_read_in_parts(change, references, things, monkeypatch):
    monkeypatch.setattr(references_module, "_BATCH", 2)
    change(*(things.draft(ADD, f"e{n}") for n in range(1, 6)))
    found = references.added(FACE, after=0, to=9)
    assert next(found).number == 1
    change(things.draft(WITHDRAW, "e4"))
    assert [item.number for item in found] == [2, 3, 5]


def test_a_damaged_template_is_named_by_every_way_to_it(
    change, references, things, watchlist_store
):
    change(things.draft(ADD, "e1"))
    watchlist_store.conn.execute("update biometric_references set template = x'00'")
    with pytest.raises(StoreError, match="e1-r1"):
        references.reference(1)
    with pytest.raises(StoreError, match="e1-r1"):
        held(references)


def test_every_change_moves_the_state_forward(change, references, things):
    states = [references.state()]
    for draft in (
        things.draft(ADD, "e1", references=2),
        things.draft(ADD, "e2", references=0),
        things.draft(WITHDRAW, "e1"),
    ):
        change(draft)
        states.append(references.state())
    assert [(s.revision, s.last_number, s.last_removal) for s in states] == [
        (0, 0, 0),
        (1, 2, 0),
        (2, 2, 0),
        (3, 2, 2),
    ]
    assert len({s.audit_hash for s in states}) == 4
    assert all(references.has_been_in(state) for state in states)


def test_a_state_of_another_past_is_no_state_of_this_store(change, references, things):
    change(things.draft(ADD, "e1"))
    state = references.state()
    assert not references.has_been_in(replace(state, audit_hash="00"))
    assert not references.has_been_in(replace(state, audit_number=2))
    assert not references.has_been_in(replace(state, audit_number=0))


def test_a_restored_backup_that_went_on_otherwise_has_not_been_in_the_lost_state(
    change, watchlist_store, things, tmp_path
):
    change(things.draft(ADD, "e1"))
    copy = tmp_path / "copy.db"
    watchlist_store.conn.execute("vacuum into ?", (str(copy),))
    common = StoredReferences(watchlist_store).state()
    change(things.draft(ADD, "e2"))
    lost = StoredReferences(watchlist_store).state()
    restored = open_database(copy, "watchlist")
    with closing(restored.conn):
        other = BoothWatchlist(restored)
        other.apply_local([things.draft(ADD, "e3")], at=things.start)
        assert StoredReferences(restored).has_been_in(common)
        assert not StoredReferences(restored).has_been_in(lost)


@pytest.mark.parametrize(
    ("begins_h", "ends_h", "counted"),
    [(0, None, 1), (-1, 1, 1), (1, None, 0), (-2, -1, 0), (-1, 0, 0), (0, 1, 1)],
)
def test_valid_entries_are_counted_at_an_instant(
    watchlist, things, begins_h, ends_h, counted
):
    draft = things.draft(ADD, "e1")
    there = timezone(timedelta(hours=9))
    at = things.start + timedelta(milliseconds=500)
    begins = (at + timedelta(hours=begins_h)).astimezone(there)
    ends = None if ends_h is None else (at + timedelta(hours=ends_h)).astimezone(there)
    entry = replace(draft.entry, valid_from=begins, expires_at=ends)
    watchlist.apply_local([replace(draft, entry=entry)], at=at)
    assert watchlist.count_valid(at) == counted
    assert watchlist.entry("e1").valid_from.astimezone(UTC) == begins


def follow(references, followed, reached):
    """Add to the numbers what came since a state, take away what went."""
    state = references.state()
    added = references.added(FACE, after=reached.last_number, to=state.last_number)
    followed |= {item.number for item in added}
    followed -= set(
        references.removed(after=reached.last_removal, to=state.last_removal)
    )
    return state


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(ChangeOperation), st.sampled_from("abc")), max_size=25
    ),
    cuts=st.sets(st.integers(0, 12)),
)
def test_who_follows_the_changes_holds_what_the_store_holds(
    things, log_class, tmp_path_factory, steps, cuts
):
    database = open_database(
        tmp_path_factory.mktemp("store") / "watchlist.db", "watchlist"
    )
    replica, references = StoredReplica(database), StoredReferences(database)
    log, followed, reached = log_class(things), set(), references.state()
    for operation, entry_id in steps:
        if (operation is ADD) == (entry_id in log.current):
            continue
        number = log.position.sequence
        log.change(operation, entry_id, references=number % 3)
        replica.apply(log.accepted(after=number), at=things.start)
        if number not in cuts:
            reached = follow(references, followed, reached)
    follow(references, followed, reached)
    assert sorted(followed) == references.numbers(FACE)
    database.conn.close()


def first_schema(path, things):
    """Make a store as the first schema had it, with two entries."""
    script = resources.files("edge.store") / "schema" / "booth" / "0001_initial.sql"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script.read_text("utf-8"))
        connection.execute(f"pragma application_id = {APPLICATION_IDS['booth']}")
        connection.execute("pragma user_version = 1")
        for entry_id in ("b", "a"):
            begins = datetime(2026, 3, 1, tzinfo=UTC).isoformat()
            connection.execute(
                "insert into entries values (?, 1, null, 'c', 'o', 'h', 'l', 'i', ?,"
                " null)",
                (entry_id, begins),
            )
            for number in (1, 2):
                reference = things.reference(entry_id, number)
                connection.execute(
                    "insert into biometric_references values (?, ?, ?, ?, ?)",
                    (
                        reference.reference_id,
                        entry_id,
                        str(reference.modality),
                        int(reference.position),
                        encode_template(reference.template),
                    ),
                )
        connection.commit()


def test_a_booth_store_of_the_first_schema_gives_up_its_watchlist(booth_path, things):
    first_schema(booth_path, things)
    database = open_database(booth_path, "booth")
    with closing(database.conn):
        tables = set(database.table_names())
        assert "hits" in tables
        assert not {"entries", "biometric_references", "watchlist_state"} & tables
        database.conn.execute("pragma wal_checkpoint(truncate)")
    vector = encode_template(things.reference("a", 1).template)[20:-4]
    assert vector not in booth_path.read_bytes()


def test_numbers_lead_to_entries_and_back(change, references, things, monkeypatch):
    monkeypatch.setattr("edge.store.references._MOST_MARKS", 2)
    change(*(things.draft(ADD, entry_id, references=2) for entry_id in "ab"))
    numbers = references.numbers(FACE)
    owners = references.owners([*numbers, 10_000])
    assert list(owners) == numbers
    assert owners[3] == ("b", "b-r1")
    assert references.numbers_of(FACE, ["b", "c", "a"]) == numbers
    assert references.numbers_of(FACE, ["b"]) == [3, 4]
    assert references.numbers_of(FINGERPRINT, ["a"]) == []
