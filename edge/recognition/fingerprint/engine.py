"""Fingerprint recognition as the workflow sees it."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.fingerprint.image import at_500_ppi
from edge.recognition.fingerprint.minutiae import (
    InferenceSession,
    Minutiae,
    find_minutiae,
)
from edge.recognition.fingerprint.quality import (
    is_plain_refusal,
    judge,
    measure,
    preview,
)
from edge.recognition.onnx_session import OnnxSession
from edge.terms import FingerprintTemplate, Quality

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.terms import FingerprintSample

MODEL_ID = "leader"
# More pixels than a scanner's window has; the memory that more take is not kept.
USUAL_VIEW_PX = 512 * 512


class FingerprintEngine:
    """Implements edge.ports.FingerprintRecognition. May be called from any thread."""

    def __init__(
        self,
        model_path: Path,
        threads: int = 1,
        session: InferenceSession | None = None,
    ) -> None:
        """Load the minutiae network; model_path comes from the model store.

        Raises:
            ModelError: the file is no usable model.
        """
        self._session = session or OnnxSession(model_path, threads, USUAL_VIEW_PX)
        # Found by assess, used by extract, gone with the sample itself.
        self._found: weakref.WeakKeyDictionary[FingerprintSample, Minutiae] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()

    def preview(self, rows: NDArray[np.uint8]) -> Quality:
        """Judge what has arrived of an image at 500 ppi, by its pixels alone."""
        return preview(np.ascontiguousarray(rows))

    def assess(self, sample: FingerprintSample) -> Quality:
        """Say whether the sample is good enough to search with.

        Raises:
            InputError: the image or its resolution cannot be used at all.
            ModelError: the network fails.
        """
        image = at_500_ppi(sample.image, sample.resolution_ppi)
        measures = measure(image)
        if is_plain_refusal(measures):
            return judge(measures, None)
        return judge(measures, self._minutiae(sample, image))

    def extract(self, sample: FingerprintSample) -> FingerprintTemplate:
        """Return the template, at 500 ppi whatever the sample's resolution.

        Raises:
            InputError: the image or its resolution cannot be used at all.
            ModelError: the network fails.
        """
        image = at_500_ppi(sample.image, sample.resolution_ppi)
        found = self._minutiae(sample, image)
        return FingerprintTemplate(
            position=sample.position,
            model_id=MODEL_ID,
            width_px=image.shape[1],
            height_px=image.shape[0],
            x=found.x,
            y=found.y,
            angle_rad=found.angle_rad,
            kind=found.kind,
            quality=found.quality,
        )

    def _minutiae(
        self, sample: FingerprintSample, image: NDArray[np.uint8]
    ) -> Minutiae:
        with self._lock:
            known = self._found.get(sample)
        if known is not None:
            return known
        found = find_minutiae(self._session, image)
        with self._lock:
            self._found[sample] = found
        return found
