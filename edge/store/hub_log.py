"""The hub's watchlist log, its chain and its set. Implements edge.hub.store_port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.records.changes import decode_change, encode_change
from edge.replication.position import LogPosition, RecordedChange, advanced, beginning
from edge.replication.set_digest import SetDigest, record_digest
from edge.replication.snapshot import entry_key
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.terms import ChangeOperation, DraftChange

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    import sqlite_utils

    from edge.terms import WatchlistChange

_PAGE = 500


class StoredHubLog:
    """Implements HubLog."""

    def __init__(
        self, database: sqlite_utils.Database, *, actor: str = "edge-hub"
    ) -> None:
        self._database = database
        self._actor = actor

    def log(self) -> str | None:
        with mapped_errors("read"):
            row = self._database.conn.execute("select log from log_state").fetchone()
        return None if row is None else str(row[0])

    def begin_log(self, log: str, *, at: datetime) -> None:
        """Begin a log; the entries there are become its first changes.

        Snapshots of the log before are dropped: no booth would accept them.

        Raises:
            WatchlistError: a log of this name has been written already.
        """
        with transaction(self._database) as connection:
            _require_unused(connection, log)
            kept = connection.execute(
                "select log, sequence from current_entries order by bucket_key"
            ).fetchall()
            connection.execute("delete from current_entries")
            connection.execute("delete from log_state")
            connection.execute("delete from snapshots")
            connection.execute("delete from snapshot_chunks")
            start = beginning(log)
            connection.execute(
                "insert into log_state values (1, ?, 0, ?, ?, 0, ?)",
                (log, start.chain, start.digest, SetDigest().to_bytes()),
            )
            for _ in _append(connection, _added_again(connection, kept), at):
                pass
            append_audit(
                connection, at=at, actor=self._actor, action="began log", subject=log
            )

    def position(self) -> LogPosition:
        """Return where the log ends.

        Raises:
            WatchlistError: no log has begun.
        """
        with mapped_errors("read"):
            return _position(self._database.conn)

    def position_at(self, sequence: int) -> LogPosition | None:
        with mapped_errors("read"):
            log = _position(self._database.conn).log
            if sequence == 0:
                return beginning(log)
            row = self._database.conn.execute(
                "select log, sequence, chain, digest, count from log_changes"
                " where log = ? and sequence = ?",
                (log, sequence),
            ).fetchone()
        return None if row is None else LogPosition(*row)

    def append(
        self, drafts: Sequence[DraftChange], *, at: datetime
    ) -> list[RecordedChange]:
        """Append changes under the next numbers, all of them or none.

        Raises:
            WatchlistError: no log has begun; adding what is there, or replacing or
                withdrawing what is not.
        """
        with transaction(self._database) as connection:
            return append_changes(connection, drafts, at=at, actor=self._actor)

    def records_after(self, sequence: int, limit: int) -> list[RecordedChange]:
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select record from log_changes"
                " where log = (select log from log_state) and sequence > ?"
                " order by sequence limit ?",
                (sequence, limit),
            ).fetchall()
        return [RecordedChange(decode_change(row[0]), row[0]) for row in rows]

    def record_bytes(self) -> int:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select coalesce(sum(record_size), 0) from current_entries"
            ).fetchone()
        return int(row[0])

    def current_records(self) -> Iterator[tuple[str, bytes]]:
        """Yield id and record of each entry in the order of SHA-256 of its id.

        One read transaction: what others append meanwhile is not in it. Do not use the
        connection for anything else until the last is taken.
        """
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select entry_id, record from current_entries join log_changes"
                " using (log, sequence, entry_id) order by bucket_key"
            )
            while page := rows.fetchmany(_PAGE):
                yield from page

    def entry_record(self, entry_id: str) -> bytes | None:
        """Return the change that made an entry as it stands."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select record from current_entries join log_changes"
                " using (log, sequence) where current_entries.entry_id = ?",
                (entry_id,),
            ).fetchone()
        return None if row is None else bytes(row[0])


def append_changes(
    connection: sqlite3.Connection,
    drafts: Iterable[DraftChange],
    *,
    at: datetime,
    actor: str,
) -> list[RecordedChange]:
    """Append changes, each with its line in the audit log, in the caller's transaction.

    Raises:
        WatchlistError: as HubLog.append.
    """
    recorded = []
    for item in _append(connection, drafts, at):
        append_audit(
            connection,
            at=at,
            actor=actor,
            action=f"published {item.change.operation}",
            subject=f"{item.change.sequence} {item.change.entry_id}",
        )
        recorded.append(item)
    return recorded


def _require_unused(connection: sqlite3.Connection, log: str) -> None:
    row = connection.execute(
        "select 1 from log_changes where log = ? limit 1", (log,)
    ).fetchone()
    if row is not None:
        message = f"watchlist log {log} has begun already; a new one needs a new name"
        raise WatchlistError(message)


def _position(connection: sqlite3.Connection) -> LogPosition:
    row = connection.execute(
        "select log, sequence, chain, digest, count from log_state"
    ).fetchone()
    if row is None:
        message = "this hub has no watchlist log yet; run: edge hub init"
        raise WatchlistError(message)
    return LogPosition(*row)


def _append(
    connection: sqlite3.Connection, drafts: Iterable[DraftChange], at: datetime
) -> Iterator[RecordedChange]:
    """Yield what was appended; the end of the log is written after the last."""
    position = _position(connection)
    (lanes,) = connection.execute("select lanes from log_state").fetchone()
    entries = SetDigest.from_bytes(lanes)
    for draft in drafts:
        change = draft.at_sequence(position.sequence + 1, at)
        item = RecordedChange(change, encode_change(change))
        replaced = _replaced(connection, draft)
        position = advanced(position, entries, item, replaced)
        _write(connection, item, position)
        yield item
    connection.execute(
        "update log_state"
        " set sequence = ?, chain = ?, digest = ?, count = ?, lanes = ?",
        (
            position.sequence,
            position.chain,
            position.digest,
            position.count,
            entries.to_bytes(),
        ),
    )


def _added_again(
    connection: sqlite3.Connection, places: Sequence[tuple[str, int]]
) -> Iterator[DraftChange]:
    for place in places:
        (record,) = connection.execute(
            "select record from log_changes where log = ? and sequence = ?", place
        ).fetchone()
        change = decode_change(record)
        yield DraftChange(
            ChangeOperation.ADD, change.entry_id, change.entry, change.references
        )


def _replaced(connection: sqlite3.Connection, draft: DraftChange) -> bytes | None:
    row = connection.execute(
        "select record_digest from current_entries where entry_id = ?",
        (draft.entry_id,),
    ).fetchone()
    if draft.operation is ChangeOperation.ADD and row is not None:
        message = f"entry {draft.entry_id} is already on the watchlist"
        raise WatchlistError(message)
    if draft.operation is not ChangeOperation.ADD and row is None:
        message = f"entry {draft.entry_id} is not on the watchlist"
        raise WatchlistError(message)
    return None if row is None else bytes(row[0])


def _write(
    connection: sqlite3.Connection, item: RecordedChange, position: LogPosition
) -> None:
    change = item.change
    connection.execute(
        "insert into log_changes values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            position.log,
            position.sequence,
            change.entry_id,
            str(change.operation),
            item.record,
            position.chain,
            position.digest,
            position.count,
            change.changed_at.isoformat(),
        ),
    )
    connection.execute(
        "delete from current_entries where entry_id = ?", (change.entry_id,)
    )
    _drop_images(connection, change)
    if change.operation is not ChangeOperation.WITHDRAW:
        connection.execute(
            "insert into current_entries values (?, ?, ?, ?, ?, ?)",
            (
                change.entry_id,
                entry_key(change.entry_id),
                record_digest(item.record),
                position.log,
                position.sequence,
                len(item.record),
            ),
        )


def _drop_images(connection: sqlite3.Connection, change: WatchlistChange) -> None:
    """Let the images go of which no reference is left."""
    kept = {reference.reference_id for reference in change.references}
    held = connection.execute(
        "select reference_id from reference_images where entry_id = ?",
        (change.entry_id,),
    ).fetchall()
    connection.executemany(
        "delete from reference_images where reference_id = ?",
        [row for row in held if row[0] not in kept],
    )
