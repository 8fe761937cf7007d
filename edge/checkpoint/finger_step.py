"""Take one finger of a traveller: captured again while it is too poor to search with.

Samples and templates live in local variables alone and leave in the probe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.checkpoint.policy import DEVICE_FAILED, NOBODY_CAME, Finding
from edge.checkpoint.quality_gate import gated
from edge.checkpoint.step import Probe
from edge.errors import CaptureError, CaptureTimeoutError, InputError
from edge.terms import Modality, Quality, QualityReason

if TYPE_CHECKING:
    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.step import Step, Taken
    from edge.ports import FingerprintCapture, FingerprintRecognition
    from edge.terms import FingerPosition, FingerprintSample, Template


def take_finger(ports: BoothPorts, step: Step, position: FingerPosition) -> Taken:
    """Capture the finger until it is good enough, as often as the limits allow."""
    capture = ports.finger_capture
    modality = Modality.FINGERPRINT
    if capture is None:
        return Finding(modality, failure=DEVICE_FAILED), None
    quality: Quality | None = None
    for attempt in range(1, step.limits.max_attempts + 1):
        try:
            sample = _capture(capture, step, position, attempt)
        except CaptureTimeoutError:
            return Finding(modality, False, quality, attempt, NOBODY_CAME), None
        except CaptureError:
            return Finding(modality, False, quality, attempt, DEVICE_FAILED), None
        quality, template = _template_of(ports.finger_recognition, step, sample)
        step.tell("assess", modality, attempt, quality=quality, position=position)
        if template is not None:
            finding = Finding(modality, quality=quality, attempts=attempt)
            return finding, Probe(position, sample.image, template)
    return Finding(modality, False, quality, step.limits.max_attempts), None


def _capture(
    capture: FingerprintCapture, step: Step, position: FingerPosition, attempt: int
) -> FingerprintSample:
    step.tell("capture", Modality.FINGERPRINT, attempt, position=position)
    with step.watch.stage("fingerprint.capture"):
        return capture.capture(
            position,
            timeout_s=step.limits.finger_timeout_s,
            on_progress=lambda share: step.tell(
                "capture",
                Modality.FINGERPRINT,
                attempt,
                share=share,
                position=position,
            ),
        )


def _template_of(
    recognition: FingerprintRecognition, step: Step, sample: FingerprintSample
) -> tuple[Quality, Template | None]:
    try:
        with step.watch.stage("fingerprint.assess"):
            threshold = step.limits.finger_quality.of(sample.position)
            quality = gated(recognition.assess(sample), threshold)
        if not quality.is_sufficient:
            return quality, None
        with step.watch.stage("fingerprint.extract"):
            template = recognition.extract(sample)
    except InputError:
        wrong = (QualityReason.WRONG_RESOLUTION,)
        return Quality(0, wrong, is_sufficient=False), None
    return quality, template
