"""Look into a store without changing it: no schema step, no write, no file made."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlite_utils

from edge.errors import StoreError
from edge.store.database import mapped_errors
from edge.store.migrations import APPLICATION_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.store.database import Schema

BUSY_TIMEOUT_S = 2.0
_INSTANT_COLUMNS = {
    "booth": (("audit", "at"), ("checks", "finished_at"), ("outbox", "created_at")),
    "hub": (("hits", "received_at"), ("booths", "last_seen_at")),
    "watchlist": (("audit", "at"),),
}


@contextmanager
def inspected_database(path: Path, schema: Schema) -> Iterator[sqlite_utils.Database]:
    """Open an existing store for reading, and close it at the end.

    Raises:
        StoreError: missing, no permission, not a database or not this schema's; names
            the path.
    """
    try:
        connection = sqlite3.connect(
            _address(path), uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: cannot open the store: {error}") from error
    try:
        _require_schema(connection, path, schema)
        yield sqlite_utils.Database(connection)
    finally:
        connection.close()


def newest_instant(database: sqlite_utils.Database, schema: Schema) -> datetime | None:
    """Return the newest instant that the machine noted in the store, None if empty.

    Raises:
        StoreError: the store cannot be read or holds something that is no instant.
    """
    found: list[datetime] = []
    for table, column in _INSTANT_COLUMNS[schema]:
        with mapped_errors("read"):
            (text,) = database.conn.execute(
                f"select max({column}) from {table}"  # noqa: S608  constants
            ).fetchone()
        if text is not None:
            found.append(_instant(text, table))
    return max(found, default=None)


def _address(path: Path) -> str:
    address = path.resolve(strict=True).as_uri() + "?mode=ro"
    # Without a log beside it nobody has the store open; SQLite would make the log and
    # its index even to read, unless it is told that nobody else writes.
    is_in_use = path.with_name(path.name + "-wal").exists()
    return address if is_in_use else address + "&immutable=1"


def _require_schema(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    try:
        (identity,) = connection.execute("pragma application_id").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot read the store: {error}") from error
    if identity != APPLICATION_IDS[schema]:
        raise StoreError(f"{path}: not a {schema} store; choose another path")


def _instant(text: str, table: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise StoreError(f"table {table}: {text!r:.60} is no instant") from error
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
