"""What a run of a simulated fleet showed."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.simulate.fleet_line import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.simulate.fleet_worker import Reported

HIT_IN_LOG = '"hit_id": "'
HIT_ID_LENGTH = 32


@dataclass
class FleetRecord:
    """What was seen at the hub; instants are monotonic seconds.

    published: when a change was about to be appended, by sequence. stored: id of a hit
    and when a reader of the hub's store first found it, a row each.
    """

    booths: int
    persons: int
    connected_s: float = 0.0
    played_s: float = 0.0
    settled_s: float = 0.0
    connected_at_end: int = 0
    published: dict[int, float] = field(default_factory=dict)
    stored: list[tuple[str, float]] = field(default_factory=list)
    is_secure: bool = False
    hub_peak_bytes: int | None = None
    broker_peak_bytes: int | None = None
    hub_processor_s: float | None = None
    broker_processor_s: float | None = None
    hub_log: Path | None = None


def fleet_report(record: FleetRecord, reports: Sequence[Reported]) -> dict[str, Any]:
    """Return the figures as JSON-ready data."""
    traffic = Traffic()
    for report in reports:
        traffic.add(report.traffic)
    made = dict(hit for report in reports for hit in report.times.hits)
    held = [item for report in reports for item in report.times.held]
    return {
        "booths": record.booths,
        "persons": record.persons,
        "line": "mutual TLS" if record.is_secure else "plain",
        "seconds": round(record.played_s, 1),
        "connected_s": round(record.connected_s, 1),
        "settled_s": round(record.settled_s, 1),
        "changes": _changes(record, held),
        "hits": _hits(record, made),
        "line_use": {
            **vars(traffic),
            "reconnections": traffic.connections - record.booths,
            "connected_at_end": record.connected_at_end,
            "refusals": sum(report.refusals for report in reports),
        },
        "processes": {
            "hub_peak_bytes": record.hub_peak_bytes,
            "hub_processor_s": record.hub_processor_s,
            "broker_peak_bytes": record.broker_peak_bytes,
            "broker_processor_s": record.broker_processor_s,
            "booths_processor_s": round(sum(r.cpu_s for r in reports), 1),
        },
    }


def _changes(
    record: FleetRecord, held: Iterable[tuple[int, int, float]]
) -> dict[str, Any]:
    """Compare when a change was published with when each booth held it.

    A booth that moved past a change held it at that instant, however many came at once.
    """
    moves: dict[int, _Moves] = defaultdict(_Moves)
    for booth, sequence, at_s in held:
        moves[booth].sequences.append(sequence)
        moves[booth].instants_s.append(at_s)
    each, last = [], []
    for sequence, at_s in record.published.items():
        reached_s = [booth.reached_s(sequence) for booth in moves.values()]
        delays_s = [arrived_s - at_s for arrived_s in reached_s if arrived_s]
        each += delays_s
        if len(delays_s) == record.booths:
            last.append(max(delays_s))
    return {
        "published": len(record.published),
        "reached_every_booth": len(last),
        "publish_to_held": _milliseconds(each),
        "publish_to_last_booth": _milliseconds(last),
    }


@dataclass
class _Moves:
    """How a booth moved along the log; both lists rise."""

    sequences: list[int] = field(default_factory=list)
    instants_s: list[float] = field(default_factory=list)

    def reached_s(self, sequence: int) -> float | None:
        place = bisect_left(self.sequences, sequence)
        return self.instants_s[place] if place < len(self.instants_s) else None


def _hits(record: FleetRecord, made: dict[str, float]) -> dict[str, Any]:
    rows = Counter(hit_id for hit_id, _ in record.stored)
    shown = _shown(record.hub_log)
    return {
        "made": len(made),
        "lost": len(made.keys() - rows.keys()),
        "foreign": len(rows.keys() - made.keys()),
        "stored_twice": sum(count - 1 for count in rows.values()),
        "shown_twice": sum(count - 1 for count in shown.values()),
        "not_shown": len(made.keys() - shown.keys()),
        "hit_to_store": _milliseconds(
            [at_s - made[hit_id] for hit_id, at_s in record.stored if hit_id in made]
        ),
    }


def _shown(log: Path | None) -> Counter[str]:
    """Count the hub's lines for the operator, by hit."""
    if log is None:
        return Counter()
    text = log.read_text(encoding="utf-8", errors="replace")
    return Counter(part[:HIT_ID_LENGTH] for part in text.split(HIT_IN_LOG)[1:])


def _milliseconds(seconds: Sequence[float]) -> dict[str, float | int | None]:
    if not seconds:
        return {"count": 0, "median_ms": None, "p99_ms": None, "most_ms": None}
    ms = 1000 * np.array(seconds)
    return {
        "count": len(seconds),
        "median_ms": round(float(np.median(ms)), 1),
        "p99_ms": round(float(np.percentile(ms, 99)), 1),
        "most_ms": round(float(ms.max()), 1),
    }
