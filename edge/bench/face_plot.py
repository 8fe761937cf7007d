"""What the face benchmark measured, drawn: error trade-off and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from pathlib import Path

    from edge.bench.face import FaceMeasurement

SCORE_BINS = 80
MOST_POINTS = 2000


def draw(measured: FaceMeasurement, out: Path) -> None:
    """Write the DET curve and the histogram of all scores to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    pairs = measured.pairs
    figure, (trade_off, scores) = plotting.panels(2, f"Faces, {measured.model_id}")
    lowest, best = 0.5 / len(pairs.non_mated), 0.5 / len(pairs.mated)
    rates = np.geomspace(lowest, 1, MOST_POINTS)
    missed = [max(pairs.fnmr_at(rate), best) for rate in rates]
    trade_off.step(rates, missed, where="post", linewidth=1.2)
    trade_off.set(
        xscale="log",
        yscale="log",
        xlim=(lowest, 1),
        ylim=(best, 1),
        xlabel="false match rate",
        ylabel="false non-match rate",
        title="Detection error trade-off, all pairs",
    )
    low = min(float(pairs.non_mated[0]), float(pairs.mated[0]))
    bins = list(np.linspace(low, float(pairs.mated[-1]), SCORE_BINS + 1))
    for name, values in (("non-mated", pairs.non_mated), ("mated", pairs.mated)):
        scores.hist(values, bins, label=f"{name}, {len(values):,}", alpha=0.6)
    scores.set(yscale="log", xlabel="score", ylabel="pairs", title="Scores")
    scores.legend(fontsize="small")
    plotting.write(figure, out)
