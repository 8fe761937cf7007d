"""What the finger benchmark measured, drawn: error trade-off and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.bench.finger import FingerMeasurement

SCORE_BINS = 60


def draw(measured: Mapping[str, FingerMeasurement], out: Path) -> None:
    """Write a DET curve of each set, and the histogram of all scores, to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure, (trade_off, scores) = plotting.panels(2, "Fingerprint comparison")
    _draw_trade_off(trade_off, measured)
    _draw_scores(scores, measured)
    plotting.write(figure, out)


def _draw_trade_off(axes: Axes, measured: Mapping[str, FingerMeasurement]) -> None:
    lowest = 0.5 / max(len(m.all_pairs.non_mated) for m in measured.values())
    best = 0.5 / max(len(m.all_pairs.mated) for m in measured.values())
    for name, measurement in measured.items():
        errors = measurement.all_pairs.errors
        # A logarithmic axis has no 0: no error at all lies half a pair from it.
        fmr, fnmr = np.maximum(errors.fmr, lowest), np.maximum(errors.fnmr, best)
        axes.step(fmr, fnmr, where="post", label=name, linewidth=1.2)
    axes.plot([1e-9, 1], [1e-9, 1], color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(lowest, 1),
        ylim=(best, 1),
        xlabel="false match rate (left edge: none)",
        ylabel="false non-match rate (bottom edge: none)",
        title="Detection error trade-off, all pairs",
    )
    axes.legend(fontsize="small")


def _draw_scores(axes: Axes, measured: Mapping[str, FingerMeasurement]) -> None:
    mated = np.concatenate([m.all_pairs.mated for m in measured.values()])
    non_mated = np.concatenate([m.all_pairs.non_mated for m in measured.values()])
    top = max(mated.max(), non_mated.max(), 1e-9)
    low = min(mated.min(), non_mated.min(), 0.0)
    bins = list(np.linspace(low, top, SCORE_BINS + 1))
    axes.hist(non_mated, bins, label=f"non-mated, {len(non_mated):,}", alpha=0.6)
    axes.hist(mated, bins, label=f"mated, {len(mated):,}", alpha=0.6)
    axes.set(yscale="log", xlabel="score", ylabel="pairs", title="Scores of all pairs")
    axes.legend(fontsize="small")
