from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import RefusalError, RefusalReason, StoreError, WatchlistError
from edge.records.changes import decode_change
from edge.records.template import encode_template
from edge.replication.position import RecordedChange, advanced, beginning
from edge.replication.replica import AcceptedChanges
from edge.replication.set_digest import SetDigest
from edge.store.audit import verify_audit
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.references import StoredReferences
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist
from edge.terms import ChangeOperation, Modality

ADD, REPLACE = ChangeOperation.ADD, ChangeOperation.REPLACE
WITHDRAW = ChangeOperation.WITHDRAW


@pytest.fixture
def replica(watchlist_store):
    return StoredReplica(watchlist_store)


@pytest.fixture
def watchlist(watchlist_store):
    return BoothWatchlist(watchlist_store)


def audited(database):
    rows = database.conn.execute("select action, subject from audit order by number")
    return rows.fetchall()


def test_a_new_list_is_nobodys_and_may_be_changed_here(replica, watchlist, things):
    assert replica.position() is None
    assert replica.verify() is None
    watchlist.apply_local([things.draft(ADD, "own")], at=things.start)
    assert replica.position() is None


def test_applied_changes_are_there_with_the_position_they_lead_to(
    replica, watchlist, log, things, watchlist_store
):
    log.add("e1", "e2", references=2)
    log.change(REPLACE, "e1", version=2, references=1)
    assert replica.apply(log.accepted(), at=things.start) == []
    assert replica.position() == log.position
    assert watchlist.entries() == [log.current[e].change.entry for e in ("e1", "e2")]
    assert watchlist.size() == (2, 3)
    assert watchlist.cursor() == 3
    assert replica.verify() == 2
    assert audited(watchlist_store) == [
        ("watchlist add", "1 e1"),
        ("watchlist add", "2 e2"),
        ("watchlist replace", "3 e1"),
    ]
    assert verify_audit(watchlist_store) == 3


def test_the_position_is_there_after_a_restart(replica, log, things, watchlist_path):
    log.add("e1", "e2")
    replica.apply(log.accepted(upto=1), at=things.start)
    database = open_database(watchlist_path, "watchlist")
    with closing(database.conn):
        other = StoredReplica(database)
        assert other.position() == log.positions[1]
        other.apply(log.accepted(after=1), at=things.start)
    assert replica.position() == log.position


def test_a_withdrawal_is_told_until_it_is_receipted(replica, log, things):
    log.add("e1", "e2", "e3")
    log.change(WITHDRAW, "e2")
    log.change(WITHDRAW, "e1")
    assert replica.apply(log.accepted(), at=things.start) == [(4, "e2"), (5, "e1")]
    assert replica.withdrawn(limit=1) == [(4, "e2")]
    replica.receipted([(4, "e2")])
    assert replica.withdrawn(limit=9) == [(5, "e1")]


def test_changes_that_lead_elsewhere_change_nothing(
    replica, watchlist, log, things, watchlist_store
):
    log.add("e1", "e2", "e3")
    replica.apply(log.accepted(upto=1), at=things.start)
    honest = log.accepted(after=1)
    for after in (
        replace(honest.after, digest=bytes(32)),
        replace(honest.after, count=9),
        replace(honest.after, chain=bytes(32)),
        replace(honest.after, sequence=4),
    ):
        with pytest.raises(RefusalError) as refusal:
            replica.apply(replace(honest, after=after), at=things.start)
        assert refusal.value.reason is RefusalReason.MIXED
    assert replica.position() == log.positions[1]
    assert watchlist.size() == (1, 1)
    assert len(audited(watchlist_store)) == 1
    replica.apply(honest, at=things.start)


@pytest.mark.parametrize(("after", "upto"), [(0, 1), (2, 3), (0, 3)])
def test_changes_that_begin_elsewhere_are_refused(replica, log, things, after, upto):
    log.add("e1", "e2", "e3")
    replica.apply(log.accepted(upto=1), at=things.start)
    with pytest.raises(WatchlistError, match="the list stands at 1"):
        replica.apply(log.accepted(after, upto), at=things.start)
    assert replica.position() == log.positions[1]


def test_the_list_of_this_machine_gives_way_to_the_hubs_and_is_then_the_hubs(
    replica, watchlist, log, things, watchlist_store
):
    watchlist.apply_local([things.draft(ADD, "own")], at=things.start)
    log.add("e1")
    replica.apply(log.accepted(), at=things.start)
    assert [e.entry_id for e in watchlist.entries()] == ["e1"]
    assert ("watchlist emptied", "1 entries of this machine") in audited(
        watchlist_store
    )
    with pytest.raises(WatchlistError, match="is the hub's"):
        watchlist.apply_local([things.draft(ADD, "own")], at=things.start)


def test_the_list_of_another_log_gives_way(replica, log, other_log, things):
    log.add("e1", "e2")
    log.change(WITHDRAW, "e2")
    replica.apply(log.accepted(), at=things.start)
    other_log.add("f1")
    assert replica.apply(other_log.accepted(), at=things.start) == []
    assert replica.position() == other_log.position
    assert replica.withdrawn(limit=9) == []
    assert replica.verify() == 1


def test_an_empty_log_makes_the_list_the_hubs(replica, watchlist, log, things):
    watchlist.apply_local([things.draft(ADD, "own")], at=things.start)
    replica.apply(log.accepted(), at=things.start)
    assert replica.position() == log.position
    assert watchlist.size() == (0, 0)


def test_nothing_new_moves_nothing(replica, log, things, watchlist_store):
    log.add("e1")
    replica.apply(log.accepted(), at=things.start)
    state = StoredReferences(watchlist_store).state()
    replica.apply(log.accepted(after=1), at=things.start)
    assert StoredReferences(watchlist_store).state() == state


def test_a_write_that_fails_midway_applies_nothing(
    replica, watchlist, log, things, watchlist_store, breaking
):
    log.add("e1", "e2")
    replica.apply(log.accepted(upto=1), at=things.start)
    breaking(watchlist_store, "biometric_references")
    with pytest.raises(StoreError, match="disk trouble"):
        replica.apply(log.accepted(after=1), at=things.start)
    assert replica.position() == log.positions[1]
    assert watchlist.size() == (1, 1)
    assert replica.verify() == 1


def test_a_full_disk_stops_the_changes_and_not_the_store(
    replica, log, things, watchlist_store
):
    log.add("e1")
    replica.apply(log.accepted(), at=things.start)
    log.add(*(f"f{n}" for n in range(100)), references=9)
    (pages,) = watchlist_store.conn.execute("pragma page_count").fetchone()
    watchlist_store.conn.execute(f"pragma max_page_count = {pages + 5}")
    with pytest.raises(StoreError, match="full"):
        replica.apply(log.accepted(after=1), at=things.start)
    assert replica.position() == log.positions[1]
    watchlist_store.conn.execute("pragma max_page_count = 1000000")
    replica.apply(log.accepted(after=1), at=things.start)
    assert replica.verify() == 101


def files_of(path):
    return b"".join(p.read_bytes() for p in path.parent.rglob("*") if p.is_file())


@pytest.mark.parametrize("how", [WITHDRAW, REPLACE])
def test_what_is_taken_away_is_in_no_file_any_more(
    replica, log, things, watchlist_path, how
):
    log.add("e1", references=3)
    log.add("e2")
    replica.apply(log.accepted(), at=things.start)
    gone = encode_template(log.current["e1"].change.references[2].template)[20:-4]
    assert gone in files_of(watchlist_path)
    log.change(how, "e1", references=1)
    replica.apply(log.accepted(after=2), at=things.start)
    assert gone not in files_of(watchlist_path)


def test_a_reader_delays_the_cleaning_and_nothing_else(
    replica, log, things, watchlist_path, monkeypatch
):
    monkeypatch.setattr("edge.store.replica.SCRUB_WAIT_MS", 1)
    log.add("e1")
    replica.apply(log.accepted(), at=things.start)
    with closing(open_database(watchlist_path, "watchlist").conn) as reader:
        reader.execute("begin")
        assert reader.execute("select count(*) from entries").fetchone() == (1,)
        log.change(WITHDRAW, "e1")
        assert replica.apply(log.accepted(after=1), at=things.start) == [(2, "e1")]
        assert not replica.scrub()
        assert reader.execute("select count(*) from entries").fetchone() == (1,)
        reader.execute("rollback")
    assert replica.scrub()
    (wait_ms,) = replica._database.conn.execute("pragma busy_timeout").fetchone()
    assert wait_ms == 15_000


def test_a_check_is_recorded_while_changes_are_being_applied(
    replica, log, things, booth
):
    log.add("e1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "edge.store.replica.write_state",
            lambda *_: CheckStore(booth).record(things.check(1), things.hit(1)),
        )
        replica.apply(log.accepted(), at=things.start)
    assert CheckStore(booth).counts() == {"refer": 1}


def test_a_document_is_kept_as_it_was_saved_last(replica):
    assert replica.document("head") is None
    replica.save_document("head", b"one")
    replica.save_document("grant", b"two")
    replica.save_document("head", b"three")
    assert (replica.document("head"), replica.document("grant")) == (b"three", b"two")


def test_trusted_time_never_goes_back(replica, things):
    assert replica.latest_trusted_at() is None
    times = [things.start, things.start.replace(microsecond=5), things.start]
    for at in times:
        replica.save_latest_trusted_at(at)
    assert replica.latest_trusted_at() == times[1]


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set instruction = 'Let pass.' where entry_id = 'e2'",
        "update entries set sequence = 7 where entry_id = 'e2'",
        "update entries set changed_at = 'never' where entry_id = 'e2'",
        "update entries set operation = 'bless' where entry_id = 'e2'",
        "update entries set record_digest = zeroblob(32) where entry_id = 'e2'",
        "update biometric_references set template = x'00' where entry_id = 'e2'",
        "update biometric_references set position = 3 where entry_id = 'e2'",
        "delete from biometric_references where entry_id = 'e2'",
    ],
)
def test_an_entry_that_was_changed_behind_the_hub_is_named(
    replica, log, things, watchlist_store, statement
):
    log.add("e1", "e2", "e3", references=2)
    replica.apply(log.accepted(), at=things.start)
    assert replica.verify() == 3
    watchlist_store.conn.execute(statement)
    with pytest.raises(StoreError, match="entry e2 is not what the hub published"):
        replica.verify()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from entries where entry_id = 'e2'",
        "update watchlist_state set digest_state = zeroblob(2048)",
        "update watchlist_state set count = 4",
        "update watchlist_state set digest = zeroblob(32)",
    ],
)
def test_a_list_that_is_not_the_one_of_its_position_is_told(
    replica, log, things, watchlist_store, statement
):
    log.add("e1", "e2", "e3")
    replica.apply(log.accepted(), at=things.start)
    watchlist_store.conn.execute(statement)
    with pytest.raises(StoreError, match="entries that are not the"):
        replica.verify()


def test_a_record_in_another_spelling_is_applied_and_sound(
    replica, watchlist_store, log, things
):
    log.add("e1")
    plain = log.changes[0].record
    start = things.start.isoformat().encode()
    local = start.replace(b"+00:00", b"-00:00")
    record = plain.replace(start, local)
    assert record != plain
    recorded = RecordedChange(decode_change(record), record)
    before = beginning(log.position.log)
    after = advanced(before, SetDigest(), recorded, None)
    replica.apply(AcceptedChanges(before, after, (recorded,)), at=things.start)
    assert replica.verify() == 1
    watchlist_store.conn.execute("update entries set name = 'Somebody'")
    with pytest.raises(StoreError, match="entry e1"):
        replica.verify()


def test_a_quick_look_sums_all_and_reads_some(replica, log, things, watchlist_store):
    log.add(*(f"e{n}" for n in range(10)))
    replica.apply(log.accepted(), at=things.start)
    assert replica.verify(every=3) == 10
    watchlist_store.conn.execute("update entries set name = 'Somebody'")
    with pytest.raises(StoreError, match="is not what the hub published"):
        replica.verify(every=3)
    watchlist_store.conn.execute(
        "update entries set record_digest = null where entry_id = 'e4'"
    )
    with pytest.raises(StoreError):
        replica.verify(every=10)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(ChangeOperation), st.sampled_from("abcd"), st.integers(0, 3)
    ),
    max_size=25,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, cuts=st.lists(st.integers(1, 6), min_size=1, max_size=10))
def test_batches_of_any_size_end_at_the_hubs_state(
    things, log_class, tmp_path_factory, steps, cuts
):
    path = tmp_path_factory.mktemp("store") / "watchlist.db"
    log, database = log_class(things), open_database(path, "watchlist")
    replica = StoredReplica(database)
    for operation, entry_id, references in steps:
        if (operation is ADD) == (entry_id in log.current):
            continue
        log.change(operation, entry_id, references=references)
    end, at, turn = log.position.sequence, 0, 0
    while at < end or turn == 0:
        upto = min(end, at + cuts[turn % len(cuts)])
        replica.apply(log.accepted(at, upto), at=things.start)
        at, turn = upto, turn + 1
    assert replica.position() == log.position
    assert replica.verify() == len(log.current)
    wanted = sorted(r.reference_id for c in log.records() for r in c.change.references)
    numbered = StoredReferences(database)
    held = numbered.added(Modality.FACE, after=0, to=1 << 40)
    assert sorted(item.reference.reference_id for item in held) == wanted
    for change in log.records():
        for given_one in change.change.references:
            (stored,) = (
                r
                for r in BoothWatchlist(database).references(change.change.entry_id)
                if r.reference_id == given_one.reference_id
            )
            assert np.array_equal(stored.template.vector, given_one.template.vector)
    database.conn.close()
