"""The entries of a snapshot against the rows that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason
from edge.replication.set_digest import SetDigest, record_digest
from edge.store.entry_rows import insert_entry
from edge.store.held_state import recorded_digest
from edge.terms import ChangeOperation

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from edge.replication.position import LogPosition, RecordedChange


def replace_entries(
    connection: sqlite3.Connection,
    records: Iterable[RecordedChange],
    position: LogPosition,
) -> tuple[SetDigest, list[str]]:
    """Make the rows what the records say; return their digest and the ids now gone.

    Rows that the same record made are not touched. Inside the caller's transaction.

    Raises:
        RefusalError: MIXED: an entry comes twice or is a withdrawal, or there are not
            as many entries as the position counts.
    """
    entries, count = SetDigest(), 0
    connection.execute(
        "create temp table in_snapshot (entry_id text primary key) without rowid"
    )
    for recorded in records:
        _note_once(connection, recorded)
        digest = record_digest(recorded.record)
        entries.add(recorded.change.entry_id, digest)
        count += 1
        if count > position.count:
            break
        _bring_up(connection, recorded, digest)
    if count != position.count:
        raise RefusalError(
            RefusalReason.MIXED,
            f"snapshot {position.sequence}: {position.count} entries announced, "
            f"{'more' if count > position.count else count} found",
        )
    gone = [
        row[0]
        for row in connection.execute(
            "delete from entries where entry_id not in (select entry_id from"
            " in_snapshot) returning entry_id"
        ).fetchall()
    ]
    connection.execute("drop table in_snapshot")
    return entries, gone


def _note_once(connection: sqlite3.Connection, recorded: RecordedChange) -> None:
    change = recorded.change
    is_new = connection.execute(
        "insert into in_snapshot values (?) on conflict do nothing", (change.entry_id,)
    ).rowcount
    if not is_new or change.operation is ChangeOperation.WITHDRAW:
        raise RefusalError(
            RefusalReason.MIXED,
            f"snapshot: entry {change.entry_id} comes twice or is withdrawn",
        )


def _bring_up(
    connection: sqlite3.Connection, recorded: RecordedChange, digest: bytes
) -> None:
    entry_id = recorded.change.entry_id
    if recorded_digest(connection, entry_id) == digest:
        return
    connection.execute("delete from entries where entry_id = ?", (entry_id,))
    insert_entry(connection, recorded.change, recorded.record)
