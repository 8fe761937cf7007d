"""The watchlist's entries as the console lists them: follows the log.

What a list shows stands in rows of its own, without templates. They follow the log in
steps, and are made anew when another log has begun.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import cbor2

from edge.records.changes import decode_change, entry_from
from edge.records.console_values import EntryFacts
from edge.store.audit import append_audit
from edge.store.case_rows import instant
from edge.store.database import mapped_errors, transaction
from edge.terms import ChangeOperation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import sqlite_utils

    from edge.terms import WatchlistChange

_COLUMNS = (
    "entry_id, version, category, originator, handling_code, name, valid_from,"
    " expires_at, references_count, sequence"
)
_BEHIND = (
    "select log_state.log, log_state.sequence, console_position.log,"
    " console_position.sequence from log_state, console_position"
)


class StoredHubEntries:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def follow(self, *, limit: int = 500) -> bool:
        """Bring the rows up to date by at most limit changes; True if more are left."""
        with mapped_errors("read"):
            state = self._database.conn.execute(_BEHIND).fetchone()
        if state is None or state[:2] == state[2:]:
            return False
        with transaction(self._database) as connection:
            log, end, known_log, known = connection.execute(_BEHIND).fetchone()
            if log != known_log or known > end:
                connection.execute("delete from entry_facts")
                known = 0
            rows = connection.execute(
                "select sequence, operation, entry_id, record from log_changes"
                " where log = ? and sequence > ? order by sequence limit ?",
                (log, known, limit),
            ).fetchall()
            for row in rows:
                _apply(connection, row)
            reached = rows[-1][0] if rows else end
            connection.execute(
                "update console_position set log = ?, sequence = ?", (log, reached)
            )
        return bool(reached < end)

    def entries(
        self, *, limit: int, text: str = "", after: str = ""
    ) -> list[EntryFacts]:
        """Return entries in the order of their ids, after this id.

        text: part of the id, or of the name in any case; empty for all.
        """
        found = "" if not text else " and (instr(entry_id, ?1) or name like ?2)"
        pattern = f"%{text}%"
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {_COLUMNS} from entry_facts where entry_id > ?3{found}"  # noqa: S608  constants
                " order by entry_id limit ?4",
                (text, pattern, after, limit),
            ).fetchall()
        return [_facts(row) for row in rows]

    def expiring(self, before: datetime, *, limit: int) -> list[EntryFacts]:
        """Return entries that are over before then, the first to end first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {_COLUMNS} from entry_facts where expires_at < ?"  # noqa: S608  constants
                " order by expires_at limit ?",
                (before.isoformat(), limit),
            ).fetchall()
        return [_facts(row) for row in rows]

    def entry(self, entry_id: str) -> WatchlistChange | None:
        """Return the change that made an entry as it stands, references included."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select record from current_entries join log_changes"
                " using (log, sequence) where current_entries.entry_id = ?",
                (entry_id,),
            ).fetchone()
        return None if row is None else decode_change(row[0])

    def change_at(self, entry_id: str, version: int) -> WatchlistChange | None:
        """Return the change that made this version of an entry, or the newest known."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select record from log_changes where entry_id = ?"
                " and operation <> 'withdraw' order by rowid desc limit 5",
                (entry_id,),
            ).fetchall()
        changes = [decode_change(record) for (record,) in rows]
        for change in changes:
            if change.entry is not None and change.entry.version == version:
                return change
        return changes[0] if changes else None

    def is_current(self, entry_id: str) -> bool:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select 1 from current_entries where entry_id = ?", (entry_id,)
            ).fetchone()
        return row is not None

    def note_access(self, entry_id: str, *, actor: str, at: datetime) -> None:
        """Write into the audit log that a person has looked at an entry."""
        with transaction(self._database) as connection:
            append_audit(
                connection, at=at, actor=actor, action="read entry", subject=entry_id
            )

    def count(self) -> int:
        with mapped_errors("read"):
            row = self._database.conn.execute("select count from log_state").fetchone()
        return 0 if row is None else int(row[0])


def _apply(connection: sqlite3.Connection, row: Sequence[Any]) -> None:
    sequence, operation, entry_id, record = row
    connection.execute("delete from entry_facts where entry_id = ?", (entry_id,))
    if operation == ChangeOperation.WITHDRAW:
        return
    content = cbor2.loads(record)
    entry = entry_from(content["entry"])
    expires = entry.expires_at
    connection.execute(
        f"insert into entry_facts ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  constants
        (
            entry_id,
            entry.version,
            entry.category,
            entry.originator,
            entry.handling_code,
            entry.name,
            entry.valid_from.isoformat(),
            None if expires is None else expires.isoformat(),
            len(content["references"]),
            sequence,
        ),
    )


def _facts(row: tuple[Any, ...]) -> EntryFacts:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    values["valid_from"] = datetime.fromisoformat(values["valid_from"])
    values["expires_at"] = instant(values["expires_at"])
    return EntryFacts(**values)
