"""The decision policy: what was captured, searched and found -> what the officer gets.

In this order:
1. Any candidate is referred, whatever else went wrong.
2. A check that the officer cancelled is to be made again.
3. Without a watchlist to search, or with a device or a search that failed, the check
   is degraded. So it is where the officer went on without a sample, or took one below
   the threshold: the traveller is not held up, and is not called clear either. That
   another finger was searched in the place of a missing one does not change it; on the
   list may be the missing one.
4. A sample that was asked for but never searched, because it was too poor, nobody
   presented one or the time was over, asks for another capture.
5. Only when everything that was asked for was searched, on a watchlist that is whole
   and not too old, and nobody found, it is clear; on another it is degraded.
6. Where policy wants a second look at faces that may be pictures, or that could not be
   judged, nobody found by such a face is no clear: the face may not be the traveller's.
   The check is degraded, and the officer looks. Nothing that was found is taken back.

Samples come one by one. The evidence of all of them so far is fused, and as soon as
somebody is found the check is over: the traveller waits anyhow, and what the officer
needs is the candidate. To clear somebody is another matter. Someone on the list may
have worn fingers or a changed face, so nobody is cleared on fewer samples than the
request names, however little the first of them looked like anybody; and a sample that
speaks against a candidate is weighed only as long as nobody was found.

When everything requested has been searched and a candidate is nearly found, fingers of
the policy are asked for besides, while the time allows. They are required from then
on: who does not give one has not been cleared. When they have been given and still do
not suffice, the check is clear: the false positives that the policy allows are spent,
and one more officer's look at a stranger is what they were limited for.

Each time the evidence is weighed it may spend an equal part of the false positives that
the policy allows one check, so that stopping at the first that finds somebody does not
add to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.checkpoint.freshness import FreshnessVerdict
from edge.terms import Outcome, PresentationDecision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.terms import Candidate, Modality, PresentationVerdict, Quality

NO_WATCHLIST = "no_watchlist"
NOBODY_CAME = "nothing_presented"
DEVICE_FAILED = "device_failed"
SEARCH_FAILED = "search_failed"
# It only speaks for and against whom another modality finds: networks that cannot hold
# a list so long.
NOT_AMONG_ALL = "not_searched_among_all"
TIME_OVER = "time_over"
# Of an officer's orders: not given, said before or during the check; given, but taken
# though the policy's threshold refuses it; and the end of the check.
UNAVAILABLE = "unavailable"
SKIPPED = "skipped"
OVERRIDDEN = "overridden"
CANCELLED = "cancelled"
DEGRADING = frozenset(
    {
        DEVICE_FAILED,
        SEARCH_FAILED,
        NOT_AMONG_ALL,
        UNAVAILABLE,
        SKIPPED,
        OVERRIDDEN,
    }
)
NO_OBJECTION = FreshnessVerdict()
ATTACK_SUSPECTED = "presentation_attack_suspected"
NOT_JUDGED = "presentation_not_judged"


class PresentationPolicy(StrEnum):
    """What is done about faces that may be pictures of faces.

    OFF: nothing is judged. INFORM: the officer is told. SECOND_LOOK: besides, such a
    face ends no check in clear.
    """

    OFF = "off"
    INFORM = "inform"
    SECOND_LOOK = "second_look"


@dataclass(frozen=True)
class Finding:
    """What became of one requested sample.

    was_searched: a template of it was searched against the watchlist.
    quality: of the last capture; None if there was none.
    failure: NOBODY_CAME, DEVICE_FAILED, SEARCH_FAILED, NOT_AMONG_ALL, TIME_OVER, what
    an officer ordered, or None.
    presentation: of the face that was searched with, if policy wants it judged.
    """

    modality: Modality
    was_searched: bool = False
    quality: Quality | None = None
    attempts: int = 0
    failure: str | None = None
    presentation: PresentationVerdict | None = None


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
    candidates: tuple[Candidate, ...] = (),
    *,
    watchlist_size: int,
    watchlist: FreshnessVerdict = NO_OBJECTION,
    presentation: PresentationPolicy = PresentationPolicy.OFF,
) -> Decision:
    """Decide on one check.

    candidates: that the samples together are enough for, best first. watchlist: what
    was to be said of it when the search began. presentation: what is done about faces
    that may be pictures.

    Raises:
        ValueError: no modality was requested; the caller is at fault.
    """
    if not findings:
        message = "a check needs at least one requested modality"
        raise ValueError(message)
    doubts = _doubts(findings, presentation)
    reasons = watchlist.reasons + _reasons(findings, watchlist_size) + doubts
    if candidates:
        return Decision(Outcome.REFER, reasons, candidates)
    if any(f.failure == CANCELLED for f in findings):
        return Decision(Outcome.RETRY, reasons, ())
    if watchlist_size == 0 or any(f.failure in DEGRADING for f in findings):
        return Decision(Outcome.DEGRADED, reasons, ())
    if not all(f.was_searched for f in findings):
        return Decision(Outcome.RETRY, reasons, ())
    wants_look = presentation is PresentationPolicy.SECOND_LOOK and doubts
    if watchlist.is_degrading or wants_look:
        return Decision(Outcome.DEGRADED, reasons, ())
    return Decision(Outcome.CLEAR, reasons, ())


def _doubts(findings: Sequence[Finding], policy: PresentationPolicy) -> tuple[str, ...]:
    """Return what is to be said of how faces were presented.

    That nothing was judged is said only where the policy waits for a judgement; else
    it would stand in every check of a booth without the networks.
    """
    codes = {}
    if policy is not PresentationPolicy.OFF:
        codes[PresentationDecision.ATTACK] = ATTACK_SUSPECTED
    if policy is PresentationPolicy.SECOND_LOOK:
        codes[PresentationDecision.NOT_JUDGED] = NOT_JUDGED
    return tuple(
        f"{finding.modality}: {codes[finding.presentation.decision]}"
        for finding in findings
        if finding.presentation is not None and finding.presentation.decision in codes
    )


def _reasons(findings: Sequence[Finding], watchlist_size: int) -> tuple[str, ...]:
    reasons = [NO_WATCHLIST] if watchlist_size == 0 else []
    for finding in findings:
        if finding.failure is not None:
            reasons.append(f"{finding.modality}: {finding.failure}")
        elif not finding.was_searched and finding.quality is not None:
            codes = finding.quality.reasons
            reasons += [f"{finding.modality}: {code}" for code in codes]
    return tuple(reasons)
