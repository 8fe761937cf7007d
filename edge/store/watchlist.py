"""The booth's copy of the watchlist. Implements edge.ports.WatchlistReplica."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.records.template import encode_template
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.references import REFERENCE_COLUMNS, reference_of_row
from edge.terms import ChangeOperation, WatchlistEntry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import sqlite_utils

    from edge.terms import DraftChange, Reference, WatchlistChange

ENTRY_COLUMNS = (
    "entry_id, version, category, originator, handling_code, legal_basis,"
    " instruction, valid_from, expires_at, name"
)


class BoothWatchlist:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def cursor(self) -> int:
        return self._state()[0]

    def revision(self) -> int:
        """Return a number that moves with every change of the content."""
        return self._state()[1]

    def apply(self, changes: Sequence[WatchlistChange]) -> int:
        """Apply consecutive changes and move the cursor, in one transaction.

        Changes at or below the cursor are skipped. Returns the new cursor.

        Raises:
            WatchlistError: a gap; nothing is applied.
        """
        with transaction(self._database) as connection:
            (cursor,) = connection.execute(
                "select cursor from watchlist_state"
            ).fetchone()
            for change in changes:
                if change.sequence <= cursor:
                    continue
                if change.sequence != cursor + 1:
                    message = (
                        f"watchlist change {change.sequence} follows {cursor}:"
                        f" {change.sequence - cursor - 1} are missing"
                    )
                    raise WatchlistError(message)
                _apply_one(connection, change, actor="edge-sync")
                cursor = change.sequence
            connection.execute(
                "update watchlist_state set cursor = ?, revision = revision + 1"
                " where cursor <> ?",
                (cursor, cursor),
            )
        return int(cursor)

    def apply_local(self, drafts: Sequence[DraftChange], *, at: datetime) -> None:
        """Apply changes made on this machine, all of them or none.

        The hub's log and the cursor into it stay as they are.

        Raises:
            WatchlistError: adding what is there, or replacing or withdrawing what is
                not.
        """
        with transaction(self._database) as connection:
            for draft in drafts:
                _require_sense(connection, draft)
                _apply_one(connection, draft.at_sequence(0, at), actor="local")
            connection.execute("update watchlist_state set revision = revision + 1")

    def entries(self) -> list[WatchlistEntry]:
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {ENTRY_COLUMNS} from entries order by entry_id"  # noqa: S608  a constant
            ).fetchall()
        return [_entry(row) for row in rows]

    def entry(self, entry_id: str) -> WatchlistEntry | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"select {ENTRY_COLUMNS} from entries where entry_id = ?",  # noqa: S608  a constant
                (entry_id,),
            ).fetchone()
        return None if row is None else _entry(row)

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
        now = _instant_text(at)
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

    def _state(self) -> tuple[int, int]:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select cursor, revision from watchlist_state"
            ).fetchone()
        return int(row[0]), int(row[1])


def _apply_one(
    connection: sqlite3.Connection, change: WatchlistChange, *, actor: str
) -> None:
    connection.execute("delete from entries where entry_id = ?", (change.entry_id,))
    if change.operation is not ChangeOperation.WITHDRAW:
        _insert(connection, change)
    append_audit(
        connection,
        at=change.changed_at,
        actor=actor,
        action=f"watchlist {change.operation}",
        subject=f"{change.sequence} {change.entry_id}",
    )


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


def _insert(connection: sqlite3.Connection, change: WatchlistChange) -> None:
    entry = change.entry
    if entry is None:
        message = f"watchlist change {change.sequence}: no entry to {change.operation}"
        raise WatchlistError(message)
    expires = entry.expires_at
    connection.execute(
        f"insert into entries ({ENTRY_COLUMNS}) values (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608  a constant
        (
            entry.entry_id,
            entry.version,
            entry.category,
            entry.originator,
            entry.handling_code,
            entry.legal_basis,
            entry.instruction,
            _instant_text(entry.valid_from),
            None if expires is None else _instant_text(expires),
            entry.name,
        ),
    )
    connection.executemany(
        f"insert into biometric_references ({REFERENCE_COLUMNS})"  # noqa: S608  a constant
        " values (?, ?, ?, ?, ?)",
        [
            (
                reference.reference_id,
                entry.entry_id,
                str(reference.modality),
                int(reference.position),
                encode_template(reference.template),
            )
            for reference in change.references
        ],
    )


def _instant_text(instant: datetime) -> str:
    """Return text that sorts as the instants do: all in UTC."""
    return instant.astimezone(UTC).isoformat()


def _entry(row: tuple[str, ...]) -> WatchlistEntry:
    return WatchlistEntry(
        entry_id=row[0],
        version=int(row[1]),
        category=row[2],
        originator=row[3],
        handling_code=row[4],
        legal_basis=row[5],
        instruction=row[6],
        valid_from=datetime.fromisoformat(row[7]),
        expires_at=datetime.fromisoformat(row[8]) if row[8] else None,
        name=row[9],
    )
