"""Where a face lies, how large it is and which way it looks, from its five points.

Right and left are those of the image unless the text says the traveller's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.face.detection import Face

# Pupils to chin over pupils to mouth. The chin is not among the five points: on adult
# faces (L. Farkas, "Anthropometry of the Head and Face", 1994) the mouth lies at six
# tenths of the way. A beard, an open mouth or a child's face is off by a tenth.
CHIN_PER_MOUTH = 1.67
# A face that looks up or down has a shortened mouth distance; never trust less.
LEAST_MOUTH_PER_EYES = 0.6
# A frontal face's nose tip lies half-way between the eyes, and at this share of the way
# from the eyes to the mouth; it moves with the tangent of the angle, by a factor in
# units of the eye and the eye-mouth distance. The factors are what detectors report on
# frontal development faces turned by a model of depth: they place the points of turned
# faces too near the frontal ones, so that geometry alone (0.47, 0.44) reads too little.
_NOSE_HEIGHT = 0.57
_NOSE_PER_YAW = 0.33
_NOSE_PER_PITCH = 0.30
# Half axes of the face's outline and its middle below the eyes, in eye distances.
_OUTLINE = (0.95, 1.25)
_OUTLINE_BELOW_EYES = 0.55
_LARGEST = 1e6
# A box is some 2.2 eye distances wide; where the points of a covered face collapse, its
# box still tells how large it is.
_MOST_BOX_PER_EYES = 2.8


@dataclass(frozen=True)
class Pose:
    """Coarse angles in degrees, good to some ten.

    yaw: positive to the image's right. pitch: positive when looking down. roll:
    positive when the eye on the right lies lower.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True)
class Geometry:
    """Lengths in units of the frame's pixels; ratios as ISO/IEC 29794-5 takes them.

    inter_eye_px: between the eyes, divided by the cosine of the yaw. size_px: the same,
    never much less than the box suggests. chin_px: T, from the middle of the eyes to
    the estimated chin. left, right: from the eye on that side
    to the frame's edge, in eye distances. above, below: from the middle of the eyes to
    the edge, in T. inside: share of the face's outline that the frame holds.
    """

    pose: Pose
    inter_eye_px: float
    size_px: float
    chin_px: float
    head_size: float
    left: float
    right: float
    above: float
    below: float
    inside: float
    centre_x: float
    eyes_y: float


def geometry_of(face: Face, height_px: int, width_px: int) -> Geometry:
    """Measure the face, as `bounded` gives it, in a frame of this size."""
    points, box = face.points.astype(np.float64), face.box.astype(np.float64)
    pose = estimate_pose(points)
    eyes = (points[0] + points[1]) / 2
    between = max(float(np.linalg.norm(points[1] - points[0])), 1e-3)
    mouth = float(np.linalg.norm((points[3] + points[4]) / 2 - eyes))
    chin = CHIN_PER_MOUTH * max(mouth, LEAST_MOUTH_PER_EYES * between)
    across = between / max(float(np.cos(np.radians(pose.yaw_deg))), 0.5)
    return Geometry(
        pose=pose,
        inter_eye_px=across,
        size_px=max(across, float(box[2] - box[0]) / _MOST_BOX_PER_EYES),
        chin_px=chin,
        head_size=chin / height_px,
        left=float(points[0, 0]) / between,
        right=(width_px - float(points[1, 0])) / between,
        above=float(eyes[1]) / chin,
        below=(height_px - float(eyes[1])) / chin,
        inside=_inside(points, between, height_px, width_px),
        centre_x=float(points[:, 0].mean()) / width_px,
        eyes_y=float(eyes[1]) / height_px,
    )


def bounded(face: Face) -> Face:
    """Return the face with finite places that leave room for arithmetic."""
    box, points = (
        np.clip(np.nan_to_num(part), -_LARGEST, _LARGEST).astype(np.float32)
        for part in (face.box, face.points)
    )
    return replace(face, box=box, points=points)


def prominence(face: Face, height_px: int, width_px: int) -> float:
    """Return the face's area within the frame, less the farther from its middle."""
    x1, y1, x2, y2 = (float(v) for v in face.box)
    seen_x = max(0.0, min(x2, width_px) - max(x1, 0.0))
    seen_y = max(0.0, min(y2, height_px) - max(y1, 0.0))
    off_px = math.hypot(x1 + x2 - width_px, y1 + y2 - height_px) / 2
    share = 2 * off_px / math.hypot(width_px, height_px)
    return seen_x * seen_y * max(0.0, 1 - share)


def most_prominent(faces: Sequence[Face], height_px: int, width_px: int) -> int:
    """Return the index of the face that is meant: the largest centred one."""
    values = [prominence(face, height_px, width_px) for face in faces]
    return int(np.argmax(values))


def estimate_pose(points: NDArray[Any]) -> Pose:
    """Return a coarse pose from the five points, as Face.points."""
    eyes = points[1] - points[0]
    distance = max(float(np.linalg.norm(eyes)), 1e-6)
    right = eyes / distance
    down = np.array([-right[1], right[0]])
    from_eyes = points[2] - (points[0] + points[1]) / 2
    mouth_depth = float(down @ ((points[3] + points[4]) - (points[0] + points[1]))) / 2
    sideways = float(right @ from_eyes) / distance
    downwards = float(down @ from_eyes) / max(mouth_depth, 0.2 * distance)
    return Pose(
        yaw_deg=float(np.degrees(np.arctan(sideways / _NOSE_PER_YAW))),
        pitch_deg=float(
            np.degrees(np.arctan((downwards - _NOSE_HEIGHT) / _NOSE_PER_PITCH))
        ),
        roll_deg=float(np.degrees(np.arctan2(eyes[1], eyes[0]))),
    )


def _inside(
    points: NDArray[np.float64], between: float, height_px: int, width_px: int
) -> float:
    """Return which share of the face's outline, an ellipse, lies in the frame."""
    right = (points[1] - points[0]) / between
    down = np.array([-right[1], right[0]])
    middle = (points[0] + points[1]) / 2 + down * between * _OUTLINE_BELOW_EYES
    grid = np.linspace(-1, 1, 21)
    x, y = (part.ravel() for part in np.meshgrid(grid, grid))
    within = x * x + y * y <= 1
    across = np.outer(x[within] * _OUTLINE[0] * between, right)
    places = middle + across + np.outer(y[within] * _OUTLINE[1] * between, down)
    is_in = (places >= 0).all(axis=1)
    is_in &= (places[:, 0] < width_px) & (places[:, 1] < height_px)
    return float(is_in.mean())
