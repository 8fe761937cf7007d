"""How long live guidance takes a frame."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.face.guidance import FaceTracker
from edge.terms import FaceSample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge.recognition.face.detection import Detector

    Image = NDArray[np.uint8]

FRAME = (640, 480)
RATE_HZ = 10.0
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SWAY_PX = 4.0


@dataclass(frozen=True)
class GuidanceFigures:
    """ms: one a frame. followed: share of frames in which a face was."""

    ms: tuple[float, ...]
    followed: float

    def to_json(self) -> dict[str, float]:
        ordered = sorted(self.ms)
        return {
            "frames": len(ordered),
            "guidance_ms_median": statistics.median(ordered),
            "guidance_ms_p95": ordered[int(0.95 * (len(ordered) - 1))],
            "guidance_ms_max": ordered[-1],
            "frames_per_s": 1000 / statistics.fmean(ordered),
            "followed": self.followed,
        }


def measure_guidance(
    detector: Detector, frames: Sequence[Image], *, seconds_each: float = 3.0
) -> GuidanceFigures:
    """Show each frame, swaying a little, as if ten came a second; as fast as it goes.

    frames: RGB, at least one; they are fitted into 640x480.

    Raises:
        InputError: a frame is not RGB of 8 bits.
    """
    tracker = FaceTracker(detector)
    taken_ms, followed = [], 0
    at = _START
    for frame in frames:
        tracker.reset()
        for image in _swaying(frame, round(seconds_each * RATE_HZ)):
            at += timedelta(seconds=1 / RATE_HZ)
            start_ns = time.perf_counter_ns()
            found = tracker.update(FaceSample(image, at))
            taken_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
            followed += found.face is not None
    return GuidanceFigures(tuple(taken_ms), followed / len(taken_ms))


def _swaying(frame: Image, count: int) -> Iterator[Image]:
    scale = min(FRAME[0] / frame.shape[1], FRAME[1] / frame.shape[0])
    left = (FRAME[0] - frame.shape[1] * scale) / 2
    top = (FRAME[1] - frame.shape[0] * scale) / 2
    for number in range(count):
        x = left + _SWAY_PX * float(np.sin(number / 3))
        place = np.array([[scale, 0, x], [0, scale, top]])
        image = cv2.warpAffine(frame, place, FRAME, borderMode=cv2.BORDER_REFLECT_101)
        yield image.astype(np.uint8, copy=False)
