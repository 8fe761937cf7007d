"""Commands to booths, until answered or over. Implements HubCommands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from edge.records.hub_values import CommandRecord, CommandState
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    import sqlite3

    import sqlite_utils

_COLUMNS = (
    "select command_id, booth_id, kind, body, issued_at, expires_at, state, outcome,"
    " detail from commands"
)
MAX_DUE = 500
# The kind of command that carries a piece of an image (edge.sync.messages).
IMAGE_PART = "image-part"


class StoredHubCommands:
    def __init__(
        self, database: sqlite_utils.Database, *, actor: str = "edge-hub"
    ) -> None:
        self._database = database
        self._actor = actor

    def add(self, command: CommandRecord) -> None:
        """Keep a command; it is due at once."""
        with transaction(self._database) as connection:
            add_command(connection, command, actor=self._actor)

    def due(self, now: datetime, *, repeat_s: float) -> list[CommandRecord]:
        """Return what is waiting, not over, and not sent within repeat_s."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_COLUMNS} where state = 'waiting' and expires_at > ?"
                " and (sent_at is null or sent_at <= ?)"
                " order by issued_at, command_id limit ?",
                (
                    now.isoformat(),
                    (now - timedelta(seconds=repeat_s)).isoformat(),
                    MAX_DUE,
                ),
            ).fetchall()
        return [_command(row) for row in rows]

    def sent(self, command_id: str, *, at: datetime) -> None:
        with transaction(self._database) as connection:
            connection.execute(
                "update commands set sent_at = ? where command_id = ?",
                (at.isoformat(), command_id),
            )

    def answered(
        self, command_id: str, *, booth_id: str, outcome: str, detail: str, at: datetime
    ) -> bool:
        """Note a booth's answer; False if it was not asked, or has answered."""
        with transaction(self._database) as connection:
            changed = connection.execute(
                "update commands set state = 'answered', outcome = ?, detail = ?,"
                " answered_at = ? where command_id = ? and booth_id = ?"
                " and state <> 'answered'",
                (outcome, detail, at.isoformat(), command_id, booth_id),
            ).rowcount
            _empty_images(connection)
        return bool(changed)

    def expire(self, now: datetime) -> int:
        """Give up what is over; return how many."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select 1 from commands where state = 'waiting' and expires_at <= ?"
                " limit 1",
                (now.isoformat(),),
            ).fetchone()
        if row is None:
            return 0
        with transaction(self._database) as connection:
            expired = connection.execute(
                "update commands set state = 'expired'"
                " where state = 'waiting' and expires_at <= ?",
                (now.isoformat(),),
            ).rowcount
            _empty_images(connection)
            return expired

    def commands(self, *, limit: int = 100) -> list[CommandRecord]:
        """Return the last commands, oldest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_COLUMNS} order by issued_at desc, command_id desc limit ?", (limit,)
            ).fetchall()
        return [_command(row) for row in reversed(rows)]


def add_command(
    connection: sqlite3.Connection, command: CommandRecord, *, actor: str
) -> None:
    """Keep a command, in the caller's transaction; it is due at once."""
    connection.execute(
        "insert into commands (command_id, booth_id, kind, body, issued_at,"
        " expires_at, state) values (?, ?, ?, ?, ?, ?, ?)",
        (
            command.command_id,
            command.booth_id,
            command.kind,
            command.body,
            command.issued_at.isoformat(),
            command.expires_at.isoformat(),
            str(CommandState.WAITING),
        ),
    )
    append_audit(
        connection,
        at=command.issued_at,
        actor=actor,
        action=f"commanded {command.kind}",
        subject=f"{command.command_id} {command.booth_id}",
    )


def _empty_images(connection: sqlite3.Connection) -> None:
    """Let the biometric content of commands go that are not sent any more."""
    connection.execute(
        "update commands set body = x'' where kind = ? and state <> 'waiting'"
        " and length(body) > 0",
        (IMAGE_PART,),
    )


def _command(
    row: tuple[str, str, str, bytes, str, str, str, str | None, str | None],
) -> CommandRecord:
    return CommandRecord(
        command_id=row[0],
        booth_id=row[1],
        kind=row[2],
        body=row[3],
        issued_at=datetime.fromisoformat(row[4]),
        expires_at=datetime.fromisoformat(row[5]),
        state=CommandState(row[6]),
        outcome=row[7],
        detail=row[8],
    )
