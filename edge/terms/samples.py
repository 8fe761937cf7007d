"""Samples, templates and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray


class Modality(StrEnum):
    FINGERPRINT = "fingerprint"
    FACE = "face"


class FingerPosition(IntEnum):
    """Finger position codes of ISO/IEC 19794-2, table 2."""

    UNKNOWN = 0
    RIGHT_THUMB = 1
    RIGHT_INDEX = 2
    RIGHT_MIDDLE = 3
    RIGHT_RING = 4
    RIGHT_LITTLE = 5
    LEFT_THUMB = 6
    LEFT_INDEX = 7
    LEFT_MIDDLE = 8
    LEFT_RING = 9
    LEFT_LITTLE = 10


class QualityReason(StrEnum):
    """Why a sample is too poor to search with, or nearly so."""

    NO_FINGER = "no_finger"
    NOT_A_FINGER = "not_a_finger"
    TOO_SMALL = "too_small"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"
    LOW_CONTRAST = "low_contrast"
    SMEARED = "smeared"
    OFF_CENTRE = "off_centre"
    TOO_FEW_MINUTIAE = "too_few_minutiae"
    WRONG_RESOLUTION = "wrong_resolution"
    TOO_LIGHT = "too_light"
    MOVE_LEFT = "move_left"
    MOVE_RIGHT = "move_right"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"
    MOVED = "moved"
    RESIDUE = "residue"
    BELOW_THRESHOLD = "below_threshold"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT_OFF = "face_cut_off"
    FACE_TURNED = "face_turned"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    UNEVEN_LIGHT = "uneven_light"
    BLURRED = "blurred"
    FACE_TOO_LARGE = "face_too_large"
    FACE_COVERED = "face_covered"
    GLASSES_REFLECT = "glasses_reflect"


class FingerInstruction(StrEnum):
    """The one thing a traveller at the scanner should do now.

    Directions are those of the image: the finger's tip is up.
    """

    OK = "ok"
    PLACE_FINGER = "place_finger"
    HOLD_STILL = "hold_still"
    LIFT_FINGER = "lift_finger"
    PRESS_HARDER = "press_harder"
    PRESS_LIGHTER = "press_lighter"
    COVER_MORE = "cover_more"
    MOISTEN_FINGER = "moisten_finger"
    DRY_FINGER = "dry_finger"
    CLEAN_SCANNER = "clean_scanner"
    MOVE_LEFT = "move_left"
    MOVE_RIGHT = "move_right"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"


class FaceInstruction(StrEnum):
    """The one thing a traveller before the camera should do now.

    Left and right are the traveller's own, on an unmirrored frame: a face on the left
    of the frame has to move left. A mirrored preview shows the same direction.
    """

    OK = "ok"
    LOOK_AT_CAMERA = "look_at_camera"
    ONE_PERSON_ONLY = "one_person_only"
    CLOSER = "closer"
    FURTHER = "further"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    LOOK_STRAIGHT = "look_straight"
    CHIN_UP = "chin_up"
    CHIN_DOWN = "chin_down"
    LEVEL_HEAD = "level_head"
    LIGHT_FROM_ONE_SIDE = "light_from_one_side"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    HOLD_STILL = "hold_still"
    GLASSES_REFLECT = "glasses_reflect"
    UNCOVER_FACE = "uncover_face"


@dataclass(frozen=True)
class Quality:
    """Quality of one sample: 0 (useless) to 100, and what is wrong with it.

    instruction: of a face; None for fingers.
    """

    score: int
    reasons: tuple[QualityReason, ...] = ()
    is_sufficient: bool = True
    measures: dict[str, float] = field(default_factory=dict)
    instruction: FaceInstruction | None = None


@dataclass(frozen=True)
class FingerGuidance:
    """What to tell a traveller at the scanner, and why; nothing biometric.

    quality: of the part of the image that has arrived, by its pixels alone; None before
    any has. coverage: of the sensor's window by the finger, 0 to 1. share: of the image
    that has arrived.
    """

    instruction: FingerInstruction
    quality: Quality | None = None
    coverage: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class FaceBox:
    """Where a face lies, in pixels of its image; it may reach beyond the image."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float


class PresentationDecision(StrEnum):
    """Whether a face itself was before the camera (ISO/IEC 30107-1), or a picture."""

    BONA_FIDE = "bona_fide"
    ATTACK = "attack"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True)
class PresentationVerdict:
    """bona_fide_score: 1 for a bona fide presentation, 0 for an attack.

    threshold: what scores at least this much counts as bona fide. Both are None where
    nothing was judged.
    """

    decision: PresentationDecision = PresentationDecision.NOT_JUDGED
    bona_fide_score: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class FaceGuidance:
    """What one frame of the camera said, for the screen; nothing biometric.

    instruction: to show; it does not flicker. seen: of this frame alone. face: the one
    that is followed, None if it is not seen; faces: all in view, it among them.
    quality: of the face followed. is_usable: the frame may be searched with. is_steady:
    the face is known to hold still. width_px, height_px: of the frame.
    """

    instruction: FaceInstruction
    seen: FaceInstruction
    face: FaceBox | None
    faces: tuple[FaceBox, ...]
    is_picked: bool
    quality: Quality
    is_usable: bool
    is_steady: bool
    width_px: int
    height_px: int


@dataclass(frozen=True)
class SearchedFace:
    """Which face of a frame a result belongs to.

    is_picked: an officer chose it among several. presentation: None where policy asks
    for no judgement.
    """

    box: FaceBox
    width_px: int
    height_px: int
    is_picked: bool = False
    presentation: PresentationVerdict | None = None


@dataclass(frozen=True, eq=False)
class FingerprintSample:
    image: NDArray[np.uint8]  # (height, width), dark ridges
    resolution_ppi: float
    position: FingerPosition
    captured_at: datetime


@dataclass(frozen=True, eq=False)
class FaceSample:
    image: NDArray[np.uint8]  # (height, width, 3) RGB
    captured_at: datetime


@dataclass(frozen=True, eq=False)
class FingerprintTemplate:
    """Minutiae of one finger, strongest first, in pixels at 500 ppi.

    x, y: int16 (n,), origin top left, y down. angle_rad: float32 (n,), 0 to 2 pi,
    counter-clockwise from the positive x axis, y up. kind: uint8 (n,), 1 ridge ending,
    2 bifurcation. quality: uint8 (n,), 1 to 100.
    """

    position: FingerPosition
    model_id: str
    width_px: int
    height_px: int
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    angle_rad: NDArray[np.float32]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class FaceTemplate:
    """Embedding of one face. vector: float32 (d,)."""

    model_id: str
    vector: NDArray[np.float32]


Template = FingerprintTemplate | FaceTemplate


@dataclass(frozen=True, eq=False)
class ProcessedFace:
    """The best frame of a burst, which of its faces is meant, and what became of it."""

    sample: FaceSample
    box: FaceBox
    is_picked: bool
    quality: Quality
    template: FaceTemplate


@dataclass(frozen=True)
class ComparisonScore:
    """Similarity, higher is more similar, and the false match rate it stands for.

    false_match_rate: share of non-mated comparisons that score at least this much.
    """

    value: float
    false_match_rate: float
