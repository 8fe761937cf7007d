"""One check while it runs: the samples so far, and which is taken next.

Samples and templates live in local variables of this module and of the steps alone.
They leave it in one way: as evidence of a hit that is being recorded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from edge.checkpoint.check import CheckEvent, Stopwatch
from edge.checkpoint.face_step import take_face
from edge.checkpoint.finger_step import take_finger
from edge.checkpoint.officer_order import OF_THE_PERSON, exemption_of, other_finger
from edge.checkpoint.policy import (
    CANCELLED,
    NOT_AMONG_ALL,
    SEARCH_FAILED,
    SKIPPED,
    TIME_OVER,
    UNAVAILABLE,
    Finding,
)
from edge.checkpoint.sample_plan import (
    extra_fingers,
    questions,
    required_samples,
    unavailable_of,
)
from edge.checkpoint.step import Step
from edge.errors import InputError
from edge.records.searched_face import FACE_TYPE, encode_searched_face
from edge.records.template import encode_template
from edge.terms import (
    AssessedSample,
    Evidence,
    Exemption,
    ExemptionKind,
    FaceGuidance,
    FingerGuidance,
    FingerPosition,
    Modality,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.check import CheckLimits, CheckRequest
    from edge.checkpoint.freshness import WatchlistStanding
    from edge.checkpoint.officer_order import OfficerOrder
    from edge.checkpoint.step import OfficerSide, Probe
    from edge.terms import (
        Candidate,
        Quality,
        SearchedFace,
    )


def _worse(before: WatchlistStanding, now: WatchlistStanding) -> WatchlistStanding:
    """Return the present standing; what an earlier search missed stays missed."""
    return replace(
        now,
        is_building=before.is_building or now.is_building,
        lag_s=max(before.lag_s, now.lag_s),
    )


class RunningCheck:
    """One running check: its id, its times, and the samples until it is over."""

    def __init__(
        self,
        ports: BoothPorts,
        limits: CheckLimits,
        on_event: Callable[[CheckEvent], None],
        officer: OfficerSide,
    ) -> None:
        self.check_id = uuid4().hex
        self.started_at: datetime = ports.clock.now()
        self.watch = Stopwatch(ports.clock)
        self._ports = ports
        self._on_event = on_event
        self._step = Step(limits, self.watch, self._tell, officer, self._follow)
        self._searched: list[tuple[Modality, Probe]] = []
        self._started_s = ports.clock.monotonic_s()
        self._person = ports.search.begin()
        self._is_open = False
        self.standing = ports.standing()
        self.findings: list[Finding] = []
        self.candidates: tuple[Candidate, ...] = ()
        self.exemptions: list[Exemption] = []
        self.samples: list[AssessedSample] = []
        self._order: OfficerOrder | None = None
        self._asked: list[FingerPosition] = []
        self._has_replaced = False

    def examine(self, request: CheckRequest) -> None:
        """Take sample by sample until somebody is found or nothing is left to ask."""
        required = deque(required_samples(request, self._step.limits))
        extra = extra_fingers(request, self._step.limits)
        share = 1 / questions(required, len(extra))
        self._asked = list(request.positions)
        while required:
            modality, position = required.popleft()
            if not self._is_unavailable(request, modality, position):
                self._take(modality, position, share)
            if self.candidates or self.findings[-1].failure == CANCELLED:
                return
            if self.findings[-1].failure in (SKIPPED, UNAVAILABLE):
                self._find_way_on(request, modality, required)
        is_whole = all(finding.was_searched for finding in self.findings)
        for position in extra if is_whole else ():
            if not self._is_open:
                return
            self._take(Modality.FINGERPRINT, position, share)
            if self.candidates or self.findings[-1].failure == CANCELLED:
                return

    def _is_unavailable(
        self, request: CheckRequest, modality: Modality, position: FingerPosition
    ) -> bool:
        gone = unavailable_of(request, modality, position)
        if gone is None:
            return False
        self.findings.append(Finding(modality, failure=UNAVAILABLE))
        told = Exemption(
            ExemptionKind.UNAVAILABLE,
            request.officer,
            modality,
            gone.position,
            gone.reason,
            gone.note,
        )
        if told not in self.exemptions:
            self.exemptions.append(told)
        return True

    def _find_way_on(
        self,
        request: CheckRequest,
        modality: Modality,
        required: deque[tuple[Modality, FingerPosition]],
    ) -> None:
        """Ask for another finger in the place of one that is not given, once.

        Who gives none at all is asked for none of the others either.
        """
        if modality is Modality.FACE:
            return
        order, self._order = self._order, None
        left = [sample for sample in required if sample[0] is modality]
        if order is not None and order.reason in OF_THE_PERSON:
            for sample in left:
                required.remove(sample)
                self.findings.append(Finding(modality, failure=SKIPPED))
            return
        wanted = None if order is None else order.instead
        if wanted is None and not left and not self._has_replaced:
            self._has_replaced = True
            wanted = other_finger(self._asked, request.unavailable)
        if wanted is not None and wanted not in self._asked:
            self._asked.append(wanted)
            required.appendleft((modality, wanted))

    def _follow(
        self,
        order: OfficerOrder,
        modality: Modality,
        position: FingerPosition | None,
    ) -> None:
        """Keep what is recorded of an order, and what it says of the way on."""
        is_of_all = (
            order.kind is ExemptionKind.SKIPPED and order.reason in OF_THE_PERSON
        )
        self._order = order
        self.exemptions.append(
            exemption_of(order, modality, None if is_of_all else position)
        )

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

    def _note_sample(
        self,
        modality: Modality,
        position: FingerPosition | None,
        quality: Quality | None,
    ) -> None:
        if quality is None:
            return
        if modality is Modality.FACE:
            # A camera shows many frames of one face; the last tells how it ended.
            self.samples = [s for s in self.samples if s.modality is not modality]
        where = FingerPosition.UNKNOWN if position is None else position
        self.samples.append(AssessedSample(modality, where, quality))

    def _tell(
        self,
        stage: str,
        modality: Modality,
        attempt: int = 0,
        *,
        share: float | None = None,
        quality: Quality | None = None,
        guidance: FaceGuidance | FingerGuidance | None = None,
        position: FingerPosition | None = None,
    ) -> None:
        face = guidance if isinstance(guidance, FaceGuidance) else None
        if stage == "assess":
            self._note_sample(modality, position, face.quality if face else quality)
        finger = guidance if isinstance(guidance, FingerGuidance) else None
        self._on_event(
            CheckEvent(
                check_id=self.check_id,
                stage=stage,
                modality=modality,
                attempt=attempt,
                share=share,
                quality=quality if face is None else face.quality,
                guidance=face,
                position=position,
                finger=finger,
            )
        )
