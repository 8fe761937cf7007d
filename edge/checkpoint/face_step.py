"""Take the face of a traveller: frames from the camera until one can be searched with.

Samples and templates live in local variables alone and leave in the probe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.checkpoint.policy import DEVICE_FAILED, NOBODY_CAME, Finding
from edge.checkpoint.step import Probe
from edge.errors import CaptureError, CaptureTimeoutError
from edge.terms import FingerPosition, Modality

if TYPE_CHECKING:
    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.step import Step, Taken
    from edge.ports import FaceCapture
    from edge.terms import FaceSample, Quality


def take_face(ports: BoothPorts, step: Step) -> Taken:
    """Look for a face that is good enough, for as long as the limits allow."""
    capture = ports.face_capture
    modality = Modality.FACE
    if capture is None:
        return Finding(modality, failure=DEVICE_FAILED), None
    deadline_s = ports.clock.monotonic_s() + step.limits.face_timeout_s
    quality: Quality | None = None
    frames = 0
    while (left_s := deadline_s - ports.clock.monotonic_s()) > 0:
        try:
            sample = _capture(capture, step, left_s, frames)
        except CaptureTimeoutError:
            break
        except CaptureError:
            return Finding(modality, False, quality, frames, DEVICE_FAILED), None
        frames += 1
        with step.watch.stage("face.process"):
            quality, template = ports.face_recognition.process(sample)
        step.tell("assess", modality, frames, quality=quality)
        if template is not None:
            finding = Finding(modality, quality=quality, attempts=frames)
            return finding, Probe(FingerPosition.UNKNOWN, sample.image, template)
    failure = NOBODY_CAME if quality is None else None
    return Finding(modality, False, quality, frames, failure), None


def _capture(
    capture: FaceCapture, step: Step, timeout_s: float, attempt: int
) -> FaceSample:
    step.tell("capture", Modality.FACE, attempt)
    with step.watch.stage("face.capture"):
        return capture.latest(timeout_s=timeout_s)
