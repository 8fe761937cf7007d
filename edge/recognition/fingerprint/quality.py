"""The fingerprint quality gate: is this a finger, how good is it, what is wrong.

The score is the native quality, 0 to 100, see quality_model; it follows NFIQ 2 in rank
and is not NFIQ 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.recognition import parameters
from edge.recognition.fingerprint import quality_reasons
from edge.recognition.fingerprint.quality_measures import PrintMeasures, measure
from edge.recognition.fingerprint.quality_model import native_quality
from edge.terms import Quality, QualityReason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.recognition.fingerprint.minutiae import Minutiae

__all__ = ["PrintMeasures", "is_plain_refusal", "judge", "measure", "preview"]


def is_plain_refusal(measures: PrintMeasures) -> bool:
    """Whether there is no need to look for minutiae."""
    return bool(quality_reasons.refusals(measures))


def preview(image: NDArray[np.uint8]) -> Quality:
    """Return the quality by the pixels alone, in milliseconds.

    image: uint8 (height, width) at 500 ppi, dark ridges.
    """
    measures = measure(image)
    refused = quality_reasons.refusals(measures)
    score = 0 if refused else native_quality(measures.features)
    return _quality(measures, refused, score, {})


def judge(measures: PrintMeasures, minutiae: Minutiae | None) -> Quality:
    """Return the quality; minutiae is None if the pixels alone refuse the sample."""
    refused = quality_reasons.refusals(measures)
    count = 0 if minutiae is None else len(minutiae)
    sure = 0.0 if minutiae is None else float(minutiae.quality.sum()) / 100
    if not refused and count < parameters.FEWEST_MINUTIAE:
        # A real print of this size always holds some; stripes and text hold none.
        is_bare = count < 3 and measures.ridge_mm2 >= parameters.BARE_MM2
        refused = [
            QualityReason.NOT_A_FINGER if is_bare else QualityReason.TOO_FEW_MINUTIAE
        ]
    score = 0 if refused else native_quality(measures.features, minutiae)
    found = {"minutiae": float(count), "minutiae_sum": sure}
    return _quality(measures, refused, score, found)


def _quality(
    measures: PrintMeasures,
    refused: list[QualityReason],
    score: int,
    found: dict[str, float],
) -> Quality:
    """Put the reasons in order: why it is refused, what to do better next time."""
    reasons = list(refused)
    if not refused and score < parameters.ADVISED_SCORE:
        # Ridges that alone would do: what is missing is minutiae.
        is_clear = native_quality(measures.features) >= parameters.ADVISED_SCORE
        reasons = [
            QualityReason.TOO_FEW_MINUTIAE
            if is_clear
            else quality_reasons.likely_cause(measures)
        ]
    if quality_reasons.is_print(refused):
        reasons += quality_reasons.advice(measures)
    return Quality(
        score=score,
        reasons=tuple(reasons),
        is_sufficient=not refused and score >= parameters.SUFFICIENT_SCORE,
        measures={
            "touched_mm2": measures.touched_mm2,
            "ridge_mm2": measures.ridge_mm2,
            "clarity": measures.clarity,
            "contrast": measures.contrast,
            "brightness": measures.brightness,
            "ridge_share": measures.ridge_share,
            "offset": measures.offset,
            "right": measures.right,
            "down": measures.down,
            "residue_mm2": measures.residue_mm2,
            "ridge_period_px": measures.period_px,
            "seeming_ppi": quality_reasons.seeming_ppi(measures.period_px),
            **found,
        },
    )
