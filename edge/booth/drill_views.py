"""Drills and what they measured, as JSON for the supervisor's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from edge.store.drills import DrillRecord


def drill_view(drill: DrillRecord) -> dict[str, Any]:
    """Return a drill; times in seconds, null where it has not come to that.

    capture_to_decision_s: until it was recorded. decision_to_hub_s: until the hub's
    receipt. decision_to_verdict_s: until the first officer's verdict.
    """
    spent_ms = drill.decision_ms
    return {
        "drill_id": drill.drill_id,
        "entry_id": drill.entry_id,
        "armed_by": drill.armed_by,
        "armed_at": drill.armed_at.isoformat(),
        "state": drill.state,
        "outcome": drill.outcome,
        "check_id": drill.check_id,
        "hit_id": drill.hit_id,
        "captured_at": _text(drill.captured_at),
        "decided_at": _text(drill.decided_at),
        "capture_to_decision_s": None if spent_ms is None else spent_ms / 1000,
        "decision_to_hub_s": _between(drill.decided_at, drill.delivered_at),
        "decision_to_verdict_s": _between(drill.decided_at, drill.judged_at),
    }


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds between; a clock that was set back makes none negative."""
    if start is None or end is None:
        return None
    return round(max(0.0, (end - start).total_seconds()), 3)
