"""Take one finger of a traveller: captured again while it is too poor to search with.

Samples and templates live in local variables alone and leave in the probe. The picture
of a finger is shown while it arrives, and judged as often as a screen can follow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.checkpoint.finger_guidance import finger_guidance
from edge.checkpoint.policy import (
    DEVICE_FAILED,
    NOBODY_CAME,
    OVERRIDDEN,
    Finding,
)
from edge.checkpoint.quality_gate import gated
from edge.checkpoint.step import Probe
from edge.errors import (
    CaptureCancelledError,
    CaptureError,
    CaptureTimeoutError,
    InputError,
)
from edge.terms import (
    ExemptionKind,
    FingerGuidance,
    FingerInstruction,
    Modality,
    Quality,
    QualityReason,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.officer_order import OfficerOrder
    from edge.checkpoint.step import Step, Taken
    from edge.ports import FingerprintCapture, FingerprintRecognition
    from edge.terms import (
        FingerPosition,
        FingerprintSample,
        Template,
    )

# The picture that arrives is judged this far apart at least.
PREVIEW_S = 0.07
WHITE = 255
WRONG_RESOLUTION = Quality(0, (QualityReason.WRONG_RESOLUTION,), is_sufficient=False)


def take_finger(ports: BoothPorts, step: Step, position: FingerPosition) -> Taken:
    """Capture the finger until it is good enough, as often as the limits allow."""
    if ports.finger_capture is None:
        return Finding(Modality.FINGERPRINT, failure=DEVICE_FAILED), None
    return _FingerStep(ports, ports.finger_capture, step, position).take()


class _FingerStep:
    """One finger. best: the best sample so far that was refused for its quality."""

    def __init__(
        self,
        ports: BoothPorts,
        capture: FingerprintCapture,
        step: Step,
        position: FingerPosition,
    ) -> None:
        self._recognition: FingerprintRecognition = ports.finger_recognition
        self._clock = ports.clock
        self._device = capture
        self._step = step
        self._position = position
        self._attempt = 0
        self._quality: Quality | None = None
        self._best: tuple[Quality, FingerprintSample] | None = None
        self._override: OfficerOrder | None = None
        self._judged_at_s = -math.inf

    def take(self) -> Taken:
        while self._attempt < self._step.limits.max_attempts:
            self._attempt += 1
            try:
                sample = self._capture()
            except CaptureCancelledError:
                self._attempt -= 1
            except CaptureTimeoutError:
                return self._finding(NOBODY_CAME), None
            except CaptureError:
                return self._finding(DEVICE_FAILED), None
            else:
                template = self._template_of(sample)
                self._tell("assess", quality=self._quality)
                if template is not None:
                    return self._finding(), self._probe(sample, template)
            ended = self._follow_orders()
            if ended is not None:
                return ended
        return self._finding(), None

    def _follow_orders(self) -> Taken | None:
        """Return what becomes of the finger if an order decides that."""
        order = self._step.officer.orders.take(Modality.FINGERPRINT)
        if order is not None and order.kind is not ExemptionKind.OVERRIDDEN:
            self._step.note(order, Modality.FINGERPRINT, self._position)
            return self._finding(str(order.kind)), None
        self._override = order or self._override
        if self._override is None or self._best is None:
            # Without a sample the next one is taken, whatever its quality.
            return None
        self._quality, sample = self._best
        try:
            with self._step.watch.stage("fingerprint.extract"):
                template = self._recognition.extract(sample)
        except InputError:
            return None
        self._step.note(self._override, Modality.FINGERPRINT, self._position)
        return self._finding(OVERRIDDEN), self._probe(sample, template)

    def _capture(self) -> FingerprintSample:
        orders = self._step.officer.orders
        self._ask(FingerInstruction.PLACE_FINGER)
        with self._step.watch.stage("fingerprint.capture"):
            sample = self._device.capture(
                self._position,
                timeout_s=self._step.limits.finger_timeout_s,
                on_progress=lambda share: self._tell("capture", share=share),
                on_rows=self._preview,
                on_instruction=self._ask,
                is_cancelled=lambda: orders.is_waiting(Modality.FINGERPRINT),
            )
        self._step.officer.show(Modality.FINGERPRINT, sample.image)
        return sample

    def _ask(self, instruction: FingerInstruction) -> None:
        self._tell("capture", guidance=FingerGuidance(instruction))

    def _preview(self, rows: NDArray[np.uint8], whole_height: int) -> None:
        picture = np.full((whole_height, rows.shape[1]), WHITE, np.uint8)
        picture[: len(rows)] = rows
        self._step.officer.show(Modality.FINGERPRINT, picture)
        now_s = self._clock.monotonic_s()
        if now_s - self._judged_at_s < PREVIEW_S:
            return
        self._judged_at_s = now_s
        share = len(rows) / whole_height
        seen = finger_guidance(self._recognition.preview(rows), share, rows.shape[:2])
        self._tell("preview", share=share, guidance=seen)

    def _template_of(self, sample: FingerprintSample) -> Template | None:
        try:
            with self._step.watch.stage("fingerprint.assess"):
                threshold = self._step.limits.finger_quality.of(sample.position)
                quality = gated(self._recognition.assess(sample), threshold)
        except InputError:
            self._quality = WRONG_RESOLUTION
            return None
        self._quality = quality
        if not quality.is_sufficient:
            if self._best is None or quality.score > self._best[0].score:
                self._best = (quality, sample)
            return None
        try:
            with self._step.watch.stage("fingerprint.extract"):
                return self._recognition.extract(sample)
        except InputError:
            self._quality = WRONG_RESOLUTION
            return None

    def _probe(self, sample: FingerprintSample, template: Template) -> Probe:
        return Probe(self._position, sample.image, template)

    def _finding(self, failure: str | None = None) -> Finding:
        return Finding(
            Modality.FINGERPRINT,
            quality=self._quality,
            attempts=self._attempt,
            failure=failure,
        )

    def _tell(
        self,
        stage: str,
        *,
        share: float | None = None,
        quality: Quality | None = None,
        guidance: FingerGuidance | None = None,
    ) -> None:
        self._step.tell(
            stage,
            Modality.FINGERPRINT,
            self._attempt,
            share=share,
            quality=quality,
            position=self._position,
            guidance=guidance,
        )
