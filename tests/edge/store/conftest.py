"""A booth's and a hub's store in a folder of the test, and things to put into them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from edge.records.changes import decode_change, encode_change
from edge.replication.position import RecordedChange, advanced, beginning
from edge.replication.replica import AcceptedChanges
from edge.replication.set_digest import SetDigest, record_digest
from edge.store.database import open_database
from edge.terms import (
    Candidate,
    ChangeOperation,
    CheckRecord,
    ComparisonScore,
    DraftChange,
    Evidence,
    FaceTemplate,
    FingerPosition,
    Hit,
    Modality,
    Outcome,
    Reference,
    WatchlistEntry,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Things:
    """Makes what the stores hold."""

    start = START

    def entry(self, entry_id, *, version=1, name="Nobody"):
        return WatchlistEntry(
            entry_id=entry_id,
            version=version,
            category="test",
            originator="north office",
            handling_code="restricted",
            legal_basis="test act",
            instruction="Refer.",
            valid_from=START,
            expires_at=START + timedelta(days=30),
            name=name,
        )

    def reference(self, entry_id, number=1):
        vector = np.linspace(-1, 1, 128, dtype=np.float32) * number
        return Reference(
            reference_id=f"{entry_id}-r{number}",
            entry_id=entry_id,
            modality=Modality.FACE,
            position=FingerPosition.UNKNOWN,
            template=FaceTemplate("resnet", vector),
        )

    def draft(self, operation, entry_id, *, version=1, references=1):
        if operation is ChangeOperation.WITHDRAW:
            return DraftChange(operation, entry_id)
        return DraftChange(
            operation,
            entry_id,
            self.entry(entry_id, version=version),
            tuple(self.reference(entry_id, n + 1) for n in range(references)),
        )

    def change(self, sequence, operation, entry_id, **options):
        return self.draft(operation, entry_id, **options).at_sequence(sequence, START)

    def hit(self, number, *, booth_id="booth-1"):
        score = ComparisonScore(0.9, 1e-5)
        return Hit(
            hit_id=f"hit-{number}",
            check_id=f"check-{number}",
            booth_id=booth_id,
            occurred_at=START + timedelta(seconds=number),
            entry_id="e1",
            entry_version=1,
            candidates=(
                Candidate("e1", "e1-r1", Modality.FACE, FingerPosition.UNKNOWN, score),
            ),
            evidence=(
                Evidence(
                    Modality.FACE, FingerPosition.UNKNOWN, "image/png", b"\x89PNG"
                ),
            ),
        )

    def check(self, number, outcome=Outcome.REFER):
        return CheckRecord(
            check_id=f"check-{number}",
            started_at=START,
            finished_at=START + timedelta(seconds=number),
            outcome=outcome,
            attempts=2,
            reasons=("face: blurred",),
            duration_ms=1234,
        )


class Log:
    """A hub's log in memory: gives what the core of a booth would have accepted."""

    def __init__(self, things, name="ab" * 16):
        self.positions = [beginning(name)]
        self.changes = []
        self.current = {}
        self._things = things
        self._entries = SetDigest()

    @property
    def position(self):
        return self.positions[-1]

    def change(self, operation, entry_id, **options):
        sequence = self.position.sequence + 1
        made = self._things.change(sequence, operation, entry_id, **options)
        record = encode_change(made)
        recorded = RecordedChange(decode_change(record), record)
        old = self.current.pop(entry_id, None)
        replaced = None if old is None else record_digest(old.record)
        self.positions.append(
            advanced(self.position, self._entries, recorded, replaced)
        )
        if operation is not ChangeOperation.WITHDRAW:
            self.current[entry_id] = recorded
        self.changes.append(recorded)

    def add(self, *entry_ids, **options):
        for entry_id in entry_ids:
            self.change(ChangeOperation.ADD, entry_id, **options)

    def accepted(self, after=0, upto=None):
        upto = self.position.sequence if upto is None else upto
        return AcceptedChanges(
            self.positions[after],
            self.positions[upto],
            tuple(self.changes[after:upto]),
        )

    def records(self):
        """Return the records that made the entries as they stand."""
        return list(self.current.values())


@pytest.fixture
def things():
    return Things()


@pytest.fixture
def log(things):
    return Log(things)


@pytest.fixture(scope="session")
def log_class():
    return Log


@pytest.fixture
def other_log(things):
    return Log(things, "cd" * 16)


@pytest.fixture
def booth_path(tmp_path):
    return tmp_path / "booth.db"


@pytest.fixture
def booth(booth_path):
    database = open_database(booth_path, "booth")
    yield database
    database.conn.close()


@pytest.fixture
def watchlist_path(tmp_path):
    return tmp_path / "watchlist.db"


@pytest.fixture
def watchlist_store(watchlist_path):
    database = open_database(watchlist_path, "watchlist")
    yield database
    database.conn.close()


@pytest.fixture
def hub(tmp_path):
    database = open_database(tmp_path / "hub.db", "hub")
    yield database
    database.conn.close()


def refuse_inserts(database, table):
    """Make every insert into the table fail, as a damaged or full disk would."""
    database.conn.execute(
        f"create temp trigger broken before insert on {table}"
        " begin select raise(abort, 'disk trouble'); end"
    )


@pytest.fixture
def breaking():
    return refuse_inserts
