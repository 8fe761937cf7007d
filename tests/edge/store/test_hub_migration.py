"""A hub's store of the version before keeps what it has received."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from edge.store import migrations
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_registry import StoredHubRegistry

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINCE = datetime(2026, 3, 1, 11, tzinfo=UTC)
LOG = "ab" * 16
OLD, NEW = "f" * 16, "0" * 16


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A store of schema 2: one stream with gaps, and a later one without."""
    steps = migrations._steps("hub")
    path = tmp_path / "hub.db"
    with monkeypatch.context() as before:
        before.setattr(migrations, "_steps", lambda _schema: steps[:2])
        database = open_database(path, "hub")
    with closing(database.conn) as connection:
        numbers = {OLD: (3, 4, 7), NEW: (1, 2)}
        for stream, sequences in numbers.items():
            for sequence in sequences:
                insert_holding(connection, stream, sequence)
        connection.execute(
            "insert into log_state values (1, ?, 0, x'', x'', 0, x'')", (LOG,)
        )
        connection.execute(
            "insert into streams values ('booth-1', ?, 0, 7, ?),"
            " ('booth-1', ?, 2, 2, null)",
            (OLD, SINCE.isoformat(), NEW),
        )
    return path


def insert_holding(connection, stream, sequence):
    name = f"{stream}-{sequence}"
    (number,) = connection.execute(
        "insert into messages (booth_id, stream, sequence, message_id, kind,"
        " created_at, received_at, is_historical, digest, signed)"
        " values ('booth-1', ?1, ?2, ?3, 'holding', ?4, ?4, 0, x'00', x'00')"
        " returning number",
        (stream, sequence, name, AT.isoformat()),
    ).fetchone()
    connection.execute(
        "insert into holdings values (?, 'booth-1', ?, ?, x'', x'', 0, ?)",
        (number, LOG, 100 + sequence, name),
    )
    connection.execute(
        "insert into link_states values ('booth-1', 'online', ?)"
        " on conflict do nothing",
        (AT.isoformat(),),
    )


def test_gaps_and_the_last_statement_are_found_in_what_was_received(path):
    database = open_database(path, "hub")
    with closing(database.conn):
        gaps = StoredHubMessages(database).gaps()
        assert [(g.stream, g.first, g.last, g.since) for g in gaps] == [
            (OLD, 1, 2, SINCE),
            (OLD, 5, 6, SINCE),
        ]
        (booth,) = StoredHubBooths(database).booths()
        assert (booth.held_sequence, booth.gaps) == (102, 4)


def test_a_booth_admitted_before_renewals_were_known_has_one_key(path):
    database = open_database(path, "hub")
    with closing(database.conn) as connection:
        connection.execute(
            "insert into registry (booth_id, signing, sealing, certificate,"
            " admitted_at, serial) values ('booth-1', x'01', x'02', x'', ?, 1)",
            (AT.isoformat(),),
        )
        booth = StoredHubRegistry(database).booth("booth-1")
    assert (booth.previous_signing, booth.previous_sealing) == (None, None)
