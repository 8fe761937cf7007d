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
    Finding,
    PresentationPolicy,
)
from edge.checkpoint.step import Probe
from edge.errors import CaptureError, CaptureTimeoutError, ModelError
from edge.terms import (
    FaceInstruction,
    FingerPosition,
    Modality,
    PresentationVerdict,
    SearchedFace,
)

if TYPE_CHECKING:
    from datetime import datetime

    from edge.checkpoint.booth_ports import BoothPorts
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
    with step.watch.stage("face.process"):
        best = guide.take_best()
    if best is None:
        nobody = NOBODY_CAME if burst.quality is None else None
        failure = burst.failure or nobody
        return Finding(modality, False, burst.quality, burst.frames, failure), None
    face = _searched(ports, step, best)
    finding = Finding(
        modality,
        quality=best.quality,
        attempts=burst.frames,
        presentation=face.presentation,
    )
    image = best.sample.image
    return finding, Probe(FingerPosition.UNKNOWN, image, best.template, face)


@dataclass
class _Burst:
    """What was seen so far. began_at: of the first frame that may be searched with."""

    frames: int = 0
    quality: Quality | None = None
    failure: str | None = None
    began_at: datetime | None = None

    def is_over(self, at: datetime, burst_s: float) -> bool:
        if self.began_at is None:
            return False
        return abs((at - self.began_at).total_seconds()) >= burst_s

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
    while (left_s := deadline_s - clock.monotonic_s()) > 0:
        try:
            sample = _capture(ports.face_capture, step, left_s)
        except CaptureTimeoutError:
            return
        except CaptureError:
            burst.failure = DEVICE_FAILED
            return
        if burst.is_over(sample.captured_at, limits.face_burst_s):
            return
        burst.frames += 1
        picked = step.picked()
        if picked is not None:
            guide.pick(*picked)
        with step.watch.stage("face.guide"):
            guidance = guide.update(sample)
        is_enough = burst.add(sample, guidance)
        step.tell("assess", Modality.FACE, burst.frames, guidance=guidance)
        if is_enough:
            return


def _capture(capture: FaceCapture | None, step: Step, timeout_s: float) -> FaceSample:
    if capture is None:
        message = "no camera is fitted"
        raise CaptureError(message)
    with step.watch.stage("face.capture"):
        return capture.latest(timeout_s=timeout_s)


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
