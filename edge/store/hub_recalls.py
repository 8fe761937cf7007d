"""Who has proved that a withdrawn entry is gone. Implements HubRecalls.

A booth's signed statement of what it holds proves it: if it names this log, a sequence
at or after the withdrawal, and the digest that the hub's set had there, the booth held
exactly the hub's set, without the entry.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.records.hub_values import Recall
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    import sqlite_utils

_PROOFS = (
    "select holdings.booth_id, message_id from holdings join log_changes"
    " on log_changes.log = holdings.log"
    " and log_changes.sequence = holdings.sequence"
    " and log_changes.chain = holdings.chain"
    " and log_changes.digest = holdings.digest"
    " where holdings.log = ? and holdings.sequence >= ?"
    " order by holdings.number"
)


class StoredHubRecalls:
    def __init__(
        self, database: sqlite_utils.Database, *, actor: str = "edge-hub"
    ) -> None:
        self._database = database
        self._actor = actor

    def note_withdrawal(
        self, sequence: int, *, originator: str, reason: str, at: datetime
    ) -> None:
        """Note who wanted a withdrawal, and why.

        Raises:
            WatchlistError: the change of this sequence number is no withdrawal.
        """
        with transaction(self._database) as connection:
            row = connection.execute(
                "select log, entry_id from log_changes where operation = 'withdraw'"
                " and log = (select log from log_state) and sequence = ?",
                (sequence,),
            ).fetchone()
            if row is None:
                message = f"change {sequence} is no withdrawal"
                raise WatchlistError(message)
            connection.execute(
                "insert into recalls values (?, ?, ?, ?, ?, ?) on conflict do nothing",
                (row[0], sequence, row[1], originator, reason, at.isoformat()),
            )
            append_audit(
                connection,
                at=at,
                actor=self._actor,
                action="recalled",
                subject=f"{sequence} {row[1]} for {originator}: {reason}",
            )

    def recalls(self, *, pending_only: bool = False) -> list[Recall]:
        """Return all withdrawals of the log, newest last."""
        with mapped_errors("read"):
            connection = self._database.conn
            admitted = [
                row[0]
                for row in connection.execute(
                    "select booth_id from registry where revoked_at is null"
                    " order by booth_id"
                )
            ]
            rows = connection.execute(
                "select log_changes.log, log_changes.sequence, log_changes.entry_id,"
                " changed_at, coalesce(originator, ''), coalesce(reason, '')"
                " from log_changes left join recalls using (log, sequence)"
                " where operation = 'withdraw'"
                " and log_changes.log = (select log from log_state)"
                " order by log_changes.sequence"
            ).fetchall()
            found = [self._recall(row, admitted) for row in rows]
        return [recall for recall in found if recall.pending or not pending_only]

    def _recall(
        self, row: tuple[str, int, str, str, str, str], admitted: list[str]
    ) -> Recall:
        log, sequence, entry_id, withdrawn_at, originator, reason = row
        confirmed: dict[str, str] = {}
        for booth_id, message_id in self._database.conn.execute(
            _PROOFS, (log, sequence)
        ):
            if booth_id in admitted:
                confirmed.setdefault(booth_id, message_id)
        return Recall(
            sequence=sequence,
            entry_id=entry_id,
            withdrawn_at=datetime.fromisoformat(withdrawn_at),
            originator=originator,
            reason=reason,
            confirmed=confirmed,
            pending=tuple(b for b in admitted if b not in confirmed),
        )
