"""Open a store and write to it: the only door to sqlite3.

Booth and sync are two processes on one file, so every connection uses WAL, waits for
the other's short write transactions, and syncs each commit to the disk.
A connection belongs to the thread that opened it: each thread opens its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

import sqlite_utils

from edge.errors import StoreError
from edge.store.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT_S = 15.0
LOCK_RETRY_S = 0.005
_CREATING = threading.Lock()
_BUSY_RECOVERY = 261  # SQLITE_BUSY_RECOVERY: another process recovers the log
Schema = Literal["booth", "hub", "watchlist"]


def open_database(path: Path, schema: Schema) -> sqlite_utils.Database:
    """Open or create the store at path and bring its schema up to date.

    Raises:
        StoreError: no permission, not a database, damaged, another schema's or a newer
            software's file; names the path.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create_private(path)
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        message = f"{path}: cannot open the store: {error}"
        raise StoreError(message) from error
    try:
        _use_write_ahead_log(connection)
        connection.execute("pragma synchronous = full")
        connection.execute("pragma foreign_keys = on")
        # What is deleted is overwritten: a withdrawn reference must not stay readable.
        connection.execute("pragma secure_delete = on")
        connection.execute("pragma journal_size_limit = 16777216")
        migrate(connection, schema, origin=str(path))
        return sqlite_utils.Database(connection)
    except sqlite3.Error as error:
        connection.close()
        message = f"{path}: cannot use the store: {error}"
        raise StoreError(message) from error
    except BaseException:
        connection.close()
        raise


@contextmanager
def transaction(database: sqlite_utils.Database) -> Iterator[sqlite3.Connection]:
    """One durable write transaction: all of it is on the disk at the end, or nothing.

    Raises:
        StoreError: the store could not be written (disk full, locked, damaged).
    """
    connection: sqlite3.Connection = database.conn
    with mapped_errors("write"):
        connection.execute("begin immediate")
        try:
            yield connection
            connection.execute("commit")
        except BaseException:
            # On a full disk SQLite has rolled back by itself already.
            if connection.in_transaction:
                connection.execute("rollback")
            raise


@contextmanager
def mapped_errors(action: str) -> Iterator[None]:
    """Turn sqlite3's exceptions into ours."""
    try:
        yield
    except sqlite3.Error as error:
        message = f"cannot {action} the store: {error}"
        raise StoreError(message) from error


@contextmanager
def page_cache(database: sqlite_utils.Database, *, kib: int) -> Iterator[None]:
    """Let one long transaction hold so much, temporary tables besides."""
    with mapped_errors("read"):
        (usual,) = database.conn.execute("pragma cache_size").fetchone()
        database.conn.execute("pragma temp_store = memory")
        database.conn.execute(f"pragma cache_size = -{kib}")
    try:
        yield
    finally:
        database.conn.execute(f"pragma cache_size = {usual}")


def truncate_log(database: sqlite_utils.Database, *, wait_ms: int) -> bool:
    """Move the write-ahead log into the file and empty it; False if somebody reads.

    wait_ms: how long to wait for readers.
    """
    connection: sqlite3.Connection = database.conn
    with mapped_errors("write"):
        (usual_ms,) = connection.execute("pragma busy_timeout").fetchone()
        connection.execute(f"pragma busy_timeout = {wait_ms}")
        try:
            row = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        finally:
            connection.execute(f"pragma busy_timeout = {usual_ms}")
    return not row[0]


def require_writable(database: sqlite_utils.Database) -> None:
    """Begin to write, and leave it.

    Raises:
        StoreError: the store takes nothing: read-only, full, or locked too long.
    """
    with mapped_errors("write"):
        database.conn.execute("begin immediate")
        database.conn.execute("rollback")


def check_integrity(database: sqlite_utils.Database) -> None:
    """Let SQLite read the whole file.

    Raises:
        StoreError: a page or an index is damaged.
    """
    with mapped_errors("check"):
        findings = [row[0] for row in database.conn.execute("pragma quick_check")]
    if findings != ["ok"]:
        message = f"the store is damaged: {findings[0]}"
        raise StoreError(message)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the journal; SQLite does not wait for another process that does the same.

    Raises:
        sqlite3.OperationalError: still locked after BUSY_TIMEOUT_S.
    """
    give_up_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, _BUSY_RECOVERY)
            if not is_busy or time.monotonic() >= give_up_s:
                raise
            time.sleep(LOCK_RETRY_S)
        else:
            return


def _create_private(path: Path) -> None:
    """Make the file for its owner only, unless it is there.

    A file that is there is not even opened: closing it would drop the POSIX locks that
    other connections of this process hold on it, and another process that then took
    itself for the last one would delete the log that they go on writing to
    (sqlite.org/howtocorrupt.html, 2.2).
    """
    with _CREATING, suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
