"""Is this face good enough to search with, and if not, what should change?

Measures follow ISO/IEC 29794-5 (see quality_components), limits a profile (see
quality_thresholds); every refusal has a reason, and the traveller one instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from edge.recognition.face import quality_components as components
from edge.recognition.face.quality_cover import cover_of
from edge.recognition.face.quality_geometry import (
    bounded,
    geometry_of,
    most_prominent,
    prominence,
)
from edge.recognition.face.quality_instruction import FaceMeasures, faults
from edge.recognition.face.quality_pixels import (
    background_gradient_of,
    cut_face,
    light_of,
    natural_colour_of,
    sharpness_of,
)
from edge.recognition.face.quality_thresholds import BORDER, FaceProfile
from edge.terms import FaceInstruction, Quality, QualityReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Face

    Image = NDArray[np.uint8]

# A frame in which no face can be seen for want or excess of light.
_BLACK_FRAME = 0.12
_WHITE_FRAME = 0.85
_BLOWN_OUT = 0.4


def no_face(
    image: Image | None = None,
    faint: Sequence[Face] = (),
    profile: FaceProfile = BORDER,
) -> Quality:
    """Return the quality of a frame without a face, and what may be the cause.

    image: the RGB frame, if there is one. faint: where a detector that is less strict
    suspects a face; what is wrong there is told to the traveller, and no more.
    """
    if image is None:
        return _unusable((), FaceInstruction.LOOK_AT_CAMERA, {})
    light, white = _middle_light(image)
    measures = {"frame_luminance": light, "frame_blown_out": white}
    if light < _BLACK_FRAME:
        reasons: tuple[QualityReason, ...] = (QualityReason.TOO_DARK,)
        return _unusable(reasons, FaceInstruction.TOO_DARK, measures)
    if light > _WHITE_FRAME or white > _BLOWN_OUT:
        reasons = (QualityReason.TOO_BRIGHT,)
        return _unusable(reasons, FaceInstruction.TOO_BRIGHT, measures)
    if not faint:
        return _unusable((), FaceInstruction.LOOK_AT_CAMERA, measures)
    chosen = most_prominent(faint, *image.shape[:2])
    suspected = assess(image, [faint[chosen]], profile=profile)
    is_told = suspected.instruction is not FaceInstruction.OK
    return _unusable(
        suspected.reasons,
        suspected.instruction if is_told else FaceInstruction.LOOK_AT_CAMERA,
        measures,
    )


@dataclass(frozen=True)
class Judgement:
    """quality: with the instruction for what is refused. advice: for what is asked."""

    quality: Quality
    advice: FaceInstruction


def assess(
    image: Image, faces: Sequence[Face], chosen: int = 0, profile: FaceProfile = BORDER
) -> Quality:
    """Return the quality of the chosen one of the faces found in the RGB image.

    faces: at least one; a second one of some size is a reason. To judge a face that an
    officer picked, give it alone. measures hold native values and components, 0 to 100.
    """
    return judge(image, faces, chosen, profile).quality


def judge(
    image: Image, faces: Sequence[Face], chosen: int = 0, profile: FaceProfile = BORDER
) -> Judgement:
    """Assess, and tell besides what the profile asks beyond what it refuses."""
    measures = measure(image, faces, chosen)
    found = faults(measures, profile.refused)
    asked = faults(measures, profile.asked)
    rated = _components(measures)
    assessed = Quality(
        score=components.unified_score(rated),
        reasons=tuple(dict.fromkeys(reason for reason, _ in found)),
        is_sufficient=not found,
        measures={
            **_place(faces[chosen]),
            **_native(measures),
            **rated,
            "faults_asked": float(len(asked)),
        },
        instruction=found[0][1] if found else FaceInstruction.OK,
    )
    return Judgement(assessed, asked[0][1] if asked else FaceInstruction.OK)


def measure(image: Image, faces: Sequence[Face], chosen: int = 0) -> FaceMeasures:
    face = bounded(faces[chosen])
    others = [bounded(other) for i, other in enumerate(faces) if i != chosen]
    height, width = image.shape[:2]
    own = prominence(face, height, width)
    cut = cut_face(image, face)
    return FaceMeasures(
        geometry=geometry_of(face, height, width),
        light=light_of(cut),
        cover=cover_of(cut),
        sharpness=sharpness_of(cut),
        colour_distance=natural_colour_of(cut),
        background_gradient=background_gradient_of(image, face),
        second_face=max((f.area_px for f in others), default=0.0)
        / max(face.area_px, 1.0),
        rival=max((prominence(f, height, width) for f in others), default=0.0)
        / max(own, 1.0),
        height_px=height,
        width_px=width,
    )


def _unusable(
    reasons: tuple[QualityReason, ...],
    instruction: FaceInstruction | None,
    measures: dict[str, float],
) -> Quality:
    return Quality(
        0,
        (QualityReason.NO_FACE, *reasons),
        is_sufficient=False,
        measures=measures,
        instruction=instruction,
    )


def _components(m: FaceMeasures) -> dict[str, float]:
    return {
        **components.geometry_components(m.geometry, m.second_face),
        **components.light_components(m.light),
        **components.other_components(
            m.sharpness, m.colour_distance, m.background_gradient, m.cover
        ),
    }


def _place(face: Face) -> dict[str, float]:
    """Return which face the result belongs to."""
    edges = ("face_left_px", "face_top_px", "face_right_px", "face_bottom_px")
    return dict(zip(edges, map(float, bounded(face).box), strict=True))


def _native(m: FaceMeasures) -> dict[str, float]:
    face, light = m.geometry, m.light
    return {
        "inter_eye_px": face.inter_eye_px,
        "yaw_deg": face.pose.yaw_deg,
        "pitch_deg": face.pose.pitch_deg,
        "roll_deg": face.pose.roll_deg,
        "chin_px": face.chin_px,
        "inside": face.inside,
        "second_face": m.second_face,
        "rival": m.rival,
        "luminance": light.mean,
        "over_exposed": light.over,
        "under_exposed": light.under,
        "entropy_bits": light.entropy_bits,
        "histograms_shared": light.uniformity,
        "sides_log_ratio": light.sides_ratio,
        "detail_ratio": m.sharpness,
        "colour_distance": m.colour_distance,
        "background_gradient": m.background_gradient,
        "covered_lower": m.cover.lower,
        "covered_side": m.cover.side,
        "covered_eyes": m.cover.eyes,
        "glare": m.cover.glare,
    }


def _middle_light(image: Image) -> tuple[float, float]:
    """Return mean and blown out share of the frame's middle, both 0 to 1."""
    height, width = image.shape[:2]
    middle = image[height // 4 : height - height // 4, width // 4 : width - width // 4]
    small = cv2.resize(middle, (64, 64), interpolation=cv2.INTER_AREA)
    return float(small.mean()) / 255, float((small.min(axis=2) >= 247).mean())
