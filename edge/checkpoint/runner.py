"""Drive one check over the ports, from the first capture to the recorded decision.

Samples and templates live in local variables of this module and of the steps alone.
They leave it in one way: as evidence of a hit that is being recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from edge.checkpoint.check import CheckEvent, CheckLimits, CheckResult, Stopwatch
from edge.checkpoint.face_step import take_face
from edge.checkpoint.finger_step import take_finger
from edge.checkpoint.freshness import judge
from edge.checkpoint.policy import (
    NOT_AMONG_ALL,
    SEARCH_FAILED,
    TIME_OVER,
    Finding,
    decide,
)
from edge.checkpoint.step import Step, nothing_picked
from edge.errors import InputError
from edge.records.searched_face import FACE_TYPE, encode_searched_face
from edge.records.template import encode_template
from edge.terms import CheckRecord, Evidence, FingerPosition, Hit, Modality, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.check import CheckRequest
    from edge.checkpoint.freshness import WatchlistStanding
    from edge.checkpoint.policy import Decision
    from edge.checkpoint.step import Picked, Probe
    from edge.terms import Candidate, FaceGuidance, SearchedFace


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
        picked: Picked = nothing_picked,
    ) -> CheckResult:
        """Run one check to its recorded end.

        picked: asked again and again for the face that the officer pointed at.

        Raises:
            StoreError: the decision could not be recorded, or the watchlist not read.
        """
        check = _Check(self._ports, self._limits, on_event, picked)
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
        return self._record(check, decision)

    def _record(self, check: _Check, decision: Decision) -> CheckResult:
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


def _required(
    request: CheckRequest, limits: CheckLimits
) -> list[tuple[Modality, FingerPosition]]:
    """Return the samples without which nobody is cleared, in their order."""
    samples: list[tuple[Modality, FingerPosition]] = []
    for modality in limits.order:
        if modality not in request.modalities:
            continue
        if modality is Modality.FACE:
            samples.append((modality, FingerPosition.UNKNOWN))
        else:
            samples += [(modality, position) for position in request.positions]
    return samples


def _questions(required: Sequence[tuple[Modality, FingerPosition]], extra: int) -> int:
    """Return how often a check may ask whether the evidence is enough for somebody.

    Once a sample of the first modality; from the other's first on twice, of all samples
    and of those of its modality.
    """
    first, _ = required[0]
    of_first = sum(modality is first for modality, _ in required)
    of_second = len(required) - of_first
    return of_first + 2 * of_second + (2 if of_second else 1) * extra


def _extra(request: CheckRequest, limits: CheckLimits) -> list[FingerPosition]:
    """Return the fingers that may be asked for besides.

    None if a finger of the request is unknown: it could be the same once more, and two
    samples of one finger are no independent evidence.
    """
    is_known = FingerPosition.UNKNOWN not in request.positions
    if Modality.FINGERPRINT not in request.modalities or not is_known:
        return []
    return [p for p in limits.extra_fingers if p not in request.positions]


def _worse(before: WatchlistStanding, now: WatchlistStanding) -> WatchlistStanding:
    """Return the present standing; what an earlier search missed stays missed."""
    return replace(
        now,
        is_building=before.is_building or now.is_building,
        lag_s=max(before.lag_s, now.lag_s),
    )


class _Check:
    """One running check: its id, its times, and the samples until it is over."""

    def __init__(
        self,
        ports: BoothPorts,
        limits: CheckLimits,
        on_event: Callable[[CheckEvent], None],
        picked: Picked,
    ) -> None:
        self.check_id = uuid4().hex
        self.started_at: datetime = ports.clock.now()
        self.watch = Stopwatch(ports.clock)
        self._ports = ports
        self._on_event = on_event
        self._step = Step(limits, self.watch, self._tell, picked)
        self._searched: list[tuple[Modality, Probe]] = []
        self._started_s = ports.clock.monotonic_s()
        self._person = ports.search.begin()
        self._is_open = False
        self.standing = ports.standing()
        self.findings: list[Finding] = []
        self.candidates: tuple[Candidate, ...] = ()

    def examine(self, request: CheckRequest) -> None:
        """Take sample by sample until somebody is found or nothing is left to ask."""
        required = _required(request, self._step.limits)
        extra = _extra(request, self._step.limits)
        share = 1 / _questions(required, len(extra))
        for modality, position in required:
            self._take(modality, position, share)
            if self.candidates:
                return
        is_whole = all(finding.was_searched for finding in self.findings)
        for position in extra if is_whole else ():
            if not self._is_open:
                return
            self._take(Modality.FINGERPRINT, position, share)
            if self.candidates:
                return

    @property
    def face(self) -> SearchedFace | None:
        """Return which face was searched with."""
        faces = (probe.face for _, probe in self._searched)
        return next((face for face in faces if face is not None), None)

    def evidence(self) -> list[Evidence]:
        items = []
        for modality, probe in self._searched:
            png = self._ports.encode_png(probe.image)
            record = encode_template(probe.template)
            items.append(Evidence(modality, probe.position, "image/png", png))
            items.append(
                Evidence(modality, probe.position, "application/octet-stream", record)
            )
            if probe.face is not None:
                about = encode_searched_face(probe.face)
                items.append(Evidence(modality, probe.position, FACE_TYPE, about))
        return items

    @property
    def searched(self) -> tuple[tuple[Modality, FingerPosition], ...]:
        return tuple((modality, probe.position) for modality, probe in self._searched)

    def _take(self, modality: Modality, position: FingerPosition, share: float) -> None:
        spent_s = self._ports.clock.monotonic_s() - self._started_s
        if self.findings and spent_s >= self._step.limits.check_time_s:
            self.findings.append(Finding(modality, failure=TIME_OVER))
            return
        if modality is Modality.FACE:
            finding, probe = take_face(self._ports, self._step)
        else:
            finding, probe = take_finger(self._ports, self._step, position)
        if probe is not None:
            finding = self._look(finding, probe, share)
        self.findings.append(finding)

    def _look(self, finding: Finding, probe: Probe, share: float) -> Finding:
        """Search with all probes so far; return the finding of this one, completed."""
        modality = finding.modality
        self._tell("search", modality)
        standing = self._ports.standing()
        self.standing = _worse(self.standing, standing) if self._searched else standing
        self._searched.append((modality, probe))
        try:
            with self.watch.stage(f"{modality}.search"):
                found = self._person.look([probe.template], share=share)
        except InputError:
            # The gallery holds references that a template cannot be compared with.
            return replace(finding, failure=SEARCH_FAILED)
        self.candidates, self._is_open = found.candidates, found.is_open
        if modality in found.unsearched:
            return replace(finding, failure=NOT_AMONG_ALL)
        return replace(finding, was_searched=True)

    def _tell(
        self,
        stage: str,
        modality: Modality,
        attempt: int = 0,
        *,
        share: float | None = None,
        quality: Quality | None = None,
        guidance: FaceGuidance | None = None,
        position: FingerPosition | None = None,
    ) -> None:
        if guidance is not None:
            quality = guidance.quality
        where = (self.check_id, stage, modality, attempt)
        self._on_event(CheckEvent(*where, share, quality, guidance, position))
