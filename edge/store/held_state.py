"""Where a booth's watchlist stands in the hub's log, and the sum over what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason
from edge.replication.position import LogPosition
from edge.replication.set_digest import SetDigest

if TYPE_CHECKING:
    import sqlite3


@dataclass
class HeldState:
    """position: None while the list is not the hub's; entries then means nothing."""

    position: LogPosition | None
    entries: SetDigest

    @property
    def log(self) -> str | None:
        return None if self.position is None else self.position.log


def read_state(connection: sqlite3.Connection) -> HeldState:
    log, sequence, chain, digest, count, lanes = connection.execute(
        "select log, cursor, chain, digest, count, digest_state from watchlist_state"
    ).fetchone()
    if log is None:
        return HeldState(None, SetDigest())
    position = LogPosition(log, sequence, chain, digest, count)
    return HeldState(position, SetDigest.from_bytes(lanes))


def write_state(
    connection: sqlite3.Connection, position: LogPosition, entries: SetDigest
) -> None:
    """Move to a position inside the caller's transaction.

    Raises:
        RefusalError: MIXED: these entries are not the ones of the position.
    """
    if entries.digest() != position.digest:
        raise RefusalError(
            RefusalReason.MIXED,
            f"watchlist {position.sequence}: its entries are not those of its digest",
        )
    connection.execute(
        "update watchlist_state set log = ?, cursor = ?, chain = ?, digest = ?,"
        " count = ?, digest_state = ?, revision = revision + 1",
        (
            position.log,
            position.sequence,
            position.chain,
            position.digest,
            position.count,
            entries.to_bytes(),
        ),
    )


def recorded_digest(connection: sqlite3.Connection, entry_id: str) -> bytes | None:
    """Return SHA-256 of the record that made an entry, None if it is not there."""
    row = connection.execute(
        "select record_digest from entries where entry_id = ?", (entry_id,)
    ).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])
