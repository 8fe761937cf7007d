"""What the workflow needs from the outside: one role each, implemented by adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge.terms import (
        Candidate,
        CheckRecord,
        FaceBox,
        FaceGuidance,
        FaceSample,
        FaceTemplate,
        FingerInstruction,
        FingerPosition,
        FingerprintSample,
        FingerprintTemplate,
        Hit,
        Modality,
        PresentationVerdict,
        ProcessedFace,
        Quality,
        Template,
        WatchlistEntry,
    )


class FingerprintCapture(Protocol):
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
        """Wait for a finger and return its image.

        on_progress is called with the share of the image that has arrived, 0 to 1.
        on_rows: shown the rows that have arrived, uint8 (rows, width), and told how
        many the image will have, again and again while there are more. on_instruction:
        what the scanner waits for, LIFT_FINGER or PLACE_FINGER, and then HOLD_STILL.
        is_cancelled: asked again and again.

        Raises:
            CaptureCancelledError: is_cancelled said so.
            CaptureTimeoutError: nobody presented a finger within timeout_s.
            DeviceAbsentError: the scanner or its bridge is not there.
            CaptureError: the scanner reported a fault.
        """
        ...


class FingerPresence(Protocol):
    """Tells that a finger lies on a scanner, at no cost in images."""

    def wait_for_finger(
        self, *, timeout_s: float, is_cancelled: Callable[[], bool]
    ) -> None:
        """Return when a finger is put down; one that was captured is lifted before.

        Raises:
            CaptureCancelledError: is_cancelled said so, or a capture began.
            CaptureTimeoutError: nobody presented a finger within timeout_s.
            DeviceAbsentError: the scanner or its bridge is not there.
            CaptureError: the scanner reported a fault.
        """
        ...


class FaceCapture(Protocol):
    def latest(
        self, *, timeout_s: float, is_cancelled: Callable[[], bool] | None = None
    ) -> FaceSample:
        """Return the newest frame, waiting for one that is newer than this call.

        is_cancelled: asked again and again while there is none.

        Raises:
            CaptureCancelledError: is_cancelled said so.
            CaptureTimeoutError: the stream is open but brought no new frame in time.
            DeviceAbsentError: the camera is not there.
        """
        ...


class FingerprintRecognition(Protocol):
    def preview(self, rows: NDArray[np.uint8]) -> Quality:
        """Judge what has arrived of an image, in milliseconds, by its pixels alone."""
        ...

    def assess(self, sample: FingerprintSample) -> Quality: ...

    def extract(self, sample: FingerprintSample) -> FingerprintTemplate: ...


class FaceGuide(Protocol):
    """Leads one traveller before the camera; holds the best frame and no other."""

    def pick(self, x_px: float, y_px: float) -> None:
        """Follow the face at this point of the frame, though others are in view."""
        ...

    def update(self, sample: FaceSample) -> FaceGuidance:
        """Judge the next frame.

        Raises:
            InputError: the sample's image is not RGB of 8 bits.
            ModelError: a network fails.
        """
        ...

    def take_seen(self, sample: FaceSample) -> ProcessedFace | None:
        """Return the face followed in this frame, the last one judged, usable or not.

        None if no face is seen in it.

        Raises:
            ModelError: a network fails.
        """
        ...

    def take_best(self) -> ProcessedFace | None:
        """Return the best usable frame of the face followed, and hold it no longer.

        Raises:
            ModelError: a network fails.
        """
        ...


class FaceRecognition(Protocol):
    def process(self, sample: FaceSample) -> tuple[Quality, FaceTemplate | None]:
        """Assess the face in one image; the template is None if it is not usable."""
        ...

    def guide(self) -> FaceGuide:
        """Begin with a traveller before the camera."""
        ...


class PresentationAttackDetection(Protocol):
    def judge_presentation(
        self, sample: FaceSample, box: FaceBox
    ) -> PresentationVerdict:
        """Judge whether the face in the box is one.

        Raises:
            ModelError: a network fails.
        """
        ...


@dataclass(frozen=True)
class Identification:
    """What all samples of a person say so far.

    candidates: one an entry, rare enough to be referred, the least false match rate
    first. is_open: somebody else is nearly so, and one more sample may tell.
    unsearched: modalities that could not be searched among all entries.
    """

    candidates: tuple[Candidate, ...] = ()
    is_open: bool = False
    unsearched: frozenset[Modality] = frozenset()


class PersonSearch(Protocol):
    """The search for one person, sample by sample; holds the probes so far."""

    def look(self, probes: Sequence[Template], *, share: float) -> Identification:
        """Search with these probes and all before them.

        share: of the false positives that the policy allows a check, for each question
        of this look: whether all samples together are enough and, with samples of both
        modalities, whether those of one are. What was asked before is not new.

        Raises:
            InputError: two faces, or two fingers of one known position.
            StoreError: the watchlist cannot be read.
        """
        ...


class WatchlistSearch(Protocol):
    def begin(self) -> PersonSearch:
        """Begin the search for one person."""
        ...

    def entry(self, entry_id: str) -> WatchlistEntry | None: ...

    def size(self) -> int:
        """Return the number of entries that are searched; 0 means no watchlist."""
        ...


class CheckRecorder(Protocol):
    def record(self, check: CheckRecord, hit: Hit | None) -> None:
        """Write the check and, if there is one, the hit with its outbox row.

        All of it in one durable transaction, so that what is shown as recorded is.
        """
        ...
