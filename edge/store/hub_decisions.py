"""What officers at booths said of hits, in the hub's store."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edge.records.decisions import decode_decision, encode_decision
from edge.records.hub_values import StoredDecision

if TYPE_CHECKING:
    import sqlite3

    from edge.terms import HitDecision


def keep_decision(
    connection: sqlite3.Connection, decision: HitDecision, *, number: int
) -> None:
    """Write a verdict inside the caller's transaction; number: of its message."""
    connection.execute(
        "insert into received_decisions (hit_id, verdict_number, number, booth_id,"
        " state, body) values (?, ?, ?, ?, ?, ?)",
        (
            decision.hit_id,
            decision.number,
            number,
            decision.booth_id,
            str(decision.state),
            encode_decision(decision),
        ),
    )


def is_verdict_known(connection: sqlite3.Connection, decision: HitDecision) -> bool:
    """Return whether the booth has said another thing as this officer's word."""
    row = connection.execute(
        "select 1 from received_decisions"
        " where booth_id = ? and hit_id = ? and verdict_number = ?",
        (decision.booth_id, decision.hit_id, decision.number),
    ).fetchone()
    return row is not None


def decisions_on(connection: sqlite3.Connection, hit_id: str) -> list[StoredDecision]:
    """Return the verdicts of the hit's own booth; no other has a say in it."""
    rows = connection.execute(
        "select number, body, received_at from received_decisions"
        " join messages using (number) where received_decisions.hit_id = ?1"
        " and received_decisions.booth_id = coalesce((select booth_id from"
        " received_hits where hit_id = ?1), received_decisions.booth_id)"
        " order by verdict_number",
        (hit_id,),
    ).fetchall()
    return [
        StoredDecision(number, decode_decision(body), datetime.fromisoformat(received))
        for number, body, received in rows
    ]
