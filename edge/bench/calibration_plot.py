"""A calibration, drawn: the false match rate of a score, and what it means for all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.recognition.fingerprint.calibration import Calibration


def false_positive_rate(false_match_rate: float, references: int) -> float:
    """Return the share of searches that find somebody who is not there.

    1 - (1 - FMR)^references: every reference is compared once, independently.
    """
    if false_match_rate >= 1:
        return 1.0 if references else 0.0
    return -math.expm1(references * math.log1p(-false_match_rate))


def draw(
    calibration: Calibration, lowest: float, galleries: Sequence[int], out: Path
) -> None:
    """Write both curves down to the FMR lowest to a PNG; galleries: sizes to draw.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure, (scores, searches) = plotting.panels(2, "Calibration of fingerprint scores")
    _draw_scores(scores, calibration, lowest)
    _draw_searches(searches, calibration, lowest, galleries)
    plotting.write(figure, out)


def _draw_scores(axes: Axes, calibration: Calibration, lowest: float) -> None:
    last = calibration.rates[-1]
    tail = np.geomspace(last, min(lowest, last), 50)
    tail_scores = [calibration.threshold(float(rate)) for rate in tail]
    axes.plot(calibration.scores, calibration.rates, marker=".", label="measured")
    axes.plot(tail_scores, tail, linestyle="--", label="extrapolated")
    axes.set(
        yscale="log",
        xlabel="score",
        ylabel="false match rate",
        title=f"{calibration.pairs:,} non-mated pairs",
    )
    axes.legend(fontsize="small")


def _draw_searches(
    axes: Axes, calibration: Calibration, lowest: float, galleries: Sequence[int]
) -> None:
    rates = np.geomspace(1e-1, lowest, 120)
    scores = [calibration.threshold(float(rate)) for rate in rates]
    for size in galleries:
        alarms = [false_positive_rate(float(rate), size) for rate in rates]
        axes.plot(scores, alarms, label=f"{size:,} references")
    axes.axvline(calibration.scores[-1], color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        yscale="log",
        ylim=(1e-6, 1.5),
        xlabel="threshold (extrapolated right of the dotted line)",
        ylabel="travellers with a false alarm, share",
        title="False alarms of a search",
    )
    axes.legend(fontsize="small")
