"""Drive one check over the ports, from the first capture to the recorded decision.

Samples and templates live in local variables of this module alone. They leave it in one
way: as evidence of a hit that is being recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from edge.checkpoint.check import CheckEvent, CheckLimits, CheckResult, Stopwatch
from edge.checkpoint.freshness import WatchlistStanding, judge
from edge.checkpoint.policy import (
    DEVICE_FAILED,
    NOBODY_CAME,
    SEARCH_FAILED,
    Finding,
    decide,
)
from edge.checkpoint.quality_gate import gated
from edge.errors import CaptureError, CaptureTimeoutError, InputError
from edge.records.template import encode_template
from edge.terms import (
    CheckRecord,
    Evidence,
    FingerPosition,
    Hit,
    Modality,
    Quality,
    QualityReason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge.checkpoint.check import CheckRequest
    from edge.checkpoint.policy import Decision
    from edge.clock import Clock
    from edge.ports import (
        CheckRecorder,
        FaceCapture,
        FaceRecognition,
        FingerprintCapture,
        FingerprintRecognition,
        WatchlistSearch,
    )
    from edge.terms import FaceSample, FingerprintSample, Template


@dataclass(frozen=True)
class BoothPorts:
    """What a booth is made of. A device that is not fitted is None.

    standing: returns what is known of the watchlist at the moment.
    """

    finger_capture: FingerprintCapture | None
    face_capture: FaceCapture | None
    finger_recognition: FingerprintRecognition
    face_recognition: FaceRecognition
    search: WatchlistSearch
    recorder: CheckRecorder
    encode_png: Callable[[NDArray[np.uint8]], bytes]
    clock: Clock
    standing: Callable[[], WatchlistStanding] = WatchlistStanding


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
    ) -> CheckResult:
        """Run one check to its recorded end.

        Raises:
            StoreError: the decision could not be recorded, or the watchlist not read.
        """
        check = _Check(self._ports, self._limits, on_event)
        findings = check.examine(request)
        with check.watch.stage("decide"):
            standing = check.standing
            now = self._ports.clock.now()
            decision = decide(
                findings,
                watchlist_size=self._ports.search.size(),
                watchlist=judge(standing, now, self._limits.watchlist_age),
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
        record = CheckRecord(
            check_id=check.check_id,
            started_at=check.started_at,
            finished_at=finished_at,
            outcome=decision.outcome,
            attempts=sum(f.attempts for f in findings),
            reasons=decision.reasons,
            duration_ms=round(sum(check.watch.timings_ms.values())),
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


@dataclass(frozen=True, eq=False)
class _Probe:
    """A sample that was good enough to search with."""

    position: FingerPosition
    image: NDArray[np.uint8]
    template: Template


class _Check:
    """One running check: its id, its times, and the samples until it is over."""

    def __init__(
        self,
        ports: BoothPorts,
        limits: CheckLimits,
        on_event: Callable[[CheckEvent], None],
    ) -> None:
        self.check_id = uuid4().hex
        self.started_at: datetime = ports.clock.now()
        self.watch = Stopwatch(ports.clock)
        self._ports = ports
        self._limits = limits
        self._on_event = on_event
        self._searched: list[tuple[Modality, _Probe]] = []
        self.standing = ports.standing()

    def examine(self, request: CheckRequest) -> list[Finding]:
        findings = []
        if Modality.FINGERPRINT in request.modalities:
            findings += self._examine_fingers(request.positions)
        if Modality.FACE in request.modalities:
            findings.append(self._examine_face())
        return findings

    def evidence(self) -> list[Evidence]:
        items = []
        for modality, probe in self._searched:
            png = self._ports.encode_png(probe.image)
            record = encode_template(probe.template)
            items.append(Evidence(modality, probe.position, "image/png", png))
            items.append(
                Evidence(modality, probe.position, "application/octet-stream", record)
            )
        return items

    def _examine_fingers(self, positions: Sequence[FingerPosition]) -> list[Finding]:
        """Capture every finger, then search with all that are good enough at once."""
        captured = [self._read_finger(position) for position in positions]
        good = [(finding, probe) for finding, probe in captured if probe is not None]
        searched = iter(self._search(good) if good else ())
        return [
            finding if probe is None else next(searched) for finding, probe in captured
        ]

    def _read_finger(self, position: FingerPosition) -> tuple[Finding, _Probe | None]:
        capture = self._ports.finger_capture
        modality = Modality.FINGERPRINT
        if capture is None:
            return Finding(modality, failure=DEVICE_FAILED), None
        quality: Quality | None = None
        for attempt in range(1, self._limits.max_attempts + 1):
            try:
                sample = self._capture_finger(capture, position, attempt)
            except CaptureTimeoutError:
                return Finding(modality, False, quality, attempt, NOBODY_CAME), None
            except CaptureError:
                return Finding(modality, False, quality, attempt, DEVICE_FAILED), None
            quality, template = self._template_of(sample)
            self._tell("assess", modality, attempt, quality=quality)
            if template is not None:
                finding = Finding(modality, quality=quality, attempts=attempt)
                return finding, _Probe(position, sample.image, template)
        return Finding(modality, False, quality, self._limits.max_attempts), None

    def _capture_finger(
        self, capture: FingerprintCapture, position: FingerPosition, attempt: int
    ) -> FingerprintSample:
        self._tell("capture", Modality.FINGERPRINT, attempt)
        with self.watch.stage("fingerprint.capture"):
            return capture.capture(
                position,
                timeout_s=self._limits.finger_timeout_s,
                on_progress=lambda share: self._tell(
                    "capture", Modality.FINGERPRINT, attempt, share=share
                ),
            )

    def _template_of(
        self, sample: FingerprintSample
    ) -> tuple[Quality, Template | None]:
        recognition = self._ports.finger_recognition
        try:
            with self.watch.stage("fingerprint.assess"):
                threshold = self._limits.finger_quality.of(sample.position)
                quality = gated(recognition.assess(sample), threshold)
            if not quality.is_sufficient:
                return quality, None
            with self.watch.stage("fingerprint.extract"):
                template = recognition.extract(sample)
        except InputError:
            wrong = (QualityReason.WRONG_RESOLUTION,)
            return Quality(0, wrong, is_sufficient=False), None
        return quality, template

    def _examine_face(self) -> Finding:
        capture = self._ports.face_capture
        modality = Modality.FACE
        if capture is None:
            return Finding(modality, failure=DEVICE_FAILED)
        clock = self._ports.clock
        deadline_s = clock.monotonic_s() + self._limits.face_timeout_s
        quality: Quality | None = None
        frames = 0
        while (left_s := deadline_s - clock.monotonic_s()) > 0:
            try:
                sample = self._capture_face(capture, left_s, frames)
            except CaptureTimeoutError:
                break
            except CaptureError:
                return Finding(modality, False, quality, frames, DEVICE_FAILED)
            frames += 1
            with self.watch.stage("face.process"):
                quality, template = self._ports.face_recognition.process(sample)
            self._tell("assess", modality, frames, quality=quality)
            if template is not None:
                finding = Finding(modality, quality=quality, attempts=frames)
                probe = _Probe(FingerPosition.UNKNOWN, sample.image, template)
                return self._search([(finding, probe)])[0]
        failure = NOBODY_CAME if quality is None else None
        return Finding(modality, False, quality, frames, failure)

    def _capture_face(
        self, capture: FaceCapture, timeout_s: float, attempt: int
    ) -> FaceSample:
        self._tell("capture", Modality.FACE, attempt)
        with self.watch.stage("face.capture"):
            return capture.latest(timeout_s=timeout_s)

    def _search(self, good: Sequence[tuple[Finding, _Probe]]) -> list[Finding]:
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
    ) -> None:
        self._on_event(
            CheckEvent(self.check_id, stage, modality, attempt, share, quality)
        )
