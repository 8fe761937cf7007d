from __future__ import annotations

import pytest

from edge.checkpoint.finger_guidance import finger_guidance, finger_instruction
from edge.terms import FingerInstruction, Quality, QualityReason


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ((), FingerInstruction.OK),
        ((QualityReason.NO_FINGER,), FingerInstruction.PLACE_FINGER),
        ((QualityReason.OFF_CENTRE, QualityReason.MOVE_UP), FingerInstruction.MOVE_UP),
        (
            (QualityReason.RESIDUE, QualityReason.TOO_DRY),
            FingerInstruction.MOISTEN_FINGER,
        ),
        (
            (QualityReason.TOO_DRY, QualityReason.TOO_SMALL),
            FingerInstruction.COVER_MORE,
        ),
        ((QualityReason.BELOW_THRESHOLD,), FingerInstruction.OK),
    ],
)
def test_of_a_whole_image_the_first_thing_that_matters_is_told(reasons, told):
    assert finger_instruction(Quality(50, reasons), is_whole=True) is told


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ((QualityReason.NO_FINGER,), FingerInstruction.HOLD_STILL),
        (
            (QualityReason.TOO_SMALL, QualityReason.MOVE_DOWN),
            FingerInstruction.HOLD_STILL,
        ),
        (
            (QualityReason.TOO_SMALL, QualityReason.TOO_WET),
            FingerInstruction.DRY_FINGER,
        ),
    ],
)
def test_missing_rows_are_no_fault_of_the_finger(reasons, told):
    assert finger_instruction(Quality(0, reasons), is_whole=False) is told


def test_coverage_is_a_share_of_the_whole_window():
    window_mm2 = 100 * 100 * 0.0508**2
    half = Quality(30, measures={"touched_mm2": window_mm2 / 4})
    assert finger_guidance(half, 0.5, (50, 100)).coverage == pytest.approx(0.25)
    assert finger_guidance(half, 0.0, (0, 100)).coverage == 0.0
