"""The booth's copy of the hub's watchlist log, kept in step by edge-sync.

What the core of edge.replication has accepted is applied here in one transaction with
the position it leads to. One connection, one thread.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason, StoreError, WatchlistError
from edge.replication.position import advanced, beginning
from edge.replication.set_digest import SetDigest
from edge.store.audit import append_audit
from edge.store.database import (
    mapped_errors,
    page_cache,
    transaction,
    truncate_log,
)
from edge.store.documents import StoredDocuments
from edge.store.entry_rows import insert_entry
from edge.store.held_state import read_state, recorded_digest, write_state
from edge.store.snapshot_rows import replace_entries
from edge.store.staging import StagedChunks
from edge.store.verification import verify_entries
from edge.terms import ChangeOperation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    import sqlite_utils

    from edge.replication.position import LogPosition, RecordedChange
    from edge.replication.replica import AcceptedChanges
    from edge.store.held_state import HeldState

ACTOR = "edge-sync"
# Only while a snapshot is applied: its rows come in no order that an index likes.
SNAPSHOT_CACHE_KIB = 64 * 1024
# How long the cleaning of the write-ahead log waits for readers.
SCRUB_WAIT_MS = 2000


class StoredReplica(StoredDocuments):
    def __init__(self, database: sqlite_utils.Database) -> None:
        super().__init__(database)
        self._chunks = StagedChunks(_folder_beside(database.conn))

    def position(self) -> LogPosition | None:
        """Return where this list stands in the hub's log, None if it is not the hub's.

        Only while it is None, this machine may change the list by itself.
        """
        with mapped_errors("read"):
            return read_state(self._database.conn).position

    def apply(
        self, accepted: AcceptedChanges, *, at: datetime
    ) -> list[tuple[int, str]]:
        """Apply changes and move to where they lead, in one transaction.

        A list of another log or of this machine is emptied first. Returns sequence and
        entry id of the withdrawals; they are also kept for withdrawn(). What was taken
        away is gone from the files at the return, unless somebody is reading for long.

        Raises:
            WatchlistError: the list does not stand where the changes begin.
            RefusalError: MIXED: they do not lead to the state they should.
            StoreError: the store cannot be written. Nothing has changed then.
        """
        with transaction(self._database) as connection:
            state = _starting_state(connection, accepted.before, at)
            position, entries = accepted.before, state.entries
            for recorded in accepted.changes:
                replaced = recorded_digest(connection, recorded.change.entry_id)
                position = advanced(position, entries, recorded, replaced)
                _apply_one(connection, recorded, is_there=replaced is not None)
            if position != accepted.after:
                raise RefusalError(
                    RefusalReason.MIXED,
                    f"watchlist {position.sequence}: the changes lead to other entries "
                    "than announced",
                )
            if position != state.position:
                write_state(connection, position, entries)
            withdrawn = _withdrawn_in(accepted.changes)
            _keep_withdrawn(connection, withdrawn)
            is_staging = _staged(connection) is not None
        is_removal = any(
            c.change.operation is not ChangeOperation.ADD for c in accepted.changes
        )
        self._clean_up(has_removed=is_removal, is_staging=is_staging)
        return withdrawn

    def begin_snapshot(self, manifest: bytes, digests: Collection[bytes]) -> None:
        """Collect the chunks of this manifest from now on; the old ones it has stay.

        digests: of all its chunks.
        """
        with transaction(self._database) as connection:
            connection.execute(
                "insert into staged_snapshot values (1, ?)"
                " on conflict do update set manifest = excluded.manifest",
                (manifest,),
            )
        self._chunks.keep_only(digests)

    def snapshot(self) -> bytes | None:
        """Return the manifest whose chunks are being collected."""
        with mapped_errors("read"):
            return _staged(self._database.conn)

    def missing_chunks(self, digests: Sequence[bytes]) -> list[bytes]:
        """Return those of the chunks that are not there yet, in their order."""
        return self._chunks.missing(digests)

    def add_chunk(self, digest: bytes, data: bytes) -> None:
        """Keep a chunk durably; digest: SHA-256 of data.

        Raises:
            RefusalError: MIXED: data does not have this digest.
            StoreError: it cannot be written.
        """
        self._chunks.add(digest, data)

    def chunk(self, digest: bytes) -> bytes:
        """Return a chunk.

        Raises:
            StoreError: it is missing, or damaged and now removed: get it again.
        """
        return self._chunks.read(digest)

    def drop_snapshot(self) -> None:
        """Give up the snapshot that is being collected."""
        with transaction(self._database) as connection:
            connection.execute("delete from staged_snapshot")
        self._chunks.clear()

    def apply_snapshot(
        self, position: LogPosition, records: Iterable[RecordedChange], *, at: datetime
    ) -> list[tuple[int, str]]:
        """Make the list what a snapshot says, in one transaction; end its collection.

        records: taken one by one, in any order; they may read chunk() meanwhile. An
        entry that was made by the same record keeps its rows and the numbers of its
        references. Returns what was on the list and is not in the snapshot, as
        withdrawn at its position, unless the list was of another log. Killed in
        between, nothing has changed and all chunks are still there.

        Raises:
            RefusalError: ROLLBACK: the list is newer; MIXED: the records are not the
                set of the position.
            StoreError: the store cannot be written. Nothing has changed then.
        """
        with (
            page_cache(self._database, kib=SNAPSHOT_CACHE_KIB),
            transaction(self._database) as connection,
        ):
            state = read_state(connection)
            is_same_log = state.log == position.log
            if not is_same_log:
                _empty(connection, state, at)
            _require_no_older(state, position)
            entries, gone = replace_entries(connection, records, position)
            write_state(connection, position, entries)
            if not is_same_log:
                gone = []
            withdrawn = [(position.sequence, entry_id) for entry_id in gone]
            _keep_withdrawn(connection, withdrawn)
            connection.execute("delete from staged_snapshot")
            _note(connection, at, "snapshot", f"{position.sequence} {position.count}")
        self._clean_up(has_removed=True, is_staging=False)
        return withdrawn

    def withdrawn(self, *, limit: int) -> list[tuple[int, str]]:
        """Return withdrawals that were applied and not receipted yet, oldest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select sequence, entry_id from withdrawn"
                " order by sequence, entry_id limit ?",
                (limit,),
            ).fetchall()
        return [(int(sequence), str(entry_id)) for sequence, entry_id in rows]

    def receipted(self, withdrawn: Sequence[tuple[int, str]]) -> None:
        """Forget withdrawals whose deletion receipt stands in the outbox."""
        with transaction(self._database) as connection:
            connection.executemany(
                "delete from withdrawn where sequence = ? and entry_id = ?", withdrawn
            )

    def scrub(self) -> bool:
        """Take what was deleted out of the write-ahead log; False if a reader is there.

        The rows were overwritten when they were deleted; the log has older copies.
        """
        return truncate_log(self._database, wait_ms=SCRUB_WAIT_MS)

    def verify(self, *, every: int = 1) -> int | None:
        """See edge.store.verification."""
        return verify_entries(self._database, every=every)

    def _clean_up(self, *, has_removed: bool, is_staging: bool) -> None:
        """After a commit: what fails here is done again after the next one."""
        with suppress(StoreError):
            if not is_staging:
                self._chunks.clear()
            if has_removed:
                self.scrub()


def _starting_state(
    connection: sqlite3.Connection, before: LogPosition, at: datetime
) -> HeldState:
    state = read_state(connection)
    if state.position == before:
        return state
    if state.log == before.log or before != beginning(before.log):
        held = 0 if state.position is None else state.position.sequence
        raise WatchlistError(
            f"the changes begin at {before.sequence} of log {before.log[:8]}, the list "
            f"stands at {held} of {(state.log or 'none')[:8]}; ask for others"
        )
    _empty(connection, state, at)
    state.entries = SetDigest()
    return state


def _empty(connection: sqlite3.Connection, state: HeldState, at: datetime) -> None:
    """Remove a list that is of another log or of this machine."""
    removed = connection.execute("delete from entries").rowcount
    connection.execute("delete from withdrawn")
    if removed:
        owner = "this machine" if state.log is None else f"log {state.log}"
        _note(connection, at, "emptied", f"{removed} entries of {owner}")


def _require_no_older(state: HeldState, position: LogPosition) -> None:
    held = state.position
    if held is None or held.log != position.log or held.sequence <= position.sequence:
        return
    raise RefusalError(
        RefusalReason.ROLLBACK,
        f"snapshot {position.sequence}: {held.sequence} is held already",
    )


def _apply_one(
    connection: sqlite3.Connection, recorded: RecordedChange, *, is_there: bool
) -> None:
    change = recorded.change
    if is_there:
        connection.execute("delete from entries where entry_id = ?", (change.entry_id,))
    if change.operation is not ChangeOperation.WITHDRAW:
        insert_entry(connection, change, recorded.record)
    subject = f"{change.sequence} {change.entry_id}"
    _note(connection, change.changed_at, str(change.operation), subject)


def _withdrawn_in(changes: Sequence[RecordedChange]) -> list[tuple[int, str]]:
    return [
        (c.change.sequence, c.change.entry_id)
        for c in changes
        if c.change.operation is ChangeOperation.WITHDRAW
    ]


def _keep_withdrawn(
    connection: sqlite3.Connection, withdrawn: Sequence[tuple[int, str]]
) -> None:
    connection.executemany(
        "insert into withdrawn values (?, ?) on conflict do nothing", withdrawn
    )


def _staged(connection: sqlite3.Connection) -> bytes | None:
    row = connection.execute("select manifest from staged_snapshot").fetchone()
    return None if row is None else bytes(row[0])


def _note(
    connection: sqlite3.Connection, at: datetime, what: str, subject: str
) -> None:
    append_audit(
        connection, at=at, actor=ACTOR, action=f"watchlist {what}", subject=subject
    )


def _folder_beside(connection: sqlite3.Connection) -> Path:
    (path,) = connection.execute(
        "select file from pragma_database_list where name = 'main'"
    ).fetchone()
    return Path(f"{path}-chunks")
