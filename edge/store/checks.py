"""What remains of every check: outcome, reasons and times; nothing biometric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    from datetime import datetime

    import sqlite_utils

    from edge.terms import Outcome


@dataclass(frozen=True)
class CheckRecord:
    check_id: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    attempts: int
    reasons: tuple[str, ...]
    duration_ms: int


class CheckStore:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def record_check(self, check: CheckRecord) -> None:
        """Write the check and its audit line in one transaction."""
        with transaction(self._database) as connection:
            connection.execute(
                "insert into checks values (?, ?, ?, ?, ?, ?, ?)",
                (
                    check.check_id,
                    check.started_at.isoformat(),
                    check.finished_at.isoformat(),
                    str(check.outcome),
                    check.attempts,
                    ",".join(check.reasons),
                    check.duration_ms,
                ),
            )
            append_audit(
                connection,
                at=check.finished_at,
                actor="edge-booth",
                action="checked",
                subject=f"{check.check_id} {check.outcome}",
            )

    def counts(self) -> dict[str, int]:
        """Return the number of checks by outcome."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select outcome, count(*) from checks group by outcome"
            ).fetchall()
        return {str(outcome): int(count) for outcome, count in rows}
