"""What the hub has told this booth to do, and what the officer is to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    import sqlite_utils


@dataclass(frozen=True)
class StoredInstruction:
    """What an operator at the hub tells the officer about a hit."""

    hit_id: str
    text: str
    command_id: str
    at: datetime


class StoredCommands:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def is_command_known(self, command_id: str) -> bool:
        """Return whether this command was noted: it is not done again."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select 1 from commands where command_id = ?", (command_id,)
            ).fetchone()
        return row is not None

    def note_command(self, command_id: str, kind: str, *, at: datetime) -> None:
        """Note that a command was done; a second time changes nothing."""
        with transaction(self._database) as connection:
            added = connection.execute(
                "insert into commands values (?, ?, ?) on conflict do nothing",
                (command_id, kind, at.isoformat()),
            ).rowcount
            if added:
                append_audit(
                    connection,
                    at=at,
                    actor="edge-sync",
                    action="command",
                    subject=f"{command_id} {kind}",
                )

    def add_instruction(
        self, hit_id: str, text: str, command_id: str, *, at: datetime
    ) -> None:
        """Keep an instruction for the officer; the same command adds it once."""
        with transaction(self._database) as connection:
            connection.execute(
                "insert into instructions (command_id, hit_id, text, at)"
                " values (?, ?, ?, ?) on conflict do nothing",
                (command_id, hit_id, text, at.isoformat()),
            )

    def instructions(
        self, hit_id: str | None = None, *, limit: int = 100
    ) -> list[StoredInstruction]:
        """Return the newest instructions on one hit, or on all, oldest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select hit_id, text, command_id, at from instructions"
                " where ?1 is null or hit_id = ?1 order by number desc limit ?2",
                (hit_id, limit),
            ).fetchall()
        return [
            StoredInstruction(row[0], row[1], row[2], datetime.fromisoformat(row[3]))
            for row in reversed(rows)
        ]
