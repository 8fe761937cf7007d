"""What the search benchmark measured, drawn: latency and identification errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.bench.search import SearchMeasurement

LATENCY_BINS = 40


def draw(measured: SearchMeasurement, out: Path) -> None:
    """Write the histogram of latencies, and FNIR over FPIR, to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    title = f"Search of {measured.persons:,} persons, {measured.templates:,} templates"
    figure, (latency, errors) = plotting.panels(2, title)
    _draw_latency(latency, measured)
    _draw_errors(errors, measured)
    plotting.write(figure, out)


def _draw_latency(axes: Axes, measured: SearchMeasurement) -> None:
    axes.hist(measured.latency_ms, LATENCY_BINS, alpha=0.7)
    for share, style in ((50, "-"), (95, "--")):
        place = float(np.percentile(measured.latency_ms, share))
        text = f"percentile {share}: {place:.0f} ms"
        axes.axvline(place, linestyle=style, color="black", linewidth=1, label=text)
    axes.set(
        xlim=(0, None), xlabel="latency, ms", ylabel="searches", title="One search"
    )
    axes.legend(fontsize="small")


def _draw_errors(axes: Axes, measured: SearchMeasurement) -> None:
    errors = measured.scores.errors
    lowest, best = (0.5 / len(each) for each in _searches(measured))
    fpir, fnir = np.maximum(errors.fmr, lowest), np.maximum(errors.fnmr, best)
    axes.step(fpir, fnir, where="post")
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(lowest, 1),
        ylim=(best, 1),
        xlabel="false positive identification rate (left edge: none)",
        ylabel="false negative identification rate (bottom: none)",
        title="Identification errors",
    )


def _searches(measured: SearchMeasurement) -> tuple[list[float], list[float]]:
    return list(measured.stranger_scores), list(measured.mate_scores)
