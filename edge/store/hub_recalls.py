"""Who has proved that a withdrawn entry is gone. Implements HubRecalls.

A booth's signed statement of what it holds proves it: if it names this log, a sequence
at or after the withdrawal, and the digest that the hub's set had there, the booth held
exactly the hub's set, without the entry.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from edge.records.hub_values import Recall
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.hub_log import append_changes
from edge.terms import ChangeOperation, DraftChange

if TYPE_CHECKING:
    import sqlite3

    import sqlite_utils

    from edge.replication.position import RecordedChange

_PROOFS = (
    "select holdings.booth_id, holdings.sequence, message_id"
    " from holdings join log_changes using (log, sequence, chain, digest)"
    " where holdings.log = (select log from log_state) and holdings.sequence >= ?"
    " order by holdings.number"
)


_WITHDRAWALS = (
    "select log_changes.sequence, log_changes.entry_id, changed_at,"
    " coalesce(originator, ''), coalesce(reason, '')"
    " from log_changes left join recalls using (log, sequence)"
    " where operation = 'withdraw' and log_changes.log = (select log from log_state)"
    " order by log_changes.sequence desc limit ?"
)


@dataclass(frozen=True)
class _Proofs:
    """A booth's statements, each at a higher sequence than all before it."""

    sequences: list[int]
    message_ids: list[str]

    def note(self, sequence: int, message_id: str) -> None:
        if not self.sequences or sequence > self.sequences[-1]:
            self.sequences.append(sequence)
            self.message_ids.append(message_id)

    def of(self, withdrawal: int) -> str | None:
        """Return the first statement at or after a withdrawal."""
        place = bisect_left(self.sequences, withdrawal)
        return self.message_ids[place] if place < len(self.sequences) else None


class StoredHubRecalls:
    def __init__(
        self, database: sqlite_utils.Database, *, actor: str = "edge-hub"
    ) -> None:
        self._database = database
        self._actor = actor

    def withdraw(
        self, entry_id: str, *, originator: str, reason: str, at: datetime
    ) -> RecordedChange:
        """Withdraw an entry, and note who wanted it and why, in one transaction.

        Raises:
            WatchlistError: no log has begun; the entry is not on the watchlist.
        """
        with transaction(self._database) as connection:
            return withdraw_entry(
                connection,
                entry_id,
                originator=originator,
                reason=reason,
                at=at,
                actor=self._actor,
            )

    def recalls(
        self, *, pending_only: bool = False, newest: int | None = None
    ) -> list[Recall]:
        """Return all withdrawals of the log, or so many of the newest; newest last."""
        with mapped_errors("read"):
            connection = self._database.conn
            limit = -1 if newest is None else newest
            rows = connection.execute(_WITHDRAWALS, (limit,)).fetchall()[::-1]
            proofs = _proofs(connection, rows[0][0] if rows else 0)
        found = (_recall(row, proofs) for row in rows)
        return [recall for recall in found if recall.pending or not pending_only]


def withdraw_entry(
    connection: sqlite3.Connection,
    entry_id: str,
    *,
    originator: str,
    reason: str,
    at: datetime,
    actor: str,
) -> RecordedChange:
    """Withdraw an entry and note the recall, in the caller's transaction.

    Raises:
        WatchlistError: no log has begun; the entry is not on the watchlist.
    """
    draft = DraftChange(ChangeOperation.WITHDRAW, entry_id)
    [recorded] = append_changes(connection, [draft], at=at, actor=actor)
    sequence = recorded.change.sequence
    connection.execute(
        "insert into recalls select log, ?, ?, ?, ?, ? from log_state",
        (sequence, entry_id, originator, reason, at.isoformat()),
    )
    append_audit(
        connection,
        at=at,
        actor=actor,
        action="recalled",
        subject=f"{sequence} {entry_id} for {originator}: {reason}",
    )
    return recorded


def _proofs(connection: sqlite3.Connection, since: int) -> dict[str, _Proofs]:
    """Return for each admitted booth the statements that proved something new."""
    booths = connection.execute(
        "select booth_id from registry where revoked_at is null order by booth_id"
    )
    proofs = {row[0]: _Proofs([], []) for row in booths}
    for booth_id, sequence, message_id in connection.execute(_PROOFS, (since,)):
        if (of_booth := proofs.get(booth_id)) is not None:
            of_booth.note(sequence, message_id)
    return proofs


def _recall(row: tuple[int, str, str, str, str], proofs: dict[str, _Proofs]) -> Recall:
    sequence, entry_id, withdrawn_at, originator, reason = row
    confirmed = {}
    for booth_id, of_booth in proofs.items():
        if (message_id := of_booth.of(sequence)) is not None:
            confirmed[booth_id] = message_id
    return Recall(
        sequence=sequence,
        entry_id=entry_id,
        withdrawn_at=datetime.fromisoformat(withdrawn_at),
        originator=originator,
        reason=reason,
        confirmed=confirmed,
        pending=tuple(booth_id for booth_id in proofs if booth_id not in confirmed),
    )
