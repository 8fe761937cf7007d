"""What to tell a traveller whose finger is on the scanner: the one thing of weight.

While an image still arrives its lower rows are missing. That says nothing of the
finger, so what depends on them is told of whole images alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.terms import FingerGuidance, FingerInstruction, QualityReason

if TYPE_CHECKING:
    from edge.terms import Quality

MM_PER_INCH = 25.4
RESOLUTION_PPI = 500.0
# The first that applies is told.
_ORDER = (
    (QualityReason.NO_FINGER, FingerInstruction.PLACE_FINGER),
    (QualityReason.NOT_A_FINGER, FingerInstruction.PLACE_FINGER),
    (QualityReason.TOO_LIGHT, FingerInstruction.PRESS_HARDER),
    (QualityReason.TOO_SMALL, FingerInstruction.COVER_MORE),
    (QualityReason.MOVE_LEFT, FingerInstruction.MOVE_LEFT),
    (QualityReason.MOVE_RIGHT, FingerInstruction.MOVE_RIGHT),
    (QualityReason.MOVE_UP, FingerInstruction.MOVE_UP),
    (QualityReason.MOVE_DOWN, FingerInstruction.MOVE_DOWN),
    (QualityReason.TOO_WET, FingerInstruction.DRY_FINGER),
    (QualityReason.TOO_DRY, FingerInstruction.MOISTEN_FINGER),
    (QualityReason.LOW_CONTRAST, FingerInstruction.PRESS_HARDER),
    (QualityReason.SMEARED, FingerInstruction.PRESS_LIGHTER),
    (QualityReason.RESIDUE, FingerInstruction.CLEAN_SCANNER),
    (QualityReason.MOVED, FingerInstruction.HOLD_STILL),
    (QualityReason.TOO_FEW_MINUTIAE, FingerInstruction.COVER_MORE),
)
_OF_WHOLE_IMAGES = frozenset(
    {
        QualityReason.NO_FINGER,
        QualityReason.NOT_A_FINGER,
        QualityReason.TOO_SMALL,
        QualityReason.OFF_CENTRE,
        QualityReason.MOVE_LEFT,
        QualityReason.MOVE_RIGHT,
        QualityReason.MOVE_UP,
        QualityReason.MOVE_DOWN,
        QualityReason.TOO_FEW_MINUTIAE,
    }
)


def finger_guidance(
    quality: Quality, share: float, shape: tuple[int, int]
) -> FingerGuidance:
    """Return what is shown beside the image that arrives.

    quality: of its rows, at 500 ppi. share: of the image that these are. shape: height
    and width of the rows, pixels.
    """
    rows, width = shape
    millimetres = MM_PER_INCH / RESOLUTION_PPI
    window_mm2 = rows * width * millimetres**2 / share if share > 0 else math.inf
    touched_mm2 = quality.measures.get("touched_mm2", 0.0)
    return FingerGuidance(
        quality=quality,
        instruction=finger_instruction(quality, is_whole=share >= 1),
        coverage=min(1.0, touched_mm2 / window_mm2),
        share=share,
    )


def finger_instruction(quality: Quality, *, is_whole: bool) -> FingerInstruction:
    """Return the one thing to do; of an image that still arrives, to hold still."""
    reasons = set(quality.reasons) - (frozenset() if is_whole else _OF_WHOLE_IMAGES)
    for reason, instruction in _ORDER:
        if reason in reasons:
            return instruction
    return FingerInstruction.OK if is_whole else FingerInstruction.HOLD_STILL
