"""Image files from a browser to references, checked as for an enrolment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import uuid4

from edge.checkpoint.quality_gate import FingerThresholds, gated
from edge.clock import SystemClock
from edge.console.enrolling import Prepared
from edge.recognition.image_encoding import encode_png
from edge.recognition.image_file import decode_grey_image, decode_rgb_image
from edge.services.wiring import enrolment_engines
from edge.terms import (
    FaceSample,
    FingerPosition,
    FingerprintSample,
    Modality,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config import Config
    from edge.console.enrolling import ImageToEnrol
    from edge.services.enrolment import EnrolmentEngines


class ImagePreparation:
    """Loads the networks when the first image comes; one image at a time.

    Quality is asked as [policy.finger_quality.enrolment] says: a reference is compared
    with every traveller for years.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        thresholds = config.policy.finger_quality.enrolment
        self._thresholds = FingerThresholds(**thresholds.model_dump())
        self._engines: EnrolmentEngines | None = None
        self._lock = threading.Lock()

    def prepare(
        self, entry_id: str, images: Sequence[ImageToEnrol]
    ) -> Sequence[Prepared]:
        """Return what becomes of each image.

        Raises:
            InputError: a file is no usable image at all; names it.
            ModelError: a network is missing or damaged.
        """
        with self._lock:
            if self._engines is None:
                self._engines = enrolment_engines(self._config)
            return [self._prepared(self._engines, entry_id, item) for item in images]

    def _prepared(
        self, engines: EnrolmentEngines, entry_id: str, item: ImageToEnrol
    ) -> Prepared:
        if item.modality is Modality.FACE:
            return _face(engines, entry_id, item)
        image = decode_grey_image(item.data, origin=item.origin)
        sample = FingerprintSample(image, item.ppi, item.position, SystemClock().now())
        needed = self._thresholds.of(item.position)
        quality = gated(engines.fingerprint.assess(sample), needed)
        reference = None
        if quality.is_sufficient:
            template = engines.fingerprint.extract(sample)
            reference = Reference(
                uuid4().hex, entry_id, Modality.FINGERPRINT, item.position, template
            )
        return Prepared(
            item.origin,
            quality.score,
            needed,
            tuple(str(reason) for reason in quality.reasons),
            reference,
            encode_png(image) if reference is not None else None,
        )


def _face(engines: EnrolmentEngines, entry_id: str, item: ImageToEnrol) -> Prepared:
    image = decode_rgb_image(item.data, origin=item.origin)
    quality, template = engines.face.process(FaceSample(image, SystemClock().now()))
    reasons = tuple(str(reason) for reason in quality.reasons)
    if template is None:
        return Prepared(item.origin, quality.score, 0, reasons, None)
    reference = Reference(
        uuid4().hex, entry_id, Modality.FACE, FingerPosition.UNKNOWN, template
    )
    png = encode_png(image)
    return Prepared(item.origin, quality.score, 0, reasons, reference, png)
