"""Images from files in the place of devices: each is presented once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from edge.errors import CaptureTimeoutError
from edge.terms import FaceSample, FingerprintSample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge.clock import Clock
    from edge.terms import FingerInstruction, FingerPosition


APART = timedelta(seconds=1)


class FileFingerprintCapture:
    """Presents grey images, one a capture, in their order."""

    def __init__(
        self, images: Sequence[NDArray[np.uint8]], ppi: float, clock: Clock
    ) -> None:
        self._images = iter(images)
        self._ppi = ppi
        self._clock = clock

    def capture(
        self,
        position: FingerPosition,
        *,
        timeout_s: float,
        on_progress: Callable[[float], None] | None = None,
        on_rows: Callable[[NDArray[np.uint8], int], None] | None = None,
        on_instruction: Callable[[FingerInstruction], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> FingerprintSample:
        del timeout_s, on_progress, on_rows, on_instruction, is_cancelled
        image = next(self._images, None)
        if image is None:
            message = "no further fingerprint image was given"
            raise CaptureTimeoutError(message)
        return FingerprintSample(image, self._ppi, position, self._clock.now())


class FileFaceCapture:
    """Presents RGB images, one a frame, in their order.

    They are dated APART apart: pictures of different moments tell nothing of motion.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], clock: Clock) -> None:
        self._images = iter(images)
        self._clock = clock
        self._presented = 0

    def latest(
        self, *, timeout_s: float, is_cancelled: Callable[[], bool] | None = None
    ) -> FaceSample:
        del timeout_s, is_cancelled
        image = next(self._images, None)
        if image is None:
            message = "no further face image was given"
            raise CaptureTimeoutError(message)
        self._presented += 1
        return FaceSample(image, self._clock.now() + self._presented * APART)
