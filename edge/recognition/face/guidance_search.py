"""Find faces in a stream at a fraction of what each whole frame would cost.

Between whole frames only the neighbourhood of the followed face is looked at, shrunk
to the size at which the detectors are still exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.face.detection import require_rgb
from edge.recognition.face.levelling import levelled
from edge.recognition.face.quality_geometry import bounded
from edge.recognition.face.suspicion import Suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Detector, Face

    Image = NDArray[np.uint8]

WHOLE_EVERY_FRAMES = 5
# Of a whole frame: a face of 60 px in 640x480 is then still 40 px wide.
REDUCED_SIDE_PX = 320
# The detailed look for faces farther away; larger cameras are not worth their time.
DETAILED_SIDE_PX = 480
# Of the followed face; the last networks of the cascade look at 48 px.
FACE_WIDTH_PX = 72
# How far around the face it is looked for, in its own size, on each side.
AROUND = 0.6
LEAST_OVERLAP = 0.2
LOOK_TURNED_EVERY = 3


@dataclass(frozen=True, eq=False)
class Sight:
    """Faces in pixels of the frame. is_whole: the whole frame was looked at."""

    faces: tuple[Face, ...]
    is_whole: bool


class FaceFinder:
    """Holds no image. Not for several threads."""

    def __init__(
        self, detector: Detector, whole_every_frames: int = WHOLE_EVERY_FRAMES
    ) -> None:
        self._detector = detector
        self._suspicion = Suspicion(detector)
        self._every = max(1, whole_every_frames)
        self._since_whole = 0
        self._misses = 0

    def find(self, image: Image, followed: Face | None) -> Sight:
        """Look for faces; where the followed one is lost, in the whole frame at once.

        Raises:
            InputError: the image is not RGB of 8 bits.
            ModelError: the network fails.
        """
        require_rgb(image)
        self._since_whole += 1
        if followed is not None and self._since_whole < self._every:
            near = self._near(image, followed, FACE_WIDTH_PX)
            if near:
                return Sight(near, is_whole=False)
        self._since_whole = 0
        faces = self._whole(image)
        if followed is not None and not any(
            overlap(face, followed) >= LEAST_OVERLAP for face in faces
        ):
            faces += self._near(image, followed, FACE_WIDTH_PX)
        return Sight(faces, is_whole=True)

    def suspected(self, image: Image) -> list[Face]:
        """Return where a face may be that `find` is not sure of: for advice alone."""
        is_turn = self._misses % LOOK_TURNED_EVERY == 1
        return self._suspicion.faces(image, look_turned=is_turn)

    def refined(self, image: Image, face: Face) -> Face:
        """Return the same face, found again at the frame's full resolution."""
        near = self._near(image, face, None)
        if not near:
            return face
        found = max(near, key=lambda found: overlap(found, face))
        return self.levelled(image, found)

    def levelled(self, image: Image, face: Face) -> Face:
        """Return the face with the points that it has when seen upright."""
        return levelled(self._detector, image, face)

    def _whole(self, image: Image) -> tuple[Face, ...]:
        """Look at the reduced frame; after a miss, once in detail for far faces.

        The two take turns, so that an empty booth costs little.
        """
        side_px = DETAILED_SIDE_PX if self._misses % 2 else REDUCED_SIDE_PX
        scale = min(1.0, side_px / min(image.shape[:2]))
        faces = self._detect(image, scale, (0, 0))
        self._misses = 0 if faces else self._misses + 1
        return faces

    def _near(self, image: Image, face: Face, width_px: int | None) -> tuple[Face, ...]:
        """Return what overlaps the face where it was; width_px: to shrink it to."""
        height, width = image.shape[:2]
        x1, y1, x2, y2 = (float(v) for v in bounded(face).box)
        more_x, more_y = (x2 - x1) * AROUND, (y2 - y1) * AROUND
        left, right = max(0, round(x1 - more_x)), min(width, round(x2 + more_x))
        top, bottom = max(0, round(y1 - more_y)), min(height, round(y2 + more_y))
        if right <= left or bottom <= top:
            return ()
        scale = 1.0 if width_px is None else min(1.0, width_px / max(x2 - x1, 1.0))
        piece = np.ascontiguousarray(image[top:bottom, left:right])
        found = self._detect(piece, scale, (left, top))
        return tuple(other for other in found if overlap(other, face) >= LEAST_OVERLAP)

    def _detect(
        self,
        image: Image,
        scale: float,
        offset: tuple[int, int],
    ) -> tuple[Face, ...]:
        height, width = image.shape[:2]
        if scale < 1:
            extent = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(image, extent, interpolation=cv2.INTER_AREA)
            image = small.astype(np.uint8, copy=False)
        factor = np.array([width / image.shape[1], height / image.shape[0]], np.float32)
        corner = np.array(offset, np.float32)
        return tuple(
            replace(
                face,
                box=face.box * np.tile(factor, 2) + np.tile(corner, 2),
                points=face.points * factor + corner,
            )
            for face in self._detector.detect(image)
        )


def overlap(first: Face, second: Face) -> float:
    """Return intersection over union of the boxes, 0 to 1."""
    low = np.maximum(first.box[:2], second.box[:2])
    high = np.minimum(first.box[2:], second.box[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    whole = first.area_px + second.area_px - shared
    return shared / whole if whole > 0 else 0.0
