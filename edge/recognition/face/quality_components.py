"""Component measures of ISO/IEC 29794-5 that five points and classical vision allow.

Each is 0 (worst) to 100, named as in the standard; formulas and constants are those of
its reference software (OFIQ). Where the standard needs a model, the nearest that can be
computed stands in, and is only an estimate: the chin T (see quality_geometry), the pose
angles, the face's and the background's regions, and sharpness, which has a mapping of
its own. Not there: eyes open and visible, mouth closed, occlusions, head coverings,
expression, compression artefacts; `uncovered` and `glasses_clear` are the project's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edge.recognition.face.quality_cover import Cover
    from edge.recognition.face.quality_geometry import Geometry
    from edge.recognition.face.quality_pixels import Light

# What the networks' errors follow; the rest is for portraits that are kept.
FOR_COMPARISON = (
    "inter_eye_distance",
    "head_pose_yaw",
    "head_pose_pitch",
    "head_pose_roll",
    "luminance_mean",
    "over_exposure_prevention",
    "dynamic_range",
    "illumination_uniformity",
    "sharpness",
    "uncovered",
)
_SHARPNESS_MIDDLE = 0.42
_SHARPNESS_WIDTH = 0.05


def sigmoid(value: float, middle: float, width: float) -> float:
    return float(1 / (1 + np.exp(-np.clip((value - middle) / width, -60, 60))))


def geometry_components(geometry: Geometry, second_face: float) -> dict[str, float]:
    """second_face: the second largest face's area over the chosen one's.

    Crops are named as in the reference software: upward has little below the face.
    """
    pose = geometry.pose
    return {
        "single_face_present": 100 * (1 - min(second_face, 1.0)),
        "inter_eye_distance": 100 * sigmoid(geometry.inter_eye_px, 70, 20),
        "head_pose_yaw": _pose(pose.yaw_deg),
        "head_pose_pitch": _pose(pose.pitch_deg),
        "head_pose_roll": _pose(pose.roll_deg),
        "head_size": _within(
            200 * (1 - sigmoid(abs(geometry.head_size - 0.45), 0, 0.05))
        ),
        "leftward_crop": 100 * sigmoid(geometry.left, 0.9, 0.1),
        "rightward_crop": 100 * sigmoid(geometry.right, 0.9, 0.1),
        "downward_crop": 100 * sigmoid(geometry.above, 1.4, 0.1),
        "upward_crop": 100 * sigmoid(geometry.below, 1.8, 0.1),
    }


def light_components(light: Light) -> dict[str, float]:
    spread = 60 * light.variance
    middling = sigmoid(light.mean, 0.2, 0.05) * (1 - sigmoid(light.mean, 0.8, 0.05))
    return {
        "luminance_mean": 100 * middling,
        "luminance_variance": _within(100 * np.sin(np.pi * spread / (spread + 1))),
        "over_exposure_prevention": _within(1 / (light.over + 0.01)),
        "under_exposure_prevention": _within(
            120 * (0.832 - sigmoid(light.under, 0.92, 0.05))
        ),
        "dynamic_range": _within(12.5 * light.entropy_bits),
        "illumination_uniformity": _within(100 * light.uniformity**0.3),
    }


def other_components(
    sharpness: float, colour_distance: float, gradient: float, cover: Cover
) -> dict[str, float]:
    return {
        "sharpness": 100 * sigmoid(sharpness, _SHARPNESS_MIDDLE, _SHARPNESS_WIDTH),
        "natural_colour": _within(200 * (1 - sigmoid(colour_distance, 0, 10))),
        "background_uniformity": _within(190 * (1 - sigmoid(gradient, 10, 100))),
        "uncovered": 100 * (1 - cover.any_part),
        "glasses_clear": _within(100 * (1 - cover.glare / 0.2)),
    }


def unified_score(components: dict[str, float]) -> int:
    """Return the geometric mean of what comparison depends on, 0 to 100.

    The standard's unified score needs a network; this is not it.
    """
    values = np.maximum([components[name] for name in FOR_COMPARISON], 0.01)
    return round(float(np.exp(np.log(values).mean())))


def _pose(angle_deg: float) -> float:
    return 100 * max(0.0, float(np.cos(np.radians(angle_deg)))) ** 2


def _within(value: float) -> float:
    return float(np.clip(value, 0.0, 100.0))
