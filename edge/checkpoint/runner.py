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
from edge.checkpoint.policy import SEARCH_FAILED, Finding, decide
from edge.checkpoint.step import Step, nothing_picked
from edge.errors import InputError
from edge.records.searched_face import FACE_TYPE, encode_searched_face
from edge.records.template import encode_template
from edge.terms import CheckRecord, Evidence, Hit, Modality, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.check import CheckRequest
    from edge.checkpoint.freshness import WatchlistStanding
    from edge.checkpoint.policy import Decision
    from edge.checkpoint.step import Picked, Probe
    from edge.terms import FaceGuidance, FingerPosition, SearchedFace


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
        findings = check.examine(request)
        with check.watch.stage("decide"):
            standing = check.standing
            now = self._ports.clock.now()
            decision = decide(
                findings,
                watchlist_size=self._ports.search.size(),
                watchlist=judge(standing, now, self._limits.watchlist_age),
                presentation=self._limits.presentation_attack,
            )
        return self._record(check, findings, decision)

    def _record(
        self, check: _Check, findings: list[Finding], decision: Decision
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
            attempts=sum(f.attempts for f in findings),
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
            attempts=_attempts(findings),
            quality=_poorest(findings),
            timings_ms=dict(check.watch.timings_ms),
            watchlist=check.standing.freshness,
            face=check.face,
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
        self.standing = ports.standing()

    def examine(self, request: CheckRequest) -> list[Finding]:
        findings = []
        if Modality.FINGERPRINT in request.modalities:
            findings += self._examine_fingers(request.positions)
        if Modality.FACE in request.modalities:
            findings += self._examine_face()
        return findings

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

    def _examine_fingers(self, positions: Sequence[FingerPosition]) -> list[Finding]:
        """Capture every finger, then search with all that are good enough at once."""
        captured = [take_finger(self._ports, self._step, p) for p in positions]
        good = [(finding, probe) for finding, probe in captured if probe is not None]
        searched = iter(self._search(good) if good else ())
        return [
            finding if probe is None else next(searched) for finding, probe in captured
        ]

    def _examine_face(self) -> list[Finding]:
        finding, probe = take_face(self._ports, self._step)
        return [finding] if probe is None else self._search([(finding, probe)])

    def _search(self, good: Sequence[tuple[Finding, Probe]]) -> list[Finding]:
        """Return the findings, completed by one search with all their probes.

        The candidates are of all probes together; the first finding carries them.
        """
        findings = [finding for finding, _ in good]
        modality = findings[0].modality
        self._tell("search", modality)
        standing = self._ports.standing()
        self.standing = _worse(self.standing, standing) if self._searched else standing
        self._searched += [(modality, probe) for _, probe in good]
        templates = [probe.template for _, probe in good]
        try:
            with self.watch.stage(f"{modality}.search"):
                candidates = tuple(self._ports.search.search(templates))
        except InputError:
            # The gallery holds references that a template cannot be compared with.
            return [replace(finding, failure=SEARCH_FAILED) for finding in findings]
        done = [replace(finding, was_searched=True) for finding in findings]
        return [replace(done[0], candidates=candidates), *done[1:]]

    def _tell(
        self,
        stage: str,
        modality: Modality,
        attempt: int = 0,
        *,
        share: float | None = None,
        quality: Quality | None = None,
        guidance: FaceGuidance | None = None,
    ) -> None:
        if guidance is not None:
            quality = guidance.quality
        self._on_event(
            CheckEvent(
                self.check_id, stage, modality, attempt, share, quality, guidance
            )
        )
