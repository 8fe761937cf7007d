import hashlib
import resource
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace

import cbor2
import pytest

from edge.errors import RefusalError, RefusalReason, StoreError
from edge.records.template import encode_template
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
def numbers(watchlist_store):
    return lambda: StoredReferences(watchlist_store).numbers(Modality.FACE)


def chunk_of(content):
    return hashlib.sha256(content).digest(), content


def files_of(path):
    return b"".join(p.read_bytes() for p in path.parent.rglob("*") if p.is_file())


def assert_refused(replica, log, records, reason=RefusalReason.MIXED, **fields):
    before = replica.position()
    position = replace(log.position, **fields)
    with pytest.raises(RefusalError) as refusal:
        replica.apply_snapshot(
            position, iter(records), at=log.changes[0].change.changed_at
        )
    assert refusal.value.reason is reason
    assert replica.position() == before


def test_a_snapshot_fills_an_empty_list(replica, log, things, watchlist_store):
    log.add("e1", "e2", "e3", references=2)
    log.change(WITHDRAW, "e2")
    gone = replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert gone == []
    assert replica.position() == log.position
    assert replica.verify() == 2
    assert BoothWatchlist(watchlist_store).size() == (2, 4)
    rows = watchlist_store.conn.execute("select action, subject from audit").fetchall()
    assert rows == [("watchlist snapshot", "4 2")]


def test_the_log_goes_on_after_a_snapshot(replica, log, things):
    log.add("e1", "e2")
    replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    log.change(WITHDRAW, "e1")
    log.add("e3")
    replica.apply(log.accepted(after=2), at=things.start)
    assert replica.position() == log.position
    assert replica.verify() == 2


def test_what_did_not_change_keeps_its_numbers(replica, log, things, numbers):
    log.add("same", "new", "gone", references=2)
    replica.apply(log.accepted(), at=things.start)
    assert numbers() == [1, 2, 3, 4, 5, 6]
    log.change(REPLACE, "new", version=2)
    log.change(WITHDRAW, "gone")
    log.add("more")
    gone = replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert gone == [(6, "gone")]
    assert replica.withdrawn(limit=9) == [(6, "gone")]
    assert numbers() == [1, 2, 7, 8]
    assert replica.verify() == 3


def test_the_same_snapshot_again_touches_nothing(replica, log, things, numbers):
    log.add("e1", "e2")
    replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    replica.apply_snapshot(log.position, iter(log.records()[::-1]), at=things.start)
    assert numbers() == [1, 2]
    assert replica.verify() == 2


def test_another_logs_snapshot_takes_the_place_of_all(replica, log, other_log, things):
    log.add("e1", "e2", "e3")
    replica.apply(log.accepted(), at=things.start)
    other_log.add("f1")
    assert (
        replica.apply_snapshot(
            other_log.position, iter(other_log.records()), at=things.start
        )
        == []
    )
    assert replica.position() == other_log.position
    assert replica.withdrawn(limit=9) == []


def test_an_older_snapshot_is_refused(replica, log, things):
    log.add("e1")
    old, records = log.position, log.records()
    log.add("e2")
    replica.apply(log.accepted(), at=things.start)
    with pytest.raises(RefusalError) as refusal:
        replica.apply_snapshot(old, iter(records), at=things.start)
    assert refusal.value.reason is RefusalReason.ROLLBACK
    assert replica.position() == log.position


def test_a_snapshot_whose_records_are_not_its_entries_changes_nothing(
    replica, log, things
):
    log.add("e1", "e2")
    replica.apply(log.accepted(), at=things.start)
    log.add("e3", "e4")
    log.change(WITHDRAW, "e4")
    records, withdrawal = log.records(), log.changes[-1]
    assert_refused(replica, log, records[:2])
    assert_refused(replica, log, [*records, log.changes[3]])
    assert_refused(replica, log, [*records[:2], records[0]])
    assert_refused(replica, log, [*records[:2], withdrawal])
    assert_refused(replica, log, [*records[:2], log.changes[3]])
    assert_refused(replica, log, records, digest=bytes(32))
    assert replica.verify() == 2
    replica.apply_snapshot(log.position, iter(records), at=things.start)
    assert replica.verify() == 3


def test_endless_records_are_not_taken(replica, log):
    log.add("e1")

    def endless():
        while True:
            log.add(f"x{log.position.sequence}")
            yield log.changes[-1]

    assert_refused(replica, log, endless())


def test_a_failing_source_changes_nothing_and_keeps_the_chunks(replica, log, things):
    log.add("e1", "e2")
    digest, data = chunk_of(b"one")
    replica.begin_snapshot(b"manifest", [digest])
    replica.add_chunk(digest, data)

    def records():
        yield log.records()[0]
        yield replica.chunk(bytes(32))

    with pytest.raises(StoreError, match="cannot read a staged chunk"):
        replica.apply_snapshot(log.position, records(), at=things.start)
    assert replica.position() is None
    assert replica.snapshot() == b"manifest"
    assert replica.missing_chunks([digest]) == []
    replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert replica.snapshot() is None
    assert replica.missing_chunks([digest]) == [digest]


def test_a_snapshot_leaves_nothing_of_what_it_removes(
    replica, log, things, watchlist_path
):
    log.add("e1", references=3)
    log.add("e2")
    replica.apply(log.accepted(), at=things.start)
    gone = encode_template(log.current["e1"].change.references[2].template)[20:-4]
    replica.scrub()
    assert gone in files_of(watchlist_path)
    log.change(WITHDRAW, "e1")
    replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert gone not in files_of(watchlist_path)


def test_chunks_are_collected_over_restarts(replica, watchlist_path):
    chunks = dict(map(chunk_of, (b"one", b"two", b"three")))
    one, two, three = chunks
    assert replica.missing_chunks([one, two]) == [one, two]
    replica.begin_snapshot(b"manifest", chunks)
    replica.add_chunk(two, b"two")
    database = open_database(watchlist_path, "watchlist")
    with closing(database.conn):
        again = StoredReplica(database)
        assert again.snapshot() == b"manifest"
        assert again.missing_chunks([three, two, one]) == [three, one]
        assert again.chunk(two) == b"two"
    folder = watchlist_path.with_name("watchlist.db-chunks")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}


def test_a_new_manifest_keeps_the_chunks_that_it_has_too(replica):
    chunks = dict(map(chunk_of, (b"one", b"two", b"three")))
    one, two, three = chunks
    replica.begin_snapshot(b"first", [one, two])
    replica.add_chunk(one, b"one")
    replica.add_chunk(two, b"two")
    replica.begin_snapshot(b"second", [two, three])
    assert replica.snapshot() == b"second"
    assert replica.missing_chunks([one, two, three]) == [one, three]
    replica.drop_snapshot()
    assert replica.snapshot() is None
    assert replica.missing_chunks([two]) == [two]


def test_a_chunk_that_is_not_what_it_is_called_is_refused(replica):
    replica.begin_snapshot(b"manifest", [])
    with pytest.raises(RefusalError) as refusal:
        replica.add_chunk(bytes(32), b"one")
    assert refusal.value.reason is RefusalReason.MIXED
    assert replica.missing_chunks([bytes(32)]) == [bytes(32)]


def test_a_chunk_damaged_on_the_disk_is_fetched_again(replica, watchlist_path):
    digest, data = chunk_of(b"one")
    replica.begin_snapshot(b"manifest", [digest])
    replica.add_chunk(digest, data)
    folder = watchlist_path.with_name("watchlist.db-chunks")
    (folder / digest.hex()).write_bytes(b"")
    with pytest.raises(StoreError, match="to be fetched again"):
        replica.chunk(digest)
    assert replica.missing_chunks([digest]) == [digest]


@contextmanager
def full_disk(limit):
    """Refuse to let any file grow beyond limit bytes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_chunk_that_does_not_fit_the_disk_is_not_there(replica):
    digest, data = chunk_of(bytes(4_000_000))
    replica.begin_snapshot(b"manifest", [digest])
    with full_disk(2_000_000), pytest.raises(StoreError, match="cannot write"):
        replica.add_chunk(digest, data)
    assert replica.missing_chunks([digest]) == [digest]
    replica.add_chunk(digest, data)
    assert replica.chunk(digest) == data


def test_a_snapshot_that_does_not_fit_the_disk_changes_nothing(
    replica, log, things, watchlist_store
):
    log.add("e1")
    replica.apply(log.accepted(), at=things.start)
    log.add(*(f"f{n}" for n in range(200)), references=9)
    (pages,) = watchlist_store.conn.execute("pragma page_count").fetchone()
    watchlist_store.conn.execute(f"pragma max_page_count = {pages + 5}")
    with pytest.raises(StoreError, match="full"):
        replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert replica.position() == log.positions[1]
    assert replica.verify() == 1
    watchlist_store.conn.execute("pragma max_page_count = 1000000")
    replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert replica.verify() == 201


def test_searches_and_checks_go_on_while_a_snapshot_is_applied(
    replica, log, things, booth, watchlist_path
):
    log.add("e1")
    replica.apply(log.accepted(), at=things.start)
    log.add("e2", "e3")
    reading = open_database(watchlist_path, "watchlist")

    def records():
        for number, recorded in enumerate(log.records()):
            CheckStore(booth).record(things.check(number), things.hit(number))
            assert BoothWatchlist(reading).size() == (1, 1)
            yield recorded

    with closing(reading.conn):
        replica.apply_snapshot(log.position, records(), at=things.start)
        assert BoothWatchlist(reading).size() == (3, 3)
    assert CheckStore(booth).counts() == {"refer": 3}


APPLY = """
import sys
from datetime import datetime, UTC
from pathlib import Path
import cbor2
from edge.replication.packing import changes_in
from edge.replication.position import LogPosition
from edge.store import replica as replica_module
from edge.store.database import open_database
from edge.store.replica import StoredReplica

path, where = Path(sys.argv[1]), sys.argv[2]

def stop():
    print("here", flush=True)
    sys.stdin.read()

class Halting(StoredReplica):
    def _clean_up(self, **keys):
        if where == "after":
            stop()

replica = Halting(open_database(path, "watchlist"))
fields, names = cbor2.loads(replica.snapshot())

def records():
    for number, name in enumerate(names):
        if where == str(number):
            stop()
        yield from changes_in(cbor2.loads(replica.chunk(name)))
    if where == "end":
        stop()

at = datetime(2026, 3, 1, tzinfo=UTC)
replica.apply_snapshot(LogPosition(*fields), records(), at=at)
"""


def staged(replica, log):
    """Put the log's state into chunks of seven entries each."""
    records = [recorded.record for recorded in log.records()]
    parts = [cbor2.dumps(records[i : i + 7]) for i in range(0, len(records), 7)]
    chunks = dict(map(chunk_of, parts))
    p = log.position
    fields = [p.log, p.sequence, p.chain, p.digest, p.count]
    replica.begin_snapshot(cbor2.dumps([fields, list(chunks)]), chunks)
    for digest, data in chunks.items():
        replica.add_chunk(digest, data)
    return list(chunks)


def kill_while_applying(path, where):
    with subprocess.Popen(
        [sys.executable, "-c", APPLY, str(path), where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("where", ["0", "3", "end"])
def test_killed_before_the_commit_nothing_has_changed_and_all_is_still_there(
    replica, log, things, watchlist_path, where
):
    log.add("old", references=2)
    replica.apply(log.accepted(), at=things.start)
    log.change(WITHDRAW, "old")
    log.add(*(f"e{n}" for n in range(40)), references=2)
    digests = staged(replica, log)
    kill_while_applying(watchlist_path, where)
    assert replica.position() == log.positions[1]
    assert replica.verify() == 1
    assert replica.missing_chunks(digests) == []
    assert replica.snapshot() is not None
    gone = replica.apply_snapshot(log.position, iter(log.records()), at=things.start)
    assert gone == [(log.position.sequence, "old")]
    assert replica.verify() == 40


def test_killed_after_the_commit_the_receipt_and_the_cleaning_are_not_forgotten(
    replica, log, things, watchlist_path
):
    log.add("old")
    replica.apply(log.accepted(), at=things.start)
    log.change(WITHDRAW, "old")
    log.add(*(f"e{n}" for n in range(10)))
    digests = staged(replica, log)
    kill_while_applying(watchlist_path, "after")
    assert replica.position() == log.position
    assert replica.snapshot() is None
    assert replica.withdrawn(limit=9) == [(log.position.sequence, "old")]
    end = log.position.sequence
    log.change(WITHDRAW, "e1")
    replica.apply(log.accepted(after=end), at=things.start)
    assert replica.missing_chunks(digests) == digests
    assert replica.verify() == 9
