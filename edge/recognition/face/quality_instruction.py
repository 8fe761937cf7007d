"""From measures and limits to reasons, and to the one instruction that matters now.

The order is that of what spoils the other measures: a face that is cut off, tiny, blown
out or covered has neither trustworthy points nor trustworthy light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.terms import FaceInstruction, QualityReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.recognition.face.quality_cover import Cover
    from edge.recognition.face.quality_geometry import Geometry, Pose
    from edge.recognition.face.quality_pixels import Light
    from edge.recognition.face.quality_thresholds import FaceThresholds

    Fault = tuple[QualityReason, FaceInstruction]

# From an eye to the outline's side, and from the eyes to its top and bottom, in eye
# distances and in T.
_BESIDE_EYE = 0.45
_ABOVE_EYES = 0.41
_BELOW_EYES = 1.06
_LEGIBLE_SHARE = 0.7
_LIT_SIDE = 0.35
_ASLANT = 1.25


@dataclass(frozen=True)
class FaceMeasures:
    """Native measures of the chosen face.

    second_face: largest other face's area over the chosen one's. rival: the same for
    prominence, so that who stands at the edge does not count as in front of the camera.
    height_px, width_px: of the frame.
    """

    geometry: Geometry
    light: Light
    cover: Cover
    sharpness: float
    colour_distance: float
    background_gradient: float
    second_face: float
    rival: float
    height_px: int
    width_px: int


def faults(measures: FaceMeasures, limits: FaceThresholds) -> list[Fault]:
    """Return what is beyond the limits, the most urgent first."""
    pose = measures.geometry.pose
    turned = list(_pose(pose, limits))
    # The points of a head on its side are rough, and the picture cut by them looks so.
    is_aslant = abs(pose.roll_deg) > _ASLANT * limits.most_roll_deg
    return [
        *_place(measures, limits),
        *(turned if is_aslant else ()),
        *_picture(measures, limits),
        *(() if is_aslant else turned),
        *_details(measures, limits),
    ]


def _place(m: FaceMeasures, limits: FaceThresholds) -> Iterator[Fault]:
    face = m.geometry
    if m.rival > limits.most_rival:
        yield QualityReason.SEVERAL_FACES, FaceInstruction.ONE_PERSON_ONLY
    if face.inside < limits.least_inside:
        yield QualityReason.FACE_CUT_OFF, _way_back(face)
    least_px = limits.inter_eye_px(min(m.height_px, m.width_px))
    # Of a much smaller face nothing else can be said; of a little smaller one, whose
    # points may only have been drawn together by what covers it, the cover counts more.
    is_covered = _is_covered(m, limits) and face.size_px >= _LEGIBLE_SHARE * least_px
    if is_covered:
        yield QualityReason.FACE_COVERED, FaceInstruction.UNCOVER_FACE
    if face.size_px < least_px:
        yield QualityReason.FACE_TOO_SMALL, FaceInstruction.CLOSER
    if face.head_size > limits.most_head_size:
        yield QualityReason.FACE_TOO_LARGE, FaceInstruction.FURTHER


def _picture(m: FaceMeasures, limits: FaceThresholds) -> Iterator[Fault]:
    if _is_bright(m, limits):
        yield QualityReason.TOO_BRIGHT, FaceInstruction.TOO_BRIGHT
    if m.light.mean < limits.least_luminance:
        # Where one side is lit, its darkness is not that of the room.
        if _is_uneven(m, limits) and m.light.lit >= _LIT_SIDE:
            yield QualityReason.UNEVEN_LIGHT, FaceInstruction.LIGHT_FROM_ONE_SIDE
        yield QualityReason.TOO_DARK, FaceInstruction.TOO_DARK
    if m.sharpness < limits.least_sharpness:
        yield QualityReason.BLURRED, FaceInstruction.HOLD_STILL


def _is_bright(m: FaceMeasures, limits: FaceThresholds) -> bool:
    light = m.light
    return light.mean > limits.most_luminance or light.over > limits.most_over_exposed


def _is_uneven(m: FaceMeasures, limits: FaceThresholds) -> bool:
    return (
        m.light.uniformity < limits.least_uniformity
        and abs(m.light.sides_ratio) > limits.most_sides_ratio
    )


def _is_covered(m: FaceMeasures, limits: FaceThresholds) -> bool:
    """Blown out, black or blurred skin is as empty as a cover: it cannot be told."""
    is_legible = m.sharpness >= limits.least_sharpness and not _is_bright(m, limits)
    is_lit = m.light.lit >= limits.least_luminance
    return is_legible and is_lit and m.cover.any_part > limits.most_covered


def _pose(pose: Pose, limits: FaceThresholds) -> Iterator[Fault]:
    pitch = FaceInstruction.CHIN_UP if pose.pitch_deg > 0 else FaceInstruction.CHIN_DOWN
    excess = (
        (abs(pose.roll_deg) / limits.most_roll_deg, FaceInstruction.LEVEL_HEAD),
        (abs(pose.yaw_deg) / limits.most_yaw_deg, FaceInstruction.LOOK_STRAIGHT),
        (abs(pose.pitch_deg) / limits.most_pitch_deg, pitch),
    )
    share, instruction = max(excess, key=lambda item: item[0])
    if share > 1:
        yield QualityReason.FACE_TURNED, instruction


def _details(m: FaceMeasures, limits: FaceThresholds) -> Iterator[Fault]:
    if _is_uneven(m, limits):
        yield QualityReason.UNEVEN_LIGHT, FaceInstruction.LIGHT_FROM_ONE_SIDE
    if m.cover.glare > limits.most_glare:
        yield QualityReason.GLASSES_REFLECT, FaceInstruction.GLASSES_REFLECT
    yield from _position(m, limits)


def _position(m: FaceMeasures, limits: FaceThresholds) -> Iterator[Fault]:
    face = m.geometry
    low, high = limits.centre_x
    if not low <= face.centre_x <= high:
        is_left = face.centre_x < low
        way = FaceInstruction.LEFT if is_left else FaceInstruction.RIGHT
        yield QualityReason.OFF_CENTRE, way
    low, high = limits.eyes_y
    if not low <= face.eyes_y <= high:
        is_high = face.eyes_y < low
        way = FaceInstruction.DOWN if is_high else FaceInstruction.UP
        yield QualityReason.OFF_CENTRE, way


def _way_back(face: Geometry) -> FaceInstruction:
    """Return where the traveller has to go so that the frame holds the whole face."""
    missing = {
        FaceInstruction.LEFT: _BESIDE_EYE - face.left,
        FaceInstruction.RIGHT: _BESIDE_EYE - face.right,
        FaceInstruction.DOWN: _ABOVE_EYES - face.above,
        FaceInstruction.UP: _BELOW_EYES - face.below,
    }
    # What one side lacks is not to be had from the other.
    is_too_wide = missing[FaceInstruction.LEFT] + missing[FaceInstruction.RIGHT] > 0
    if is_too_wide or missing[FaceInstruction.UP] + missing[FaceInstruction.DOWN] > 0:
        return FaceInstruction.FURTHER
    return max(missing, key=lambda way: missing[way])
