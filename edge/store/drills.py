"""Drills at this booth: armed, held, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.errors import DrillError
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    import sqlite_utils

ARMED, RUNNING = "armed", "running"
_RESULTS = (
    "select drill_id, drills.entry_id, armed_by, armed_at, drills.state, check_id,"
    " drills.hit_id, outcome, captured_at, decided_at, decision_ms,"
    " (select delivered_at from hits where hits.hit_id = drills.hit_id),"
    " (select at from verdicts where verdicts.hit_id = drills.hit_id and number = 1)"
    " from drills order by armed_at desc, rowid desc limit ?"
)


@dataclass(frozen=True)
class DrillEnd:
    """What became of a drill; state: detected, missed or failed."""

    state: str
    outcome: str
    check_id: str | None = None
    hit_id: str | None = None
    captured_at: datetime | None = None
    decided_at: datetime | None = None
    decision_ms: float | None = None


@dataclass(frozen=True)
class DrillRecord:
    """One drill. state: armed, running, detected, missed or failed.

    decision_ms: from the capture to the recorded decision. delivered_at: when the hub's
    receipt came; judged_at: of the first officer's verdict. None: not yet, or never.
    """

    drill_id: str
    entry_id: str
    armed_by: str
    armed_at: datetime
    state: str
    check_id: str | None
    hit_id: str | None
    outcome: str | None
    captured_at: datetime | None
    decided_at: datetime | None
    decision_ms: float | None
    delivered_at: datetime | None
    judged_at: datetime | None


class StoredDrills:
    """Raises StoreError when the store cannot be read or written."""

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def arm(self, drill_id: str, entry_id: str, *, officer: str, at: datetime) -> None:
        """Let the next check be a drill with this entry's synthetic person.

        Raises:
            DrillError: one is armed already.
        """
        with transaction(self._database) as connection:
            waiting = connection.execute(
                "select armed_by from drills where state = ?", (ARMED,)
            ).fetchone()
            if waiting is not None:
                raise DrillError(f"a drill is armed already, by {waiting[0]}")
            connection.execute(
                "insert into drills (drill_id, entry_id, armed_by, armed_at, state)"
                " values (?, ?, ?, ?, ?)",
                (drill_id, entry_id, officer, at.isoformat(), ARMED),
            )
            append_audit(
                connection,
                at=at,
                actor=officer,
                action="armed a drill",
                subject=f"{drill_id} {entry_id}",
            )

    def disarm(self, *, officer: str, at: datetime) -> bool:
        """Take the armed drill back; False if none waits."""
        with transaction(self._database) as connection:
            row = connection.execute(
                "delete from drills where state = ? returning drill_id", (ARMED,)
            ).fetchone()
            if row is None:
                return False
            append_audit(
                connection,
                at=at,
                actor=officer,
                action="disarmed a drill",
                subject=row[0],
            )
            return True

    def take(self) -> tuple[str, str] | None:
        """Return id and entry of the armed drill, once; it runs from then on."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select 1 from drills where state = ?", (ARMED,)
            ).fetchone()
        if row is None:
            return None
        with transaction(self._database) as connection:
            taken = connection.execute(
                "update drills set state = ? where state = ?"
                " returning drill_id, entry_id",
                (RUNNING, ARMED),
            ).fetchone()
        return None if taken is None else (taken[0], taken[1])

    def finish(self, drill_id: str, end: DrillEnd) -> None:
        """Note what became of a drill."""
        with transaction(self._database) as connection:
            connection.execute(
                "update drills set state = ?, outcome = ?, check_id = ?, hit_id = ?,"
                " captured_at = ?, decided_at = ?, decision_ms = ? where drill_id = ?",
                (
                    end.state,
                    end.outcome,
                    end.check_id,
                    end.hit_id,
                    _text(end.captured_at),
                    _text(end.decided_at),
                    end.decision_ms,
                    drill_id,
                ),
            )

    def drills(self, *, limit: int = 100) -> list[DrillRecord]:
        """Return the last drills, newest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(_RESULTS, (limit,)).fetchall()
        return [_record(row) for row in rows]


def _record(row: tuple[Any, ...]) -> DrillRecord:
    return DrillRecord(
        drill_id=row[0],
        entry_id=row[1],
        armed_by=row[2],
        armed_at=datetime.fromisoformat(row[3]),
        state=row[4],
        check_id=row[5],
        hit_id=row[6],
        outcome=row[7],
        captured_at=_instant(row[8]),
        decided_at=_instant(row[9]),
        decision_ms=row[10],
        delivered_at=_instant(row[11]),
        judged_at=_instant(row[12]),
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
