"""Is this face good enough to search with, and if not, what should change?

Component measures follow ISO/IEC 29794-5 (as in OFIQ) where five points suffice for
them: inter-eye distance, pose, single face, luminance, illumination uniformity. The
score is the weakest component's. Each reason names one thing the capture subject or
the operator can change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge.terms import Quality, QualityReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.face.alignment import Chip
    from edge.recognition.face.detection import Face

MIN_INTER_EYE_PX = 30.0
MIN_INSIDE_SHARE = 0.97
MAX_SECOND_FACE_SHARE = 0.4  # of the first face's area
MAX_YAW_DEG = 40.0
MAX_PITCH_DEG = 35.0
MAX_ROLL_DEG = 30.0
MIN_LUMINANCE = 0.20
MAX_LUMINANCE = 0.85
MAX_OVEREXPOSED_SHARE = 0.25
MIN_UNIFORMITY = 0.25  # shared area of the two halves' histograms
MIN_SHARPNESS = 0.40  # mean absolute Laplacian over contrast, times ten

# The part of the chip that is skin on nearly every face: rows and columns.
_FACE_ROWS = slice(25, 125)
_LEFT_COLUMNS = slice(30, 75)
_RIGHT_COLUMNS = slice(75, 120)
# A frontal face's nose tip lies half-way between the eyes, and at this share of the way
# from the eyes to the mouth; how far it moves with the tangent of the angle follows
# from how far it stands out, in units of the eye and the eye-mouth distance.
_NOSE_HEIGHT = 0.57
_NOSE_PER_YAW = 0.47
_NOSE_PER_PITCH = 0.44


@dataclass(frozen=True)
class Pose:
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def no_face() -> Quality:
    return Quality(0, (QualityReason.NO_FACE,), is_sufficient=False)


def assess(faces: Sequence[Face], chip: Chip) -> Quality:
    """Return the quality of the largest of the faces, of which chip was cut.

    faces: the largest first, at least one.
    """
    measures = _measure(faces, chip)
    reasons = _reasons(measures)
    score = round(min(_components(measures).values()))
    return Quality(score, reasons, is_sufficient=not reasons, measures=measures)


def estimate_pose(points: NDArray[np.float32]) -> Pose:
    """Return a coarse pose from the five points: good to some ten degrees."""
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


def _measure(faces: Sequence[Face], chip: Chip) -> dict[str, float]:
    face = faces[0]
    pose = estimate_pose(face.points)
    grey = cv2.cvtColor(chip.image, cv2.COLOR_RGB2GRAY)[_FACE_ROWS]
    skin = grey[:, _LEFT_COLUMNS.start : _RIGHT_COLUMNS.stop]
    second_area = faces[1].area_px if len(faces) > 1 else 0.0
    return {
        "inter_eye_px": face.inter_eye_px,
        "inside": chip.inside,
        "second_face": second_area / max(face.area_px, 1.0),
        "yaw_deg": pose.yaw_deg,
        "pitch_deg": pose.pitch_deg,
        "roll_deg": pose.roll_deg,
        "luminance": float(skin.mean()) / 255.0,
        "overexposed": float((skin >= 247).mean()),
        "uniformity": _uniformity(grey[:, _LEFT_COLUMNS], grey[:, _RIGHT_COLUMNS]),
        "sharpness": _sharpness(skin),
    }


def _uniformity(left: NDArray[Any], right: NDArray[Any]) -> float:
    bins = [
        np.histogram(half, bins=32, range=(0, 256))[0] / half.size
        for half in (left, right)
    ]
    return float(np.minimum(*bins).sum())


def _sharpness(grey: NDArray[Any]) -> float:
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (3, 3), 0.8)
    detail = np.abs(cv2.Laplacian(smooth, cv2.CV_32F)).mean()
    return float(detail / (smooth.std() + 5.0)) * 10.0


def _reasons(m: dict[str, float]) -> tuple[QualityReason, ...]:
    turned = (
        abs(m["yaw_deg"]) > MAX_YAW_DEG
        or abs(m["pitch_deg"]) > MAX_PITCH_DEG
        or abs(m["roll_deg"]) > MAX_ROLL_DEG
    )
    too_bright = (
        m["luminance"] > MAX_LUMINANCE or m["overexposed"] > MAX_OVEREXPOSED_SHARE
    )
    checks = (
        (m["second_face"] > MAX_SECOND_FACE_SHARE, QualityReason.SEVERAL_FACES),
        (m["inter_eye_px"] < MIN_INTER_EYE_PX, QualityReason.FACE_TOO_SMALL),
        (m["inside"] < MIN_INSIDE_SHARE, QualityReason.FACE_CUT_OFF),
        (turned, QualityReason.FACE_TURNED),
        (m["luminance"] < MIN_LUMINANCE, QualityReason.TOO_DARK),
        (too_bright, QualityReason.TOO_BRIGHT),
        (m["uniformity"] < MIN_UNIFORMITY, QualityReason.UNEVEN_LIGHT),
        (m["sharpness"] < MIN_SHARPNESS, QualityReason.BLURRED),
    )
    return tuple(reason for failed, reason in checks if failed)


def _components(m: dict[str, float]) -> dict[str, float]:
    """Return each component, 0 to 100."""
    across_px = m["inter_eye_px"] / max(np.cos(np.radians(m["yaw_deg"])), 0.1)
    angles = np.radians([m["yaw_deg"], m["pitch_deg"], m["roll_deg"]])
    light = _sigmoid((m["luminance"] - 0.2) / 0.05) * (
        1 - _sigmoid((m["luminance"] - 0.8) / 0.05)
    )
    return {
        "size": 100 * _sigmoid((across_px - 70) / 20),
        "pose": 100 * float(np.min(np.cos(angles) ** 2)),
        "single_face": 100 * (1 - min(m["second_face"], 1.0)),
        "luminance": 100 * light,
        "uniformity": 100 * m["uniformity"] ** 0.3,
        "inside": 100 * m["inside"],
        "sharpness": 100 * min(m["sharpness"] / (3 * MIN_SHARPNESS), 1.0),
    }


def _sigmoid(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-value)))
