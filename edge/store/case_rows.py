"""A case and its timeline as rows, and back."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.records.console_values import (
    Case,
    CaseEvent,
    CaseOutcome,
    CaseState,
    EventKind,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

CASE_COLUMNS = (
    "hit_id, number, booth_id, check_id, entry_id, entry_version, name, category,"
    " handling_code, severity, is_drill, is_historical, modalities, false_match_rate,"
    " occurred_at, received_at, state, claimed_by, claimed_at, escalated_at, decision,"
    " outcome, closed_at"
)
EVENT_COLUMNS = "number, hit_id, at, actor, kind, body"


def case_of(row: tuple[Any, ...]) -> Case:
    """Return the case of a row of CASE_COLUMNS."""
    values = dict(zip(CASE_COLUMNS.split(", "), row, strict=True))
    for name in ("is_drill", "is_historical"):
        values[name] = bool(values[name])
    for name in ("occurred_at", "received_at"):
        values[name] = datetime.fromisoformat(values[name])
    for name in ("claimed_at", "escalated_at", "closed_at"):
        values[name] = instant(values[name])
    values["modalities"] = tuple(filter(None, values["modalities"].split(",")))
    values["state"] = CaseState(values["state"])
    outcome = values["outcome"]
    values["outcome"] = None if outcome is None else CaseOutcome(outcome)
    return Case(**values)


def event_of(row: tuple[int, str, str, str, str, str]) -> CaseEvent:
    """Return the event of a row of EVENT_COLUMNS."""
    number, hit_id, at, actor, kind, body = row
    return CaseEvent(
        number=number,
        hit_id=hit_id,
        at=datetime.fromisoformat(at),
        actor=actor,
        kind=EventKind(kind),
        body=json.loads(body),
    )


def add_event(
    connection: sqlite3.Connection,
    hit_id: str,
    kind: EventKind,
    *,
    at: datetime,
    actor: str,
    body: Mapping[str, Any] | None = None,
) -> None:
    """Append to the timeline of a case, in the caller's transaction."""
    text = json.dumps(body or {}, ensure_ascii=False, separators=(",", ":"))
    connection.execute(
        "insert into case_events (hit_id, at, actor, kind, body)"
        " values (?, ?, ?, ?, ?)",
        (hit_id, at.isoformat(), actor, str(kind), text),
    )


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
