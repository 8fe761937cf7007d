"""Is a booth's watchlist still what the hub's log made of it? Nothing is changed."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from edge.errors import StoreError
from edge.records.changes import StoredReference
from edge.replication.set_digest import SetDigest
from edge.store.database import mapped_errors
from edge.store.entry_rows import (
    ENTRY_COLUMNS,
    RECORD_COLUMNS,
    entry_of_row,
    record_of_row,
)
from edge.store.held_state import read_state

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    import sqlite_utils

_BATCH = 1000
_ENTRY_WIDTH = ENTRY_COLUMNS.count(",") + 1
_DIGEST_COLUMN = _ENTRY_WIDTH + 3
_REFERENCES = (
    "select reference_id, modality, position, template from biometric_references"
    " where entry_id = ? order by number"
)


def verify_entries(database: sqlite_utils.Database, *, every: int = 1) -> int | None:
    """Read the whole list and return the number of entries, None if not the hub's.

    every: look into one of so many entries only; which, is left to chance.

    Compared is: for every entry looked into, SHA-256 of the record that its rows give,
    encoded anew, with the digest noted when the entry was applied; the sum over the
    digests of the hub's records with the sum that each change has brought forward; the
    digest of that and the number of entries with the position. A record that the hub
    wrote in another spelling than this software is compared with what its rows gave at
    first.

    Raises:
        StoreError: something differs; names the first entry.
    """
    connection: sqlite3.Connection = database.conn
    with mapped_errors("read"):
        # One read transaction: edge-sync may go on meanwhile.
        connection.execute("begin")
        try:
            return _verified(connection, every)
        finally:
            connection.execute("rollback")


def _verified(connection: sqlite3.Connection, every: int) -> int | None:
    state = read_state(connection)
    if state.position is None:
        return None
    found, count = SetDigest(), 0
    chosen = secrets.randbelow(every)
    for row in _entries(connection):
        entry_id, record_digest = row[0], row[_DIGEST_COLUMN]
        if count % every == chosen or record_digest is None:
            _require_sound(connection, row)
        found.add(entry_id, record_digest)
        count += 1
    is_sum = found.to_bytes() == state.entries.to_bytes()
    is_position = (found.digest(), count) == (
        state.position.digest,
        state.position.count,
    )
    if not is_sum or not is_position:
        raise StoreError(
            f"watchlist: {count} entries that are not the {state.position.count} of "
            f"position {state.position.sequence}; remove the file, edge-sync fetches it"
        )
    return count


def _entries(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    columns = f"{ENTRY_COLUMNS}, {RECORD_COLUMNS}"
    after = 0
    while True:
        rows = connection.execute(
            f"select {columns}, rowid from entries where rowid > ?"  # noqa: S608  constants
            " order by rowid limit ?",
            (after, _BATCH),
        ).fetchall()
        yield from rows
        if len(rows) < _BATCH:
            return
        after = rows[-1][-1]


def _require_sound(connection: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    entry_id = row[0]
    sequence, operation, changed_at, record_digest, row_digest, _ = row[_ENTRY_WIDTH:]
    references = [
        StoredReference(*item) for item in connection.execute(_REFERENCES, (entry_id,))
    ]
    try:
        made_by = (int(sequence), operation, changed_at)
        record = record_of_row(entry_of_row(row), made_by, references)
    except (TypeError, ValueError):
        record = b""
    if hashlib.sha256(record).digest() != (row_digest or record_digest):
        raise StoreError(
            f"watchlist: entry {entry_id} is not what the hub published; remove the "
            "file, edge-sync fetches it"
        )
