"""What a booth is made of, as its checks see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.checkpoint.freshness import WatchlistStanding

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge.clock import Clock
    from edge.ports import (
        CheckRecorder,
        FaceCapture,
        FaceRecognition,
        FingerprintCapture,
        FingerprintRecognition,
        PresentationAttackDetection,
        WatchlistSearch,
    )


@dataclass(frozen=True)
class BoothPorts:
    """What a booth is made of. A device that is not fitted is None.

    standing: returns what is known of the watchlist at the moment. presentation: None
    where its networks were not fetched, or policy does not ask for it.
    """

    finger_capture: FingerprintCapture | None
    face_capture: FaceCapture | None
    finger_recognition: FingerprintRecognition
    face_recognition: FaceRecognition
    search: WatchlistSearch
    recorder: CheckRecorder
    encode_png: Callable[[NDArray[np.uint8]], bytes]
    clock: Clock
    standing: Callable[[], WatchlistStanding] = WatchlistStanding
    presentation: PresentationAttackDetection | None = None
