"""Find the points of a tilted face truly, by looking at it again upright.

YuNet places a tilted face's points too near those of an upright one: of 30 degrees by
which development images were turned it reports 13 in the median. Turning the face back
by more than what is reported and looking again, a few times, comes to 27, and makes
embeddings of such faces as alike as those of upright ones. MTCNN cuts each face out
before it places the points; of 10 degrees it reports 10, and is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import cv2
import numpy as np

from edge.recognition.face.quality_geometry import bounded, estimate_pose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Detector, Face

    Image = NDArray[np.uint8]

LOOKS = 4
# Degrees to turn back for each that is reported: at first, and within what bounds once
# two looks have told how much of the tilt is reported. On photographs a third is, on
# drawings all of it.
FIRST_GAIN = 2.0
GAINS = (1.0, 4.0)
LEVEL_DEG = 1.5
SIDE_PX = 160
# The cut's side in the box's longer side.
AROUND = 1.9
# How far from the cut's middle the same face may be found, in the cut's side.
MOST_OFF = 0.25


@runtime_checkable
class _ShortensTilt(Protocol):
    """A detector that reports less tilt than there is says so."""

    shortens_tilt: bool


def levelled(detector: Detector, image: Image, face: Face) -> Face:
    """Return the face with its points as seen upright; its box stays.

    The same face is returned if the detector needs no such help, or loses it.

    Raises:
        ModelError: the network fails.
    """
    steady = bounded(face)
    size = float(np.max(steady.box[2:] - steady.box[:2]))
    if size < 1 or not isinstance(detector, _ShortensTilt):
        return face
    centre = (steady.box[:2] + steady.box[2:]).astype(np.float64) / 2
    angle, points, gain = 0.0, face.points, FIRST_GAIN
    residual = estimate_pose(steady.points).roll_deg
    least = abs(residual)
    for _ in range(LOOKS):
        if least < LEVEL_DEG:
            break
        step = gain * residual
        angle += step
        to_cut = _upright(centre, AROUND * size, angle)
        seen = _points_in(detector, image, to_cut)
        if seen is None:
            break
        before, residual = residual, estimate_pose(seen).roll_deg
        gain = float(np.clip(step / (before - residual or step), *GAINS))
        if abs(residual) < least:
            back = np.asarray(cv2.invertAffineTransform(to_cut), np.float64)
            points = (seen @ back[:, :2].T + back[:, 2]).astype(np.float32)
            least = abs(residual)
    return replace(face, points=points)


def _points_in(
    detector: Detector, image: Image, to_cut: NDArray[np.float64]
) -> NDArray[np.float32] | None:
    """Return the points of the face in the middle of the cut, in pixels of the cut."""
    cut = cv2.warpAffine(image, to_cut, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)
    found = detector.detect(cut.astype(np.uint8, copy=False))
    nearest = min(found, key=_off_middle, default=None)
    if nearest is None or _off_middle(nearest) > MOST_OFF * SIDE_PX:
        return None
    return nearest.points


def _off_middle(face: Face) -> float:
    return float(np.linalg.norm((face.box[:2] + face.box[2:] - SIDE_PX) / 2))


def _upright(
    centre: NDArray[np.float64], side: float, angle_deg: float
) -> NDArray[np.float64]:
    middle = (float(centre[0]), float(centre[1]))
    turn = np.asarray(
        cv2.getRotationMatrix2D(middle, angle_deg, SIDE_PX / side), np.float64
    )
    turn[:, 2] += SIDE_PX / 2 - centre
    return turn
