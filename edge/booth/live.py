"""Live pictures of the running check: in memory, newest only, gone when it ends.

The finger's picture comes from the check, the camera's from the camera itself, so that
it moves while the check is busy with a finger or a search. Pictures are encoded when
somebody asks, on the asking thread: a check that nobody watches spends nothing on them.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import CaptureError
from edge.recognition.image_encoding import encode_jpeg
from edge.terms import Modality

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from edge.ports import FaceCapture
    from edge.terms import FaceSample

WIDEST_PX = 640
WAIT_S = 1.0


@dataclass(frozen=True)
class LivePicture:
    """jpeg: at most WIDEST_PX wide. number: later pictures have larger ones."""

    number: int
    jpeg: bytes


class LiveView:
    """May be used from any thread. Between two checks it holds no picture."""

    def __init__(self, camera: FaceCapture | None) -> None:
        self._camera = camera
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._run: object | None = None
        self._modalities: frozenset[Modality] = frozenset()
        self._finger: tuple[int, NDArray[np.uint8]] | None = None
        self._face: tuple[int, FaceSample] | None = None

    def begin(self, modalities: Collection[Modality]) -> None:
        """Let the pictures of these modalities be seen until end()."""
        with self._changed:
            self._run = object()
            self._modalities = frozenset(modalities)
            self._finger = self._face = None
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._run = self._finger = self._face = None
            self._modalities = frozenset()
            self._changed.notify_all()

    def show(self, modality: Modality, image: NDArray[np.uint8]) -> None:
        """Take a picture of the check: edge.checkpoint.step.Show."""
        if modality is not Modality.FINGERPRINT:
            return
        with self._changed:
            if self._run is not None:
                self._finger = (next(self._numbers), image)
                self._changed.notify_all()

    def finger(self, after: int, wait_s: float = WAIT_S) -> LivePicture | None:
        """Return the newest picture of the finger with a number above after.

        None if there was none within wait_s.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._finger is not None and self._finger[0] > after, wait_s
            )
            if self._finger is None or self._finger[0] <= after:
                return None
            number, image = self._finger
            run = self._run
        return self._encoded(run, number, image)

    def face(self, wait_s: float = WAIT_S) -> LivePicture | None:
        """Return the next frame of the camera, None if there was none within wait_s."""
        with self._changed:
            self._changed.wait_for(self._wants_face, wait_s)
            if not self._wants_face():
                return None
            run = self._run
        if self._camera is None:
            return None
        try:
            sample = self._camera.latest(
                timeout_s=wait_s, is_cancelled=lambda: self._run is not run
            )
        except CaptureError:
            return None
        with self._changed:
            if self._run is not run:
                return None
            # Who asks at the same time sees the same frame.
            if self._face is None or self._face[1] is not sample:
                self._face = (next(self._numbers), sample)
            number, _ = self._face
        return self._encoded(run, number, sample.image)

    def _wants_face(self) -> bool:
        has_camera = self._camera is not None
        return has_camera and Modality.FACE in self._modalities

    def _encoded(
        self, run: object, number: int, image: NDArray[np.uint8]
    ) -> LivePicture | None:
        picture = LivePicture(number, encode_jpeg(image, widest_px=WIDEST_PX))
        # A check that ended meanwhile shows nothing any more.
        return picture if self._run is run else None
