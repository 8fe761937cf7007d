"""The decision policy: what was captured, searched and found -> what the officer gets.

In this order:
1. Any candidate is referred, whatever else went wrong.
2. Without a watchlist to search, or with a device or a search that failed, the check
   is degraded.
3. A modality that was asked for but never searched, because its samples were too poor
   or nobody presented one, asks for another capture.
4. Only when everything that was asked for was searched, on a watchlist that is whole
   and not too old, and nobody found, it is clear; on another it is degraded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.checkpoint.freshness import FreshnessVerdict
from edge.terms import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.terms import Candidate, Modality, Quality

NO_WATCHLIST = "no_watchlist"
NOBODY_CAME = "nothing_presented"
DEVICE_FAILED = "device_failed"
SEARCH_FAILED = "search_failed"
DEGRADING = frozenset({DEVICE_FAILED, SEARCH_FAILED})
NO_OBJECTION = FreshnessVerdict()


@dataclass(frozen=True)
class Finding:
    """What became of one requested modality.

    was_searched: a template of it was searched against the watchlist.
    quality: of the last sample; None if there was none.
    failure: NOBODY_CAME, DEVICE_FAILED, SEARCH_FAILED, or None.
    """

    modality: Modality
    was_searched: bool = False
    quality: Quality | None = None
    attempts: int = 0
    failure: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Decision:
    """reasons: "<modality>: <code>", NO_WATCHLIST, or of edge.checkpoint.freshness.

    candidates: best first.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]


def decide(
    findings: Sequence[Finding],
    *,
    watchlist_size: int,
    watchlist: FreshnessVerdict = NO_OBJECTION,
) -> Decision:
    """Decide on one check.

    watchlist: what was to be said of it when the search began.

    Raises:
        ValueError: no modality was requested; the caller is at fault.
    """
    if not findings:
        message = "a check needs at least one requested modality"
        raise ValueError(message)
    candidates = _ranked(findings)
    reasons = watchlist.reasons + _reasons(findings, watchlist_size)
    if candidates:
        return Decision(Outcome.REFER, reasons, candidates)
    if watchlist_size == 0 or any(f.failure in DEGRADING for f in findings):
        return Decision(Outcome.DEGRADED, reasons, ())
    if not all(f.was_searched for f in findings):
        return Decision(Outcome.RETRY, reasons, ())
    if watchlist.is_degrading:
        return Decision(Outcome.DEGRADED, reasons, ())
    return Decision(Outcome.CLEAR, reasons, ())


def _ranked(findings: Sequence[Finding]) -> tuple[Candidate, ...]:
    candidates = [c for finding in findings for c in finding.candidates]
    return tuple(sorted(candidates, key=lambda c: c.score.false_match_rate))


def _reasons(findings: Sequence[Finding], watchlist_size: int) -> tuple[str, ...]:
    reasons = [NO_WATCHLIST] if watchlist_size == 0 else []
    for finding in findings:
        if finding.failure is not None:
            reasons.append(f"{finding.modality}: {finding.failure}")
        elif not finding.was_searched and finding.quality is not None:
            codes = finding.quality.reasons
            reasons += [f"{finding.modality}: {code}" for code in codes]
    return tuple(reasons)
