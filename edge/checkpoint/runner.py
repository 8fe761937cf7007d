"""Drive one check over the ports, from the first capture to the recorded decision.

What happens in between is in `running_check.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from edge.checkpoint.check import CheckEvent, CheckLimits, CheckResult
from edge.checkpoint.freshness import judge
from edge.checkpoint.policy import Finding, decide
from edge.checkpoint.running_check import RunningCheck
from edge.checkpoint.step import OfficerSide
from edge.terms import CheckRecord, Hit, Modality, Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.check import CheckRequest
    from edge.checkpoint.policy import Decision


class CheckRunner:
    def __init__(
        self, ports: BoothPorts, *, booth_id: str, limits: CheckLimits
    ) -> None:
        self._ports = ports
        self._booth_id = booth_id
        self._limits = limits

    def run(
        self,
        request: CheckRequest,
        on_event: Callable[[CheckEvent], None] = lambda _event: None,
        officer: OfficerSide | None = None,
    ) -> CheckResult:
        """Run one check to its recorded end.

        officer: who follows the check, and may say how it goes on.

        Raises:
            StoreError: the decision could not be recorded, or the watchlist not read.
        """
        check = RunningCheck(
            self._ports, self._limits, on_event, officer or OfficerSide()
        )
        check.examine(request)
        with check.watch.stage("decide"):
            standing = check.standing
            now = self._ports.clock.now()
            decision = decide(
                check.findings,
                check.candidates,
                watchlist_size=self._ports.search.size(),
                watchlist=judge(standing, now, self._limits.watchlist_age),
                presentation=self._limits.presentation_attack,
            )
        return self._record(check, decision, request.officer)

    def _record(
        self, check: RunningCheck, decision: Decision, officer: str
    ) -> CheckResult:
        finished_at = self._ports.clock.now()
        best = decision.candidates[0] if decision.candidates else None
        entry = None if best is None else self._ports.search.entry(best.entry_id)
        hit = None
        if best is not None:
            hit = Hit(
                hit_id=uuid4().hex,
                check_id=check.check_id,
                booth_id=self._booth_id,
                occurred_at=finished_at,
                entry_id=best.entry_id,
                entry_version=0 if entry is None else entry.version,
                candidates=decision.candidates,
                evidence=tuple(check.evidence()),
            )
        presentation = None if check.face is None else check.face.presentation
        record = CheckRecord(
            check_id=check.check_id,
            started_at=check.started_at,
            finished_at=finished_at,
            outcome=decision.outcome,
            attempts=sum(f.attempts for f in check.findings),
            reasons=decision.reasons,
            duration_ms=round(sum(check.watch.timings_ms.values())),
            presentation=None if presentation is None else presentation.decision,
            exemptions=tuple(check.exemptions),
            officer=officer,
            samples=tuple(check.samples),
            timings_ms=dict(check.watch.timings_ms),
        )
        with check.watch.stage("record"):
            self._ports.recorder.record(record, hit)
        return CheckResult(
            check_id=check.check_id,
            outcome=decision.outcome,
            reasons=decision.reasons,
            candidates=decision.candidates,
            entry=entry,
            hit_id=None if hit is None else hit.hit_id,
            attempts=_attempts(check.findings),
            quality=_poorest(check.findings),
            timings_ms=dict(check.watch.timings_ms),
            watchlist=check.standing.freshness,
            face=check.face,
            searched=check.searched,
            exemptions=tuple(check.exemptions),
        )


def _attempts(findings: list[Finding]) -> dict[Modality, int]:
    attempts: dict[Modality, int] = {}
    for finding in findings:
        attempts[finding.modality] = (
            attempts.get(finding.modality, 0) + finding.attempts
        )
    return attempts


def _poorest(findings: list[Finding]) -> dict[Modality, Quality]:
    poorest: dict[Modality, Quality] = {}
    for finding in findings:
        known = poorest.get(finding.modality)
        quality = finding.quality
        if quality is not None and (known is None or quality.score < known.score):
            poorest[finding.modality] = quality
    return poorest
