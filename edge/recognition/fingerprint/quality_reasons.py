"""What is wrong with a print, in words that somebody can act on.

Left and right, up and down are those of the image, which shows the finger as it lies:
tip up, as an inked print on paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.recognition import parameters
from edge.recognition.fingerprint.quality_measures import ADULT_PERIOD_PX
from edge.terms import QualityReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.recognition.fingerprint.quality_measures import PrintMeasures

_NO_PRINT = {
    QualityReason.NO_FINGER,
    QualityReason.NOT_A_FINGER,
    QualityReason.WRONG_RESOLUTION,
}


def refusals(measures: PrintMeasures) -> list[QualityReason]:
    """Return why nothing can be made of the image, from its pixels; at most one."""
    if measures.touched_mm2 < parameters.NO_FINGER_MM2:
        is_faint = measures.residue_mm2 >= parameters.RESIDUE_MM2
        return [QualityReason.TOO_LIGHT if is_faint else QualityReason.NO_FINGER]
    are_strokes = measures.contrast >= parameters.STROKE_CONTRAST
    is_small = measures.touched_mm2 < parameters.TOO_SMALL_MM2
    if are_strokes and not is_small and measures.flow < parameters.FINGER_FLOW:
        return [QualityReason.NOT_A_FINGER]
    if _is_wrong_period(measures.period_px):
        return [QualityReason.WRONG_RESOLUTION]
    if measures.clarity < parameters.FINGER_CLARITY:
        is_faint = measures.contrast < parameters.FAINT_CONTRAST
        return [QualityReason.TOO_LIGHT if is_faint else QualityReason.NOT_A_FINGER]
    if is_small:
        return [QualityReason.TOO_SMALL]
    return []


def likely_cause(measures: PrintMeasures) -> QualityReason:
    """Return the one thing that most likely keeps the score low."""
    is_pale = measures.brightness > parameters.PALE_GREY
    if measures.touched_mm2 < parameters.SMALL_MM2:
        return QualityReason.TOO_SMALL
    if is_pale and measures.contrast < parameters.LIGHT_CONTRAST:
        return QualityReason.TOO_LIGHT
    if (
        measures.brightness < parameters.DARK_GREY
        or measures.ridge_share > parameters.FILLED_VALLEYS
    ):
        return QualityReason.TOO_WET
    if measures.contrast < parameters.FAINT_CONTRAST:
        return QualityReason.LOW_CONTRAST
    return QualityReason.TOO_DRY if is_pale else QualityReason.SMEARED


def advice(measures: PrintMeasures) -> list[QualityReason]:
    """Return what could be better however good the print is: place and plate."""
    found = []
    if measures.offset > parameters.OFF_CENTRE:
        found = [QualityReason.OFF_CENTRE, *directions(measures.right, measures.down)]
    if measures.touched_mm2 and measures.residue_mm2 >= parameters.RESIDUE_MM2:
        found.append(QualityReason.RESIDUE)
    return found


def directions(right: float, down: float) -> list[QualityReason]:
    """Return where the finger should move, the more urgent way first.

    right, down: where it is, from the centre, in units of half the image's side.
    """
    wanted = []
    if abs(right) > parameters.OFF_CENTRE:
        way = QualityReason.MOVE_LEFT if right > 0 else QualityReason.MOVE_RIGHT
        wanted.append((abs(right), way))
    if abs(down) > parameters.OFF_CENTRE:
        way = QualityReason.MOVE_UP if down > 0 else QualityReason.MOVE_DOWN
        wanted.append((abs(down), way))
    return [way for _, way in sorted(wanted, reverse=True)]


def is_print(reasons: list[QualityReason]) -> bool:
    return not _NO_PRINT & set(reasons)


def seeming_ppi(period_px: float) -> float:
    """Return the resolution at which this period at 500 ppi would be an adult's."""
    return 500.0 * period_px / ADULT_PERIOD_PX


def resolution_hint(measures: Mapping[str, float], stated_ppi: float) -> str | None:
    """Return one line for a print refused for its resolution; None without a period.

    measures: those of its Quality. stated_ppi: the resolution of the sample.
    """
    seeming = measures.get("seeming_ppi", 0.0) * stated_ppi / 500.0
    if not seeming:
        return None
    rounded = 50 * round(seeming / 50)
    return f"the image seems to be {rounded} ppi, not {stated_ppi:g}"


def _is_wrong_period(period_px: float) -> bool:
    if not period_px:
        return False
    shortest, longest = parameters.SHORTEST_PERIOD_PX, parameters.LONGEST_PERIOD_PX
    return not shortest <= period_px <= longest
