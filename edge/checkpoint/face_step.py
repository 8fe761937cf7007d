"""Take the face of a traveller: lead it, and keep the best frame of a short burst.

Every frame of the camera goes through a guide, as fast as both can. The burst begins
with the first frame that may be searched with. It ends at once with such a frame in
which nothing is left to ask for and the face is known to hold still, else
`face_burst_s` after it began; its best frame is then processed. Every other frame is
let go when it was judged. Samples and templates live in local variables alone and leave
in the probe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.checkpoint.policy import (
    DEVICE_FAILED,
    NOBODY_CAME,
    OVERRIDDEN,
    Finding,
    PresentationPolicy,
)
from edge.checkpoint.step import Probe
from edge.errors import (
    CaptureCancelledError,
    CaptureError,
    CaptureTimeoutError,
    ModelError,
)
from edge.terms import (
    ExemptionKind,
    FaceInstruction,
    FingerPosition,
    Modality,
    PresentationVerdict,
    SearchedFace,
)

if TYPE_CHECKING:
    from datetime import datetime

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.officer_order import OfficerOrder
    from edge.checkpoint.step import Step, Taken
    from edge.ports import FaceCapture, FaceGuide
    from edge.terms import FaceGuidance, FaceSample, ProcessedFace, Quality


def take_face(ports: BoothPorts, step: Step) -> Taken:
    """Look for a face that is good enough, for as long as the limits allow.

    Raises:
        ModelError: a network that finds or embeds faces fails.
    """
    modality = Modality.FACE
    if ports.face_capture is None:
        return Finding(modality, failure=DEVICE_FAILED), None
    guide = ports.face_recognition.guide()
    burst = _Burst()
    _watch(ports, step, guide, burst)
    if burst.ended_by is not None:
        step.note(burst.ended_by, modality, None)
        ended = str(burst.ended_by.kind)
        return Finding(modality, False, burst.quality, burst.frames, ended), None
    overridden = burst.overridden
    with step.watch.stage("face.process"):
        best = guide.take_best() if overridden is None else overridden
    if best is None:
        nobody = NOBODY_CAME if burst.quality is None else None
        failure = burst.failure or nobody
        return Finding(modality, False, burst.quality, burst.frames, failure), None
    face = _searched(ports, step, best)
    finding = Finding(
        modality,
        quality=best.quality,
        attempts=burst.frames,
        failure=None if overridden is None else OVERRIDDEN,
        presentation=face.presentation,
    )
    image = best.sample.image
    return finding, Probe(FingerPosition.UNKNOWN, image, best.template, face)


@dataclass
class _Burst:
    """What was seen so far. began_at: of the first frame that may be searched with.

    override: an order to take the next face in view as it is; overridden: that face.
    ended_by: an order to go on without a face.
    """

    frames: int = 0
    quality: Quality | None = None
    failure: str | None = None
    began_at: datetime | None = None
    override: OfficerOrder | None = None
    overridden: ProcessedFace | None = None
    ended_by: OfficerOrder | None = None

    def is_over(self, at: datetime, burst_s: float) -> bool:
        if self.began_at is None:
            return False
        return abs((at - self.began_at).total_seconds()) >= burst_s

    def follow(self, order: OfficerOrder | None) -> bool:
        """Return True if the order ends the look for a face."""
        if order is None:
            return False
        if order.kind is ExemptionKind.OVERRIDDEN:
            self.override = order
            return False
        self.ended_by = order
        return True

    def add(self, sample: FaceSample, guidance: FaceGuidance) -> bool:
        """Count the frame; True if no better one is to be waited for."""
        self.quality = guidance.quality
        if not guidance.is_usable:
            return False
        self.began_at = self.began_at or sample.captured_at
        return guidance.is_steady and guidance.seen is FaceInstruction.OK


def _watch(ports: BoothPorts, step: Step, guide: FaceGuide, burst: _Burst) -> None:
    """Look at frames until the burst is over or the time is."""
    limits, clock = step.limits, ports.clock
    deadline_s = clock.monotonic_s() + limits.face_timeout_s
    step.tell("capture", Modality.FACE)
    orders = step.officer.orders
    while (left_s := deadline_s - clock.monotonic_s()) > 0:
        try:
            sample = _capture(ports.face_capture, step, left_s)
        except CaptureCancelledError:
            if burst.follow(orders.take(Modality.FACE)):
                return
            continue
        except CaptureTimeoutError:
            return
        except CaptureError:
            burst.failure = DEVICE_FAILED
            return
        if burst.is_over(sample.captured_at, limits.face_burst_s):
            return
        burst.frames += 1
        picked = step.officer.picked()
        if picked is not None:
            guide.pick(*picked)
        with step.watch.stage("face.guide"):
            guidance = guide.update(sample)
        is_enough = burst.add(sample, guidance)
        step.tell("assess", Modality.FACE, burst.frames, guidance=guidance)
        if is_enough or burst.follow(orders.take(Modality.FACE)):
            return
        if burst.override is not None and _override(step, guide, sample, burst):
            return


def _override(step: Step, guide: FaceGuide, sample: FaceSample, burst: _Burst) -> bool:
    """Take the face of this frame as it is; False if there is none, or a usable one."""
    if burst.override is None or burst.began_at is not None:
        return False
    with step.watch.stage("face.process"):
        burst.overridden = guide.take_seen(sample)
    if burst.overridden is None:
        return False
    step.note(burst.override, Modality.FACE, None)
    return True


def _capture(capture: FaceCapture | None, step: Step, timeout_s: float) -> FaceSample:
    if capture is None:
        message = "no camera is fitted"
        raise CaptureError(message)
    with step.watch.stage("face.capture"):
        return capture.latest(
            timeout_s=timeout_s,
            is_cancelled=lambda: step.officer.orders.is_waiting(Modality.FACE),
        )


def _searched(ports: BoothPorts, step: Step, best: ProcessedFace) -> SearchedFace:
    height, width = best.sample.image.shape[:2]
    return SearchedFace(
        best.box, width, height, best.is_picked, _presentation(ports, step, best)
    )


def _presentation(
    ports: BoothPorts, step: Step, best: ProcessedFace
) -> PresentationVerdict | None:
    """Judge the presentation where policy asks; a judge that fails judges nothing."""
    if step.limits.presentation_attack is PresentationPolicy.OFF:
        return None
    if ports.presentation is None:
        return PresentationVerdict()
    try:
        with step.watch.stage("face.presentation"):
            return ports.presentation.judge_presentation(best.sample, best.box)
    except ModelError:
        return PresentationVerdict()
