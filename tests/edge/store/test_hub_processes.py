"""Several processes on the hub's store, and one killed in the middle of its work."""

import hashlib
import pickle
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from edge.records.hits import encode_hit
from edge.records.hub_values import ReceivedContent, StoredOutcome
from edge.records.message_map import MessageMap
from edge.replication.chain import chain_step
from edge.replication.position import beginning
from edge.replication.set_digest import SetDigest, record_digest
from edge.store.audit import verify_audit
from edge.store.database import check_integrity, open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.trust.cose import sign
from edge.trust.keys import SigningKey

LOG = "ab" * 16
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey(bytes(32))
BATCH = 4

# Stores the batches it reads. The cache is small: what is not committed yet is in the
# file's log already when it stops in the middle.
ACCEPT = """
import pickle, sys
from datetime import UTC, datetime
from pathlib import Path
from edge.store import hub_messages
from edge.store.database import open_database
from edge.store.hub_messages import StoredHubMessages

path, stop_at = Path(sys.argv[1]), int(sys.argv[2])
inserted = 0

class Halting(StoredHubMessages):
    def _insert(self, *arguments):
        global inserted
        inserted += 1
        if inserted == stop_at:
            print("here", flush=True)
            sys.stdin.buffer.read()
        return super()._insert(*arguments)

database = open_database(path, "hub")
database.conn.execute("pragma cache_spill = 1")
database.conn.execute("pragma cache_size = 8")
messages = Halting(database)
at = datetime(2026, 3, 1, 12, tzinfo=UTC)
for _ in range(int(sys.argv[3])):
    messages.accept(pickle.load(sys.stdin.buffer), at=at)
    print("stored", flush=True)
"""

APPEND = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry

at = datetime(2026, 3, 1, 12, tzinfo=UTC)

def draft(name):
    return DraftChange(ChangeOperation.ADD, name, WatchlistEntry(
        entry_id=name, version=1, category="test", originator="north",
        handling_code="restricted", legal_basis="test act", instruction="Refer.",
        valid_from=at, expires_at=at + timedelta(days=30), name="Nobody"))

log = StoredHubLog(open_database(Path(sys.argv[1]), "hub"))
print("open", flush=True)
sys.stdin.read(1)
for number in range(int(sys.argv[3])):
    log.append([draft(f"{sys.argv[2]}-{number}")], at=at)
"""


class Body(MessageMap):
    type_name = "content"
    body: bytes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hub.db"


@pytest.fixture
def database(path):
    database = open_database(path, "hub")
    with closing(database.conn):
        StoredHubLog(database).begin_log(LOG, at=AT)
        yield database


def content(things, number):
    hit = things.hit(number)
    signed = sign(Body(body=encode_hit(hit)).encode(), KEY)
    return ReceivedContent(
        booth_id="booth-1",
        stream="0" * 16,
        sequence=number,
        message_id=hit.hit_id,
        kind="hit",
        created_at=AT,
        signed=signed,
        digest=hashlib.sha256(signed).digest(),
        hit=hit,
    )


@contextmanager
def running(script, *arguments):
    with subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def batches(things, count):
    return [
        [content(things, BATCH * n + i) for i in range(1, BATCH + 1)]
        for n in range(count)
    ]


def feed(process, made):
    for batch in made:
        pickle.dump(batch, process.stdin)
    process.stdin.flush()


@pytest.mark.parametrize("inserted", [1, 3, BATCH + 1, 2 * BATCH])
def test_killed_while_storing_only_whole_batches_are_there(
    database, path, things, inserted
):
    made, whole = batches(things, 3), (inserted - 1) // BATCH
    with running(ACCEPT, path, inserted, len(made)) as process:
        feed(process, made)
        told = [process.stdout.readline() for _ in range(whole + 1)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    check_integrity(database)
    messages = StoredHubMessages(database)
    assert told == [b"stored\n"] * whole + [b"here\n"]
    there = [stored.hit.hit_id for stored in messages.hits()]
    assert there == [item.message_id for batch in made[:whole] for item in batch]
    assert messages.gaps() == []

    again = [outcome for batch in made for outcome in messages.accept(batch, at=AT)]
    assert again == (
        [StoredOutcome.DUPLICATE] * (whole * BATCH)
        + [StoredOutcome.STORED] * ((len(made) - whole) * BATCH)
    )
    new = messages.take_new_hits(limit=99)
    assert [stored.sequence for stored in new] == list(range(1, len(made) * BATCH + 1))
    assert messages.take_new_hits(limit=99) == []


def test_killed_after_the_commit_a_repetition_is_known(database, path, things):
    made = batches(things, 1)
    with running(ACCEPT, path, 0, 2) as process:
        feed(process, made)
        assert process.stdout.readline() == b"stored\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    outcomes = StoredHubMessages(database).accept(made[0], at=AT)
    assert outcomes == [StoredOutcome.DUPLICATE] * BATCH


def test_people_publish_while_the_hub_stores_hits(database, path, things):
    count = 15
    messages = StoredHubMessages(database)
    with (
        running(APPEND, path, "north", count) as north,
        running(APPEND, path, "south", count) as south,
    ):
        for process in (north, south):
            assert process.stdout.readline() == b"open\n"
        for process in (north, south):
            process.stdin.write(b".")
            process.stdin.flush()
        for batch in batches(things, count):
            outcomes = messages.accept(batch, at=AT)
            assert outcomes == [StoredOutcome.STORED] * BATCH
            for stored in batch:
                messages.note_access(stored.message_id, actor="operator", at=AT)
        assert (north.wait(), south.wait()) == (0, 0)
    assert len(messages.hits()) == count * BATCH
    assert_sound(StoredHubLog(database), 2 * count)
    assert verify_audit(database) == 1 + 2 * count + count * BATCH


def assert_sound(log, count):
    chain, entries = beginning(LOG).chain, SetDigest()
    recorded = log.records_after(0, 1000)
    assert [item.change.sequence for item in recorded] == list(range(1, count + 1))
    for item in recorded:
        chain = chain_step(LOG, chain, item.record)
        entries.add(item.change.entry_id, record_digest(item.record))
    assert log.position().chain == chain
    assert log.position().digest == entries.digest()
    assert log.position().count == count


def test_a_reader_sees_whole_batches_while_another_stores(database, path, things):
    made = batches(things, 1)
    messages = StoredHubMessages(database)
    with running(ACCEPT, path, 3, 1) as process:
        feed(process, made)
        assert process.stdout.readline() == b"here\n"
        assert messages.hits() == []
        assert messages.gaps() == []
        process.stdin.close()
        assert process.stdout.readline() == b"stored\n"
    assert len(messages.hits()) == BATCH
