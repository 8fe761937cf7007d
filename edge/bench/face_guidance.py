"""How long live guidance takes a frame, alone and beside the fingerprint engine."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from edge.recognition.face.guidance import FaceTracker
from edge.simulate.fingers import SyntheticFinger
from edge.terms import FaceSample, FingerPosition, FingerprintSample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge.recognition.face.detection import Detector
    from edge.terms import FingerprintTemplate

    Image = NDArray[np.uint8]

FRAME = (640, 480)
RATE_HZ = 10.0
FINGER_SEEDS = (11, 12)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SWAY_PX = 4.0


class Extractor(Protocol):
    def extract(self, sample: FingerprintSample) -> FingerprintTemplate: ...


@dataclass(frozen=True)
class GuidanceFigures:
    """ms, cpu_ms: one a frame; by the clock, and of the thread's own work.

    followed: share of frames in which a face was.
    """

    ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    followed: float

    def to_json(self) -> dict[str, float]:
        ordered = sorted(self.ms)
        return {
            "frames": len(ordered),
            "guidance_ms_median": statistics.median(ordered),
            "guidance_ms_p95": ordered[int(0.95 * (len(ordered) - 1))],
            "guidance_ms_max": ordered[-1],
            "frames_per_s": 1000 / statistics.fmean(ordered),
            "cpu_ms_median": statistics.median(self.cpu_ms),
            "frames_per_s_of_a_core": 1000 / max(statistics.fmean(self.cpu_ms), 1e-6),
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
    taken_ms, cpu_ms, followed = [], [], 0
    at = _START
    for frame in frames:
        tracker.reset()
        for image in _swaying(frame, round(seconds_each * RATE_HZ)):
            at += timedelta(seconds=1 / RATE_HZ)
            start_ns, own_ns = time.perf_counter_ns(), time.thread_time_ns()
            found = tracker.update(FaceSample(image, at))
            cpu_ms.append((time.thread_time_ns() - own_ns) / 1e6)
            taken_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
            followed += found.face is not None
    share = followed / len(taken_ms)
    return GuidanceFigures(tuple(taken_ms), tuple(cpu_ms), share)


@contextmanager
def fingers_at_work(engine: Extractor) -> Iterator[None]:
    """Let another thread take templates of prints, one after the other, meanwhile."""
    stopping = threading.Event()
    prints = [SyntheticFinger(seed).impression(0) for seed in FINGER_SEEDS]

    def work() -> None:
        for image in itertools.cycle(prints):
            if stopping.is_set():
                return
            engine.extract(
                FingerprintSample(image, 500.0, FingerPosition.RIGHT_INDEX, _START)
            )

    thread = threading.Thread(target=work, name="fingers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _swaying(frame: Image, count: int) -> Iterator[Image]:
    scale = min(FRAME[0] / frame.shape[1], FRAME[1] / frame.shape[0])
    left = (FRAME[0] - frame.shape[1] * scale) / 2
    top = (FRAME[1] - frame.shape[0] * scale) / 2
    for number in range(count):
        x = left + _SWAY_PX * float(np.sin(number / 3))
        place = np.array([[scale, 0, x], [0, scale, top]])
        image = cv2.warpAffine(frame, place, FRAME, borderMode=cv2.BORDER_REFLECT_101)
        yield image.astype(np.uint8, copy=False)
