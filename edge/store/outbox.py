"""Messages that wait for the hub. Implements edge.sync.assembly.BoothOutbox."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.outbox_policy import (
    DECISION,
    HIT,
    VOID,
    OutboxLimits,
    give_up_older,
    make_room,
    priority_of,
)
from edge.store.reference_images import drop_unneeded
from edge.store.reissue import STEP_ROWS, missing_numbers, put_back
from edge.terms import OutboxMessage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    import sqlite_utils

CLEARED_KEPT = timedelta(days=90)
# Rows put back by one order; the hub sees what is missing then and asks again.
REISSUE_ROWS = 10_000
# Payloads that are read at once, one row at least.
READ_BYTES = 16 * 1024 * 1024
_COLUMNS = "message_id, sequence, kind, payload, created_at"
_AUDITED = frozenset({HIT, DECISION, "holding", "answer"})
# Written together with what they tell of, never alone.
_RECORDED = frozenset({HIT, DECISION, VOID})
_Row = tuple[str, int, str, bytes, str]


class StoredOutbox:
    def __init__(
        self, database: sqlite_utils.Database, limits: OutboxLimits | None = None
    ) -> None:
        self._database = database
        self._limits = limits or OutboxLimits()

    def stream(self) -> str:
        """Return the name of this store's numbering: 16 hexadecimal digits."""
        with mapped_errors("read"):
            (stream,) = self._database.conn.execute(
                "select stream from outbox_counter"
            ).fetchone()
        return str(stream)

    def post(self, kind: str, body: bytes, *, at: datetime) -> int:
        """Let a message of a kind wait, durably; return its sequence number.

        The newest of kind "health" takes the place of the ones that wait. When more
        waits than the limits say, the least urgent becomes void, never a hit, a
        decision, an answer or a deletion receipt.

        Raises:
            StoreError: there is no such kind, or hits and decisions are recorded with
                what they tell of; the store cannot be written.
        """
        priority_of(kind)
        if kind in _RECORDED:
            raise StoreError(f"outbox: a message of kind {kind} is not posted")
        with transaction(self._database) as connection:
            give_up_older(connection, kind)
            sequence = add_to_outbox(connection, kind=kind, payload=body, at=at)
            make_room(connection, self._limits, at=at)
        return sequence

    def next_rows(self, *, limit: int, besides: Collection[str]) -> list[OutboxMessage]:
        """Return the most urgent messages whose ids are not in besides.

        At most limit of them, and not many more than READ_BYTES.
        """
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {_COLUMNS} from outbox where message_id not in"  # noqa: S608  a constant
                " (select value from json_each(?)) order by priority, sequence limit ?",
                (json.dumps(list(besides)), limit),
            )
            found = _first_bytes(rows)
            rows.close()
        return found

    def row(self, message_id: str) -> OutboxMessage | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"select {_COLUMNS} from outbox where message_id = ?",  # noqa: S608  a constant
                (message_id,),
            ).fetchone()
        return None if row is None else _message(row)

    def clear_many(self, message_ids: Sequence[str], *, at: datetime) -> int:
        """Remove rows and note the deliveries in one transaction; return how many.

        What they were is remembered for CLEARED_KEPT.
        """
        with transaction(self._database) as connection:
            cleared = sum(_clear_one(connection, name, at) for name in message_ids)
            if cleared:
                drop_unneeded(connection, at=at)
            connection.execute(
                "delete from outbox_cleared where cleared_at < ?",
                ((at - CLEARED_KEPT).isoformat(),),
            )
        return cleared

    def reissue(
        self, stream: str, ranges: Sequence[tuple[int, int]], *, at: datetime
    ) -> int:
        """Put rows of these numbers back that were cleared; return how many.

        For a hub that lost what it had receipted. A hit or a decision comes back as it
        was, anything else as void. Another store's stream is not here: nothing is put
        back.
        """
        if stream != self.stream():
            return 0
        with mapped_errors("read"):
            numbers = missing_numbers(self._database.conn, ranges, limit=REISSUE_ROWS)
        for start in range(0, len(numbers), STEP_ROWS):
            with transaction(self._database) as connection:
                put_back(connection, stream, numbers[start : start + STEP_ROWS], at=at)
        return len(numbers)

    def depth(self) -> int:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select waiting from outbox_counter"
            ).fetchone()
        return int(row[0])


def add_to_outbox(
    connection: sqlite3.Connection,
    *,
    kind: str,
    payload: bytes,
    at: datetime,
    message_id: str | None = None,
) -> int:
    """Append a message inside the caller's transaction; return its sequence number.

    The counter lives in the same transaction, so the numbers have no gap. Without an id
    the message is named by kind, stream and number.
    """
    sequence, stream = connection.execute(
        "update outbox_counter set last_sequence = last_sequence + 1"
        " returning last_sequence, stream"
    ).fetchone()
    connection.execute(
        "insert into outbox (message_id, sequence, kind, payload, created_at, priority)"
        " values (?, ?, ?, ?, ?, ?)",
        (
            message_id or f"{kind}-{stream}-{sequence}",
            sequence,
            kind,
            payload,
            at.isoformat(),
            priority_of(kind),
        ),
    )
    return int(sequence)


def _clear_one(connection: sqlite3.Connection, message_id: str, at: datetime) -> bool:
    row = connection.execute(
        "delete from outbox where message_id = ? returning sequence, kind, created_at",
        (message_id,),
    ).fetchone()
    if row is None:
        return False
    sequence, kind, created_at = row
    connection.execute(
        "insert or replace into outbox_cleared values (?, ?, ?, ?, ?)",
        (sequence, message_id, kind, created_at, at.isoformat()),
    )
    connection.execute(
        "update hits set delivered_at = ? where hit_id = ?",
        (at.isoformat(), message_id),
    )
    if kind in _AUDITED:
        append_audit(
            connection,
            at=at,
            actor="edge-sync",
            action="delivered",
            subject=message_id,
        )
    return True


def _first_bytes(rows: Iterable[_Row]) -> list[OutboxMessage]:
    found: list[OutboxMessage] = []
    size = 0
    for row in rows:
        found.append(_message(row))
        size += len(row[3])
        if size >= READ_BYTES:
            break
    return found


def _message(row: _Row) -> OutboxMessage:
    return OutboxMessage(
        message_id=row[0],
        sequence=row[1],
        kind=row[2],
        payload=row[3],
        created_at=datetime.fromisoformat(row[4]),
    )
