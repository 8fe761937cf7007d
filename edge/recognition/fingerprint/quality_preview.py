"""Quality over the frames of a preview: what one image cannot say.

A finger that slides or still settles is seen between two frames; remains of the former
finger are seen on the plate before the touch.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition import parameters
from edge.recognition.fingerprint import quality_reasons
from edge.recognition.fingerprint.quality import preview
from edge.recognition.fingerprint.quality_measures import residue_mm2
from edge.terms import Quality, QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHRINK = 2
# Two frames of one finger correlate far above this, unlike ones below.
_SAME_FINGER = 0.25
_GROWTH = 0.25


class PreviewTracker:
    """Judges the frames of one capture in order. Not for several threads.

    A moved finger stays sufficient, with the reason MOVED: the capture should wait for
    a frame without it. Frames are uint8 (height, width) at 500 ppi, dark ridges.
    """

    def __init__(self, plate: NDArray[np.uint8] | None = None) -> None:
        """plate: the picture before the touch, if there is one."""
        self._plate_mm2 = 0.0 if plate is None else residue_mm2(plate)
        self._former: NDArray[np.float32] | None = None
        self._former_mm2 = 0.0

    @property
    def is_plate_clean(self) -> bool:
        return self._plate_mm2 < parameters.RESIDUE_MM2

    def update(self, frame: NDArray[np.uint8]) -> Quality:
        """Return the quality of the next frame; measures hold moved_px besides."""
        quality = preview(frame)
        touched_mm2 = quality.measures["touched_mm2"]
        if not quality_reasons.is_print(list(quality.reasons)) or not touched_mm2:
            self._former = None
            return quality
        small = _shrunk(frame)
        moved_px = self._moved_px(small, touched_mm2)
        self._former, self._former_mm2 = small, touched_mm2
        extra = [QualityReason.MOVED] if moved_px > parameters.STILL_PX else []
        if not self.is_plate_clean and QualityReason.RESIDUE not in quality.reasons:
            extra.append(QualityReason.RESIDUE)
        return replace(
            quality,
            reasons=(*quality.reasons, *extra),
            measures={**quality.measures, "moved_px": moved_px},
        )

    def _moved_px(self, small: NDArray[np.float32], touched_mm2: float) -> float:
        """Return how far the finger went; infinity if it is another or still grows."""
        former = self._former
        if former is None:
            return 0.0
        if former.shape != small.shape:
            return math.inf
        change = abs(touched_mm2 - self._former_mm2)
        if change > _GROWTH * max(touched_mm2, self._former_mm2):
            return math.inf
        return moved_px(former, small) * _SHRINK


def moved_px(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the shift between two pictures of one size; infinity if they differ.

    Phase correlation after C. Kuglin and D. Hines (1975), within a Hann window.
    """
    window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F)
    (x, y), response = cv2.phaseCorrelate(first, second, window)
    return math.hypot(x, y) if response >= _SAME_FINGER else math.inf


def _shrunk(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width = (max(2, side // _SHRINK) for side in frame.shape)
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
