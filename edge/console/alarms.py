"""How loud a case is: it grows with the time that nobody has claimed it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.records.console_values import CaseState

if TYPE_CHECKING:
    from datetime import datetime

    from edge.records.console_values import Case


class Alarm(StrEnum):
    """How long nobody has claimed a case.

    QUIET: somebody has it, or it is over. NEW: nobody yet. OVERDUE: nobody in the time
    allowed. LOST: nobody for much longer than that.
    """

    QUIET = "quiet"
    NEW = "new"
    OVERDUE = "overdue"
    LOST = "lost"


@dataclass(frozen=True)
class AlarmLimits:
    """Seconds that an unclaimed case may wait."""

    overdue_after_s: float = 60.0
    lost_after_s: float = 300.0


def alarm_of(case: Case, now: datetime, limits: AlarmLimits) -> Alarm:
    """Return how loud a case is now."""
    if case.state is CaseState.CLOSED or case.claimed_by is not None:
        return Alarm.QUIET
    waiting_s = (now - case.received_at).total_seconds()
    if waiting_s >= limits.lost_after_s:
        return Alarm.LOST
    return Alarm.OVERDUE if waiting_s >= limits.overdue_after_s else Alarm.NEW
