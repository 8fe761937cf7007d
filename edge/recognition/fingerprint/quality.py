"""The first quality gate: is this a finger, and is enough of it to be seen.

The score is our own metric, 0 to 100; it is not NFIQ 2 and not on its scale. Clarity is
the share of a window's power that lies in one ridge direction and frequency, the idea
of NFIQ 2's frequency domain analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition import parameters
from edge.terms import Quality, QualityReason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.fingerprint.minutiae import Minutiae

_WINDOW_PX = 32
_STEP_PX = 16
_WINDOW_MM2 = (_STEP_PX * 25.4 / 500) ** 2
# Ridge periods at 500 ppi, from children's to wide ridges.
_SHORTEST_PERIOD_PX, _LONGEST_PERIOD_PX = 4.5, 16.0


@dataclass(frozen=True)
class PrintMeasures:
    """What the pixels say, before the network runs.

    touched_mm2: area that is not even background. ridge_mm2: area with clear ridges.
    clarity: mean over the touched area, 0 to 1. contrast: median grey deviation there.
    brightness: mean grey there. offset: distance of the print's centre from the
    image's, in units of half the image's side.
    """

    touched_mm2: float
    ridge_mm2: float
    clarity: float
    contrast: float
    brightness: float
    offset: float


def measure(image: NDArray[np.uint8]) -> PrintMeasures:
    """Return the measures of a grey print at 500 ppi."""
    smallest = [max(0, _WINDOW_PX - side) for side in image.shape]
    image = np.pad(image, [(0, extra) for extra in smallest], mode="edge")
    every = np.lib.stride_tricks.sliding_window_view(image, (_WINDOW_PX, _WINDOW_PX))
    windows = every[::_STEP_PX, ::_STEP_PX].astype(np.float32)
    deviation = windows.std(axis=(2, 3))
    touched = _without_specks(deviation >= parameters.TOUCHED_DEVIATION)
    clarity = _clarity(windows)
    is_ridge = touched & (clarity >= parameters.CLEAR_RIDGES)
    if not touched.any():
        return PrintMeasures(0.0, 0.0, 0.0, 0.0, float(image.mean()), 0.0)
    rows, columns = np.nonzero(touched)
    offsets = [
        abs((places.mean() + 0.5) / count * 2 - 1)
        for places, count in ((rows, touched.shape[0]), (columns, touched.shape[1]))
    ]
    return PrintMeasures(
        touched_mm2=float(touched.sum()) * _WINDOW_MM2,
        ridge_mm2=float(is_ridge.sum()) * _WINDOW_MM2,
        clarity=float(clarity[touched].mean()),
        contrast=float(np.median(deviation[touched])),
        brightness=float(windows.mean(axis=(2, 3))[touched].mean()),
        offset=float(max(offsets)),
    )


def is_plain_refusal(measures: PrintMeasures) -> bool:
    """Whether there is no need to look for minutiae."""
    return bool(_refusals(measures))


def judge(measures: PrintMeasures, minutiae: Minutiae | None) -> Quality:
    """Return the quality; minutiae is None if the pixels alone refuse the sample."""
    reasons = _refusals(measures)
    count = 0 if minutiae is None else len(minutiae)
    sure = 0.0 if minutiae is None else float(minutiae.quality.sum()) / 100
    if not reasons and count < parameters.FEWEST_MINUTIAE:
        # A real print of this size always holds some; stripes and text hold none.
        is_bare = count < 3 and measures.ridge_mm2 >= parameters.BARE_MM2
        reasons = [
            QualityReason.NOT_A_FINGER if is_bare else QualityReason.TOO_FEW_MINUTIAE
        ]
    score = 0 if reasons else _score(measures, sure)
    if not reasons and score < parameters.SUFFICIENT_SCORE:
        reasons = [_likely_cause(measures)]
    is_sufficient = not reasons
    if measures.offset > parameters.OFF_CENTRE and _is_finger(reasons):
        reasons = [*reasons, QualityReason.OFF_CENTRE]
    return Quality(
        score=score,
        reasons=tuple(reasons),
        is_sufficient=is_sufficient,
        measures={
            "touched_mm2": measures.touched_mm2,
            "ridge_mm2": measures.ridge_mm2,
            "clarity": measures.clarity,
            "contrast": measures.contrast,
            "brightness": measures.brightness,
            "offset": measures.offset,
            "minutiae": float(count),
            "minutiae_sum": sure,
        },
    )


def _refusals(measures: PrintMeasures) -> list[QualityReason]:
    if measures.touched_mm2 < parameters.NO_FINGER_MM2:
        return [QualityReason.NO_FINGER]
    if measures.clarity < parameters.FINGER_CLARITY:
        is_faint = measures.contrast < parameters.FAINT_DEVIATION
        return [QualityReason.LOW_CONTRAST if is_faint else QualityReason.NOT_A_FINGER]
    if measures.ridge_mm2 < parameters.TOO_SMALL_MM2:
        return [QualityReason.TOO_SMALL]
    return []


def _score(measures: PrintMeasures, sure: float) -> int:
    """Three shares of what a good print has, each capped."""
    clarity = np.clip((measures.clarity - 0.25) / 0.35, 0, 1)
    area = np.clip(measures.ridge_mm2 / 200, 0, 1)
    minutiae = np.clip(sure / 40, 0, 1)
    return int(np.clip(round(100 * float(clarity + area + minutiae) / 3), 1, 100))


def _likely_cause(measures: PrintMeasures) -> QualityReason:
    if measures.contrast < parameters.FAINT_DEVIATION:
        return QualityReason.LOW_CONTRAST
    if measures.brightness < parameters.DARK_GREY:
        return QualityReason.TOO_WET
    if measures.brightness > parameters.PALE_GREY:
        return QualityReason.TOO_DRY
    return QualityReason.SMEARED


def _is_finger(reasons: list[QualityReason]) -> bool:
    return not {QualityReason.NO_FINGER, QualityReason.NOT_A_FINGER} & set(reasons)


def _without_specks(touched: NDArray[np.bool_]) -> NDArray[np.bool_]:
    kernel = np.ones((3, 3), np.uint8)
    opened = cv2.morphologyEx(touched.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(opened) > 0


def _clarity(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 (rows, columns): power in the strongest ridge wave over all."""
    taper = np.hanning(_WINDOW_PX).astype(np.float32)
    level = windows - windows.mean(axis=(2, 3), keepdims=True)
    power = np.abs(np.fft.fft2(level * np.outer(taper, taper))) ** 2
    frequency = np.fft.fftfreq(_WINDOW_PX)
    distance = np.hypot(frequency[:, None], frequency[None, :])
    in_band = (distance >= 1 / _LONGEST_PERIOD_PX) & (
        distance <= 1 / _SHORTEST_PERIOD_PX
    )
    # A wave that is not a whole number of periods fills neighbouring bins as well.
    near = sum(
        np.roll(power, (down, across), axis=(2, 3))
        for down in (-1, 0, 1)
        for across in (-1, 0, 1)
    )
    peak = np.max(np.where(in_band, near, 0), axis=(2, 3))
    total = power.sum(axis=(2, 3)) + 1e-6
    return np.asarray(2 * peak / total, np.float32)
