"""Live guidance as the booth's checks see it: implements edge.ports.FaceGuide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.recognition.face.guidance import MOST_MOTION_PER_S, BestFrame
from edge.recognition.face.quality_geometry import bounded
from edge.terms import (
    FaceBox,
    FaceGuidance,
    FaceInstruction,
    ProcessedFace,
    QualityReason,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.recognition.face.detection import Face
    from edge.recognition.face.guidance import FaceTracker, Guidance
    from edge.terms import FaceSample, FaceTemplate, Quality


class TemplateGuide:
    """Frames in; out come instructions and, in the end, one face and its template."""

    def __init__(
        self,
        tracker: FaceTracker,
        process: Callable[[BestFrame], tuple[Quality, FaceTemplate]],
    ) -> None:
        """tracker: of this traveller alone."""
        self._tracker = tracker
        self._seen: Guidance | None = None
        self._process = process

    def pick(self, x_px: float, y_px: float) -> None:
        """Follow the face at this point of the frame, though others are in view."""
        self._tracker.pick(x_px, y_px)

    def update(self, sample: FaceSample) -> FaceGuidance:
        """Judge the next frame.

        Raises:
            InputError: the sample's image is not RGB of 8 bits.
            ModelError: the network fails.
        """
        found = self._seen = self._tracker.update(sample)
        height, width = sample.image.shape[:2]
        motion = found.motion_per_s
        return FaceGuidance(
            instruction=found.instruction,
            seen=found.seen,
            face=None if found.face is None else box_of(found.face),
            faces=tuple(box_of(face) for face in found.faces),
            is_picked=found.is_picked,
            quality=_told(found),
            is_usable=found.is_usable,
            is_steady=motion is not None and motion <= MOST_MOTION_PER_S,
            width_px=width,
            height_px=height,
        )

    def take_seen(self, sample: FaceSample) -> ProcessedFace | None:
        """Return the face followed in this frame, the last one judged, usable or not.

        None if no face is seen in it.

        Raises:
            ModelError: the network fails.
        """
        seen = self._seen
        if seen is None or seen.face is None:
            return None
        best = self._tracker.at_full_resolution(
            BestFrame(sample, seen.face, _told(seen), seen.is_picked)
        )
        _, template = self._process(best)
        return ProcessedFace(
            sample, box_of(best.face), best.is_picked, best.quality, template
        )

    def take_best(self) -> ProcessedFace | None:
        """Return the best usable frame with its template, and hold it no longer.

        Raises:
            ModelError: the network fails.
        """
        best = self._tracker.take_best()
        if best is None:
            return None
        quality, template = self._process(best)
        return ProcessedFace(
            best.sample, box_of(best.face), best.is_picked, quality, template
        )


def _told(found: Guidance) -> Quality:
    """Return the quality; what a moving face is refused for is told with it."""
    if found.is_usable or not found.quality.is_sufficient:
        return found.quality
    return replace(
        found.quality,
        reasons=(QualityReason.MOVED,),
        is_sufficient=False,
        instruction=FaceInstruction.HOLD_STILL,
    )


def box_of(face: Face) -> FaceBox:
    left, top, right, bottom = (float(edge) for edge in bounded(face).box)
    return FaceBox(left, top, right, bottom)
