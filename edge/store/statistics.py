"""What a supervisor reads of a booth's checks: counts and medians, no traveller."""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.store.database import mapped_errors
from edge.terms import Modality, Outcome

if TYPE_CHECKING:
    import sqlite_utils

# Of one answer; a busy booth has some 2,000 checks a day.
MOST_CHECKS = 50_000


class CheckStatistics:
    """For the thread of its database."""

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def between(self, start: datetime, end: datetime) -> dict[str, Any]:
        """Return the statistics of the checks that ended in [start, end), JSON-ready.

        checks: by outcome. by_hour: the same for each hour that has any. times: of the
        whole check and of each stage, in seconds. by_finger, by_scanner, by_camera:
        captures, refused ones, median quality. by_officer: checks, median seconds.
        reasons: why samples were refused and checks did not end clear.

        Raises:
            StoreError: the store cannot be read.
        """
        span = (start.isoformat(), end.isoformat(), MOST_CHECKS)
        with mapped_errors("read"):
            checks = self._database.conn.execute(
                "select check_id, finished_at, outcome, reasons, duration_ms, officer,"
                " timings from checks where finished_at >= ? and finished_at < ?"
                " order by finished_at desc limit ?",
                span,
            ).fetchall()
            samples = self._database.conn.execute(
                "select s.modality, s.position, s.device, s.quality, s.is_sufficient,"
                " s.reasons from checks c join check_samples s using (check_id)"
                " where c.finished_at >= ? and c.finished_at < ?"
                " order by c.finished_at desc limit ?",
                span,
            ).fetchall()
        fingers = [row for row in samples if row[0] == Modality.FINGERPRINT]
        faces = [row for row in samples if row[0] == Modality.FACE]
        return {
            "from": start.isoformat(),
            "to": end.isoformat(),
            "checks": _outcomes(row[2] for row in checks),
            "by_hour": _by_hour(checks),
            "by_officer": _by_officer(checks),
            "times": _times(checks),
            "by_finger": _qualities(fingers, 1, "position"),
            "by_scanner": _qualities(fingers, 2, "name"),
            "by_camera": _qualities(faces, 2, "name"),
            "reasons": _reasons(checks, samples),
        }


def _outcomes(found: Any) -> dict[str, int]:  # noqa: ANN401  the rows are untyped
    counts = Counter(found)
    return {str(outcome): counts.get(str(outcome), 0) for outcome in Outcome}


def _by_hour(checks: list[Any]) -> list[dict[str, Any]]:
    hours: dict[str, list[str]] = defaultdict(list)
    for _, finished_at, outcome, *_ in checks:
        hour = datetime.fromisoformat(finished_at).replace(
            minute=0, second=0, microsecond=0
        )
        hours[hour.isoformat()].append(outcome)
    return [{"hour": hour, **_outcomes(hours[hour])} for hour in sorted(hours)]


def _by_officer(checks: list[Any]) -> list[dict[str, Any]]:
    durations: dict[str, list[int]] = defaultdict(list)
    for *_, duration_ms, officer, _timings in checks:
        durations[officer].append(duration_ms)
    return [
        {
            "name": name,
            "checks": len(durations[name]),
            "seconds": round(statistics.median(durations[name]) / 1000, 2),
        }
        for name in sorted(durations)
    ]


def _times(checks: list[Any]) -> list[dict[str, Any]]:
    stages: dict[str, list[float]] = defaultdict(list)
    for *_, duration_ms, _officer, timings in checks:
        stages["check"].append(duration_ms)
        for name, spent_ms in json.loads(timings).items():
            stages[name].append(spent_ms)
    return [
        {
            "name": name,
            "median_s": round(statistics.median(spent) / 1000, 3),
            "p95_s": round(_percentile_95(spent) / 1000, 3),
        }
        for name, spent in stages.items()
    ]


def _percentile_95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def _qualities(samples: list[Any], column: int, name: str) -> list[dict[str, Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for row in samples:
        groups[row[column]].append(row)
    return [
        {
            name: key,
            "captures": len(groups[key]),
            "refused": sum(not row[4] for row in groups[key]),
            "quality": round(statistics.median(row[3] for row in groups[key])),
        }
        for key in sorted(groups)
    ]


def _reasons(checks: list[Any], samples: list[Any]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    for modality, *_, is_sufficient, reasons in samples:
        if not is_sufficient:
            counts.update(f"{modality}: {one}" for one in reasons.split(",") if one)
    for _, _, outcome, reasons, *_ in checks:
        if outcome == Outcome.DEGRADED:
            counts.update(one for one in reasons.split(",") if one)
    return [{"reason": reason, "count": n} for reason, n in counts.most_common()]
