"""A calibration, drawn: the false match rate of a score, and what it means for all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.recognition.fingerprint.calibration import Calibration, TemplateSource

_COLOURS = ("tab:blue", "tab:orange")


def false_positive_rate(false_match_rate: float, references: int) -> float:
    """Return the share of searches that find somebody who is not there.

    1 - (1 - FMR)^references: every reference is compared once, independently.
    """
    if false_match_rate >= 1:
        return 1.0 if references else 0.0
    return -math.expm1(references * math.log1p(-false_match_rate))


def draw(
    tables: Mapping[TemplateSource, Calibration],
    lowest: float,
    galleries: Sequence[int],
    out: Path,
) -> None:
    """Write the curves down to the FMR lowest to a PNG; galleries: sizes to draw.

    The false alarms are those of the first table.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure, (scores, searches) = plotting.panels(2, "Calibration of fingerprint scores")
    for (source, table), colour in zip(tables.items(), _COLOURS, strict=False):
        _draw_scores(scores, table, (source.value, colour), lowest)
    scores.set(
        yscale="log",
        ylim=(lowest / 3, 1.5),
        xlabel="score",
        ylabel="false match rate",
        title="Non-mated pairs that reach a score, 95 % band",
    )
    scores.legend(fontsize="x-small")
    source, table = next(iter(tables.items()))
    _draw_searches(searches, table, lowest, galleries)
    searches.set_title(f"False alarms of a search ({source.value})")
    plotting.write(figure, out)


def _draw_scores(
    axes: Axes, table: Calibration, look: tuple[str, str], lowest: float
) -> None:
    name, colour = look
    end = table.threshold(lowest)
    parts = (
        (0.0, table.real_to, "-", f"{name}: real pairs counted"),
        (table.real_to, table.generated_to, "--", f"{name}: shape of invented pairs"),
        (table.generated_to, end, ":", f"{name}: extrapolated"),
    )
    for start, stop, style, label in parts:
        if start >= end:
            continue
        at = np.linspace(start, min(stop, end), 200)
        rates = [table.false_match_rate(float(score)) for score in at]
        axes.plot(at, rates, linestyle=style, color=colour, label=label)
    at = np.linspace(0, end, 300)
    low, high = zip(*(table.band(float(score)) for score in at), strict=True)
    axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)


def _draw_searches(
    axes: Axes, calibration: Calibration, lowest: float, galleries: Sequence[int]
) -> None:
    rates = np.geomspace(1e-1, lowest, 120)
    scores = [calibration.threshold(float(rate)) for rate in rates]
    for size in galleries:
        alarms = [false_positive_rate(float(rate), size) for rate in rates]
        axes.plot(scores, alarms, label=f"{size:,} references")
    axes.axvline(calibration.generated_to, color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        yscale="log",
        ylim=(1e-6, 1.5),
        xlabel="threshold (extrapolated right of the dotted line)",
        ylabel="travellers with a false alarm, share",
    )
    axes.legend(fontsize="small")
