"""A booth's hits and what its officers said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from edge.errors import AdjudicationError
from edge.records.decisions import decode_decision, encode_decision
from edge.records.hits import decode_hit
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.outbox import add_to_outbox
from edge.store.outbox_policy import DECISION
from edge.terms import DecisionState

if TYPE_CHECKING:
    import sqlite3

    import sqlite_utils

    from edge.terms import Hit, HitDecision

OPEN_STATES = (DecisionState.UNDECIDED, DecisionState.AWAITING_SECOND)
_LINES = (
    "select hits.hit_id, check_id, entry_id, occurred_at, delivered_at, is_drill,"
    " coalesce(last.state, 'undecided') from hits left join verdicts as last"
    " on last.hit_id = hits.hit_id and last.number ="
    " (select max(number) from verdicts where verdicts.hit_id = hits.hit_id)"
)
_Row = tuple[str, str, str, str, str | None, int, str]


@dataclass(frozen=True)
class HitLine:
    """A hit as a list shows it. delivered_at: when the hub's receipt came."""

    hit_id: str
    check_id: str
    entry_id: str
    occurred_at: datetime
    delivered_at: datetime | None
    is_drill: bool
    state: DecisionState


class BoothHits:
    """Raises StoreError when the store cannot be read or written."""

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def hits(self, *, is_open: bool = False, limit: int = 100) -> list[HitLine]:
        """Return the newest hits, newest first; is_open: only those not decided."""
        states = [str(state) for state in OPEN_STATES]
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_LINES} where not ? or coalesce(last.state, 'undecided') in (?, ?)"
                " order by occurred_at desc, hits.rowid desc limit ?",
                (is_open, *states, limit),
            ).fetchall()
        return [_line(row) for row in rows]

    def line(self, hit_id: str) -> HitLine | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"{_LINES} where hits.hit_id = ?", (hit_id,)
            ).fetchone()
        return None if row is None else _line(row)

    def hit(self, hit_id: str) -> Hit | None:
        """Return a hit with its evidence."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select payload from hits where hit_id = ?", (hit_id,)
            ).fetchone()
        return None if row is None else decode_hit(row[0])

    def decisions(self, hit_id: str) -> list[HitDecision]:
        """Return the verdicts on a hit, the first officer's first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select payload from verdicts where hit_id = ? order by number",
                (hit_id,),
            ).fetchall()
        return [decode_decision(row[0]) for row in rows]

    def decide(self, decision: HitDecision) -> None:
        """Record a verdict, let it wait for the hub and audit it, all or nothing.

        Raises:
            AdjudicationError: there is no such hit, or somebody was faster.
        """
        with transaction(self._database) as connection:
            _require_next(connection, decision)
            _insert(connection, decision)

    def note_access(self, hit_id: str, *, officer: str, at: datetime) -> None:
        """Write into the audit log that an officer has looked at a hit."""
        with transaction(self._database) as connection:
            append_audit(
                connection, at=at, actor=officer, action="read hit", subject=hit_id
            )


def _require_next(connection: sqlite3.Connection, decision: HitDecision) -> None:
    known = connection.execute(
        "select 1 from hits where hit_id = ?", (decision.hit_id,)
    ).fetchone()
    if known is None:
        raise AdjudicationError(f"hit {decision.hit_id:.40}: not of this booth")
    (count,) = connection.execute(
        "select count(*) from verdicts where hit_id = ?", (decision.hit_id,)
    ).fetchone()
    if count + 1 != decision.number:
        raise AdjudicationError("somebody else has decided meanwhile; look again")


def _insert(connection: sqlite3.Connection, decision: HitDecision) -> None:
    said, payload = decision.verdict, encode_decision(decision)
    message_id = f"decision-{decision.hit_id}-{decision.number}"
    sequence = add_to_outbox(
        connection, kind=DECISION, payload=payload, at=said.at, message_id=message_id
    )
    connection.execute(
        "insert into verdicts (hit_id, number, officer, state, at, message_id,"
        " sequence, payload, stream)"
        " select ?, ?, ?, ?, ?, ?, ?, ?, stream from outbox_counter",
        (
            decision.hit_id,
            decision.number,
            said.officer,
            str(decision.state),
            said.at.isoformat(),
            message_id,
            sequence,
            payload,
        ),
    )
    append_audit(
        connection,
        at=said.at,
        actor=said.officer,
        action=f"verdict {said.verdict}",
        subject=f"{decision.hit_id} {said.reason} {decision.state}",
    )


def _line(row: _Row) -> HitLine:
    hit_id, check_id, entry_id, occurred, delivered, is_drill, state = row
    return HitLine(
        hit_id=hit_id,
        check_id=check_id,
        entry_id=entry_id,
        occurred_at=datetime.fromisoformat(occurred),
        delivered_at=None if delivered is None else datetime.fromisoformat(delivered),
        is_drill=bool(is_drill),
        state=DecisionState(state),
    )
