"""Messages that wait for the hub. Implements edge.ports.Outbox."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.terms import OutboxMessage

if TYPE_CHECKING:
    import sqlite3

    import sqlite_utils


class StoredOutbox:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def pending(self, *, limit: int, retry_before: datetime) -> list[OutboxMessage]:
        """Return messages never sent, or last sent before retry_before, in order."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select message_id, sequence, kind, payload, attempts, created_at"
                " from outbox where sent_at is null or sent_at < ?"
                " order by sequence limit ?",
                (retry_before.isoformat(), limit),
            ).fetchall()
        return [
            OutboxMessage(
                message_id=row[0],
                sequence=row[1],
                kind=row[2],
                payload=row[3],
                attempts=row[4],
                created_at=datetime.fromisoformat(row[5]),
            )
            for row in rows
        ]

    def mark_sent(self, message_id: str, *, at: datetime) -> None:
        with transaction(self._database) as connection:
            connection.execute(
                "update outbox set sent_at = ?, attempts = attempts + 1"
                " where message_id = ?",
                (at.isoformat(), message_id),
            )

    def clear(self, message_id: str, *, at: datetime) -> bool:
        """Remove the row and note the delivery, in one transaction."""
        with transaction(self._database) as connection:
            removed = connection.execute(
                "delete from outbox where message_id = ?", (message_id,)
            ).rowcount
            if removed:
                connection.execute(
                    "update hits set delivered_at = ? where hit_id = ?",
                    (at.isoformat(), message_id),
                )
                append_audit(
                    connection,
                    at=at,
                    actor="edge-sync",
                    action="delivered",
                    subject=message_id,
                )
        return bool(removed)

    def depth(self) -> int:
        with mapped_errors("read"):
            row = self._database.conn.execute("select count(*) from outbox").fetchone()
        return int(row[0])


def add_to_outbox(
    connection: sqlite3.Connection,
    *,
    message_id: str,
    kind: str,
    payload: bytes,
    at: datetime,
) -> int:
    """Append a message inside the caller's transaction; return its sequence number.

    The counter lives in the same transaction, so the numbers have no gap.
    """
    (sequence,) = connection.execute(
        "update outbox_counter set last_sequence = last_sequence + 1"
        " returning last_sequence"
    ).fetchone()
    connection.execute(
        "insert into outbox (message_id, sequence, kind, payload, created_at)"
        " values (?, ?, ?, ?, ?)",
        (message_id, sequence, kind, payload, at.isoformat()),
    )
    return int(sequence)
