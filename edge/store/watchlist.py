"""The booth's copy of the watchlist, as it is read, and changed by hand.

What the hub says comes in by edge.store.replica.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.entry_rows import (
    ENTRY_COLUMNS,
    entry_of_row,
    insert_entry,
    instant_text,
)
from edge.store.references import REFERENCE_COLUMNS, reference_of_row
from edge.terms import ChangeOperation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    import sqlite_utils

    from edge.terms import DraftChange, Reference, WatchlistChange, WatchlistEntry


class BoothWatchlist:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def cursor(self) -> int:
        """Return how far in the hub's log this list is; 0 if it is not the hub's."""
        with mapped_errors("read"):
            (cursor,) = self._database.conn.execute(
                "select cursor from watchlist_state"
            ).fetchone()
        return int(cursor)

    def apply_local(self, drafts: Sequence[DraftChange], *, at: datetime) -> None:
        """Apply changes made on this machine, all of them or none.

        Raises:
            WatchlistError: adding what is there, or replacing or withdrawing what is
                not; the list is the hub's.
        """
        with transaction(self._database) as connection:
            _require_own(connection)
            for draft in drafts:
                _require_sense(connection, draft)
                _apply_one(connection, draft.at_sequence(0, at))
            connection.execute("update watchlist_state set revision = revision + 1")

    def entries(self) -> list[WatchlistEntry]:
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {ENTRY_COLUMNS} from entries order by entry_id"  # noqa: S608  a constant
            ).fetchall()
        return [entry_of_row(row) for row in rows]

    def entries_beginning(self, beginning: str) -> list[WatchlistEntry]:
        """Return the entries by the beginning of their ids."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {ENTRY_COLUMNS} from entries"  # noqa: S608  a constant
                " where entry_id between ? and ? order by entry_id",
                (beginning, beginning + "\U0010ffff"),
            ).fetchall()
        return [entry_of_row(row) for row in rows]

    def entry(self, entry_id: str) -> WatchlistEntry | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"select {ENTRY_COLUMNS} from entries where entry_id = ?",  # noqa: S608  a constant
                (entry_id,),
            ).fetchone()
        return None if row is None else entry_of_row(row)

    def references(self, entry_id: str | None = None) -> list[Reference]:
        """Return the references of one entry, or of all.

        Raises:
            StoreError: a stored template is damaged; names the reference.
        """
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {REFERENCE_COLUMNS} from biometric_references"  # noqa: S608  a constant
                " where ?1 is null or entry_id = ?1 order by reference_id",
                (entry_id,),
            ).fetchall()
        return [reference_of_row(row) for row in rows]

    def count_valid(self, at: datetime) -> int:
        """Return the number of entries that are valid at an instant."""
        now = instant_text(at)
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select count(*) from entries"
                " where valid_from <= ?1 and (expires_at is null or expires_at > ?1)",
                (now,),
            ).fetchone()
        return int(row[0])

    def size(self) -> tuple[int, int]:
        """Return the number of entries and of references."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select (select count(*) from entries),"
                " (select count(*) from biometric_references)"
            ).fetchone()
        return int(row[0]), int(row[1])


def _apply_one(connection: sqlite3.Connection, change: WatchlistChange) -> None:
    connection.execute("delete from entries where entry_id = ?", (change.entry_id,))
    if change.operation is not ChangeOperation.WITHDRAW:
        insert_entry(connection, change)
    append_audit(
        connection,
        at=change.changed_at,
        actor="local",
        action=f"watchlist {change.operation}",
        subject=f"{change.sequence} {change.entry_id}",
    )


def _require_own(connection: sqlite3.Connection) -> None:
    (log,) = connection.execute("select log from watchlist_state").fetchone()
    if log is not None:
        message = "this booth's watchlist is the hub's; make the change at the hub"
        raise WatchlistError(message)


def _require_sense(connection: sqlite3.Connection, draft: DraftChange) -> None:
    is_there = connection.execute(
        "select 1 from entries where entry_id = ?", (draft.entry_id,)
    ).fetchone()
    if draft.operation is ChangeOperation.ADD and is_there:
        message = f"entry {draft.entry_id} is already on the watchlist"
        raise WatchlistError(message)
    if draft.operation is not ChangeOperation.ADD and not is_there:
        message = f"entry {draft.entry_id} is not on the watchlist"
        raise WatchlistError(message)
