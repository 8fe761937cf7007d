"""What is asked of a face and what is refused, by profile.

`asked` leads the traveller and ranks the frames of a burst; `refused` is what must not
be searched with or kept. They differ because a border check that turned away whoever
is off the portrait's values would never end: a search bears more than a portrait.

BSI TR-03121-3 (volume Border Control, face): yaw and pitch within 5 degrees, roll
within 8, 120 px between the eyes in a portrait 600 to 1200 px wide, head height at most
0.9 of the image's. ICAO Portrait Quality (2018): 90 px at least, 240 px recommended.
Luminance limits are where the standard's own component has lost half its value. The
other `refused` values are the project's, set on development images so that few plain
photographs and most spoilt ones are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FaceProfileName = Literal["border", "enrolment"]
# Five points tell yaw and pitch to some ten degrees; a limit below that refuses faces
# that look straight.
POSE_ERROR_DEG = 10.0
PORTRAIT_WIDTH_PX = 600.0


@dataclass(frozen=True)
class FaceThresholds:
    """Limits of native measures; see quality_geometry, quality_pixels, quality_cover.

    least_inter_eye_px: for frames whose shorter side is portrait_px or more, less in
    proportion below that; portrait_px 0: always. most_head_size: T over the frame's
    height. most_rival: another face's prominence over the chosen one's.
    most_sides_ratio: of the cheeks' light, natural logarithm, which counts only where
    the cheeks' histograms share less than least_uniformity. centre_x, eyes_y: ranges in
    shares of the frame.
    """

    least_inter_eye_px: float
    portrait_px: float
    most_head_size: float
    most_rival: float
    least_inside: float
    most_yaw_deg: float
    most_pitch_deg: float
    most_roll_deg: float
    least_luminance: float
    most_luminance: float
    most_over_exposed: float
    least_uniformity: float
    most_sides_ratio: float
    least_sharpness: float
    most_covered: float
    most_glare: float
    centre_x: tuple[float, float] = (0.0, 1.0)
    eyes_y: tuple[float, float] = (0.0, 1.0)

    def inter_eye_px(self, shorter_side_px: int) -> float:
        """Return the least distance between the eyes in a frame of this size."""
        if shorter_side_px >= self.portrait_px:
            return self.least_inter_eye_px
        return self.least_inter_eye_px * shorter_side_px / self.portrait_px


@dataclass(frozen=True)
class FaceProfile:
    name: FaceProfileName
    asked: FaceThresholds
    refused: FaceThresholds


_PORTRAIT = FaceThresholds(
    least_inter_eye_px=120,
    portrait_px=PORTRAIT_WIDTH_PX,
    most_head_size=0.58,
    most_rival=0.2,
    least_inside=1.0,
    most_yaw_deg=5 + POSE_ERROR_DEG,
    most_pitch_deg=5 + POSE_ERROR_DEG,
    most_roll_deg=8,
    least_luminance=0.2,
    most_luminance=0.8,
    most_over_exposed=0.05,
    least_uniformity=0.3,
    most_sides_ratio=0.5,
    least_sharpness=0.5,
    most_covered=0.5,
    most_glare=0.03,
    centre_x=(0.3, 0.7),
    eyes_y=(0.2, 0.6),
)
BORDER = FaceProfile(
    name="border",
    asked=_PORTRAIT,
    refused=FaceThresholds(
        least_inter_eye_px=30,
        portrait_px=0,
        most_head_size=0.75,
        most_rival=0.4,
        least_inside=0.9,
        most_yaw_deg=45,
        most_pitch_deg=42,
        most_roll_deg=20,
        least_luminance=0.2,
        most_luminance=0.8,
        most_over_exposed=0.25,
        least_uniformity=0.15,
        most_sides_ratio=0.75,
        least_sharpness=0.43,
        most_covered=0.75,
        most_glare=0.08,
    ),
)
ENROLMENT = FaceProfile(
    name="enrolment",
    asked=FaceThresholds(
        **{
            **vars(_PORTRAIT),
            "least_inter_eye_px": 240,
            "portrait_px": 0,
            "centre_x": (0.45, 0.55),
            "eyes_y": (0.3, 0.5),
        }
    ),
    refused=FaceThresholds(
        **{
            **vars(_PORTRAIT),
            "least_inter_eye_px": 90,
            "portrait_px": 0,
        }
    ),
)
PROFILES: dict[FaceProfileName, FaceProfile] = {
    profile.name: profile for profile in (BORDER, ENROLMENT)
}
