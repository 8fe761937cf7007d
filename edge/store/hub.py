"""The hub's store: the watchlist log, the hits, the booths."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.records.changes import decode_change, encode_change
from edge.records.hits import decode_hit, encode_hit
from edge.store.database import mapped_errors, transaction
from edge.terms import ChangeOperation, DraftChange, Hit, WatchlistChange

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import sqlite_utils


@dataclass(frozen=True)
class ReceivedHit:
    hit: Hit
    sequence: int
    received_at: datetime


@dataclass(frozen=True)
class BoothState:
    booth_id: str
    state: str
    last_seen_at: datetime
    cursor: int


class HubStore:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def close(self) -> None:
        self._database.conn.close()

    def head(self) -> int:
        """Return the sequence number of the last change; 0 if there is none."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select coalesce(max(sequence), 0) from watchlist_log"
            ).fetchone()
        return int(row[0])

    def append(
        self, drafts: Sequence[DraftChange], *, at: datetime
    ) -> list[WatchlistChange]:
        """Append changes to the log under the next numbers, all of them or none.

        Raises:
            WatchlistError: adding what is there, or replacing or withdrawing what is
                not.
        """
        with transaction(self._database) as connection:
            (last,) = connection.execute(
                "select coalesce(max(sequence), 0) from watchlist_log"
            ).fetchone()
            changes = [
                draft.at_sequence(number, at)
                for number, draft in enumerate(drafts, start=last + 1)
            ]
            for change in changes:
                _require_sense(connection, change)
                connection.execute(
                    "insert into watchlist_log values (?, ?, ?, ?)",
                    (
                        change.sequence,
                        change.entry_id,
                        str(change.operation),
                        encode_change(change),
                    ),
                )
                _note_current(connection, change)
        return changes

    def changes_after(self, sequence: int, *, limit: int) -> list[WatchlistChange]:
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select change from watchlist_log where sequence > ?"
                " order by sequence limit ?",
                (sequence, limit),
            ).fetchall()
        return [decode_change(row[0]) for row in rows]

    def current(self) -> list[WatchlistChange]:
        """Return, for every entry that is not withdrawn, the change that made it."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select change from watchlist_log join entries"
                " on sequence = last_sequence order by entries.entry_id"
            ).fetchall()
        return [decode_change(row[0]) for row in rows]

    def accept_hit(
        self, hit: Hit, *, message_id: str, sequence: int, at: datetime
    ) -> bool:
        """Store a hit durably; False if it is already there."""
        with transaction(self._database) as connection:
            added = connection.execute(
                "insert into hits values (?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict do nothing",
                (
                    hit.hit_id,
                    message_id,
                    hit.booth_id,
                    sequence,
                    hit.entry_id,
                    hit.occurred_at.isoformat(),
                    at.isoformat(),
                    encode_hit(hit),
                ),
            ).rowcount
        return bool(added)

    def has_hit(self, hit_id: str) -> bool:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select 1 from hits where hit_id = ?", (hit_id,)
            ).fetchone()
        return row is not None

    def hits(self, *, limit: int = 1000) -> list[ReceivedHit]:
        """Return the last hits received, oldest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select payload, sequence, received_at from hits"
                " order by received_at desc, sequence desc limit ?",
                (limit,),
            ).fetchall()
        return [
            ReceivedHit(decode_hit(row[0]), row[1], datetime.fromisoformat(row[2]))
            for row in reversed(rows)
        ]

    def booth_seen(self, booth_id: str, *, state: str, at: datetime) -> None:
        with transaction(self._database) as connection:
            connection.execute(
                "insert into booths (booth_id, state, last_seen_at) values (?, ?, ?)"
                " on conflict do update set state = excluded.state,"
                " last_seen_at = excluded.last_seen_at",
                (booth_id, state, at.isoformat()),
            )

    def booth_cursor(self, booth_id: str, *, cursor: int, at: datetime) -> None:
        """Note how far a booth says it has followed the log."""
        with transaction(self._database) as connection:
            connection.execute(
                "insert into booths (booth_id, state, last_seen_at, cursor)"
                " values (?, 'online', ?, ?) on conflict do update set"
                " cursor = excluded.cursor, last_seen_at = excluded.last_seen_at",
                (booth_id, at.isoformat(), cursor),
            )

    def booths(self) -> list[BoothState]:
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select booth_id, state, last_seen_at, cursor from booths"
                " order by booth_id"
            ).fetchall()
        return [
            BoothState(row[0], row[1], datetime.fromisoformat(row[2]), int(row[3]))
            for row in rows
        ]


def _require_sense(connection: sqlite3.Connection, change: WatchlistChange) -> None:
    row = connection.execute(
        "select version from entries where entry_id = ?", (change.entry_id,)
    ).fetchone()
    if change.operation is ChangeOperation.ADD:
        if row is not None:
            message = f"entry {change.entry_id} is already on the watchlist"
            raise WatchlistError(message)
    elif row is None:
        message = f"entry {change.entry_id} is not on the watchlist"
        raise WatchlistError(message)


def _note_current(connection: sqlite3.Connection, change: WatchlistChange) -> None:
    if change.entry is None:
        connection.execute("delete from entries where entry_id = ?", (change.entry_id,))
        return
    connection.execute(
        "insert into entries values (?, ?, ?) on conflict do update set"
        " version = excluded.version, last_sequence = excluded.last_sequence",
        (change.entry_id, change.entry.version, change.sequence),
    )
