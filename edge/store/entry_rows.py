"""An entry of the watchlist and its references as rows, and back."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.records.changes import (
    StoredReference,
    encode_stored_change,
    stored_references,
)
from edge.records.template import encode_template
from edge.terms import ChangeOperation, WatchlistChange, WatchlistEntry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

ENTRY_COLUMNS = (
    "entry_id, version, category, originator, handling_code, legal_basis,"
    " instruction, valid_from, expires_at, name"
)
RECORD_COLUMNS = "sequence, operation, changed_at, record_digest, row_digest"


def insert_entry(
    connection: sqlite3.Connection,
    change: WatchlistChange,
    record: bytes | None = None,
) -> None:
    """Write the entry of a change with its references, in the caller's transaction.

    record: the bytes that change was decoded from; None for a change of this machine.

    Raises:
        WatchlistError: the change has no entry.
    """
    entry = change.entry
    if entry is None:
        message = f"watchlist change {change.sequence}: no entry to {change.operation}"
        raise WatchlistError(message)
    references = (
        _own_references(change) if record is None else stored_references(record)
    )
    connection.execute(
        f"insert into entries ({ENTRY_COLUMNS}, {RECORD_COLUMNS})"  # noqa: S608  constants
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_columns(entry), *_record_columns(change, references, record)),
    )
    connection.executemany(
        "insert into biometric_references"
        " (reference_id, modality, position, template, entry_id)"
        " values (?, ?, ?, ?, ?)",
        [(*reference, entry.entry_id) for reference in references],
    )


def entry_of_row(row: Sequence[str]) -> WatchlistEntry:
    """Return the entry of a row of ENTRY_COLUMNS."""
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


def record_of_row(
    entry: WatchlistEntry,
    made_by: tuple[int, str, str],
    references: Sequence[StoredReference],
) -> bytes:
    """Return the record that the rows of an entry give.

    made_by: the columns sequence, operation and changed_at.
    """
    sequence, operation, changed_at = made_by
    change = WatchlistChange(
        sequence=sequence,
        operation=ChangeOperation(operation),
        entry_id=entry.entry_id,
        entry=entry,
        references=(),
        changed_at=datetime.fromisoformat(changed_at),
    )
    return encode_stored_change(change, references)


def instant_text(instant: datetime) -> str:
    """Return text that sorts as the instants do: all in UTC."""
    return instant.astimezone(UTC).isoformat()


def _own_references(change: WatchlistChange) -> list[StoredReference]:
    return [
        StoredReference(
            r.reference_id,
            str(r.modality),
            int(r.position),
            encode_template(r.template),
        )
        for r in change.references
    ]


def _columns(entry: WatchlistEntry) -> tuple[object, ...]:
    expires = entry.expires_at
    return (
        entry.entry_id,
        entry.version,
        entry.category,
        entry.originator,
        entry.handling_code,
        entry.legal_basis,
        entry.instruction,
        instant_text(entry.valid_from),
        None if expires is None else instant_text(expires),
        entry.name,
    )


def _record_columns(
    change: WatchlistChange,
    references: Sequence[StoredReference],
    record: bytes | None,
) -> tuple[object, ...]:
    if record is None:
        return (None,) * 5
    record_digest = hashlib.sha256(record).digest()
    # Another writer may spell the same change otherwise; what the rows give is noted.
    row_digest = hashlib.sha256(encode_stored_change(change, references)).digest()
    return (
        change.sequence,
        str(change.operation),
        change.changed_at.isoformat(),
        record_digest,
        None if row_digest == record_digest else row_digest,
    )
