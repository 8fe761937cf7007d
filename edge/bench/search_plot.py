"""What the search benchmark measured, drawn: latency and identification errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.bench.search import SearchMeasurement

LATENCY_BINS = 40


def draw(sizes: Sequence[SearchMeasurement], out: Path) -> None:
    """Write latencies and FNIR over FPIR of the last size, and the growth, to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    measured = sizes[-1]
    title = f"Search of {measured.persons:,} persons, {measured.templates:,} templates"
    figure, (latency, errors, *growth) = plotting.panels(2 + (len(sizes) > 1), title)
    _draw_latency(latency, measured)
    _draw_errors(errors, measured)
    for axes in growth:
        _draw_growth(axes, sizes)
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


def _draw_growth(axes: Axes, sizes: Sequence[SearchMeasurement]) -> None:
    persons = [each.persons for each in sizes]
    for share, style in ((50, "o-"), (95, "o--")):
        latency_s = [np.percentile(each.latency_ms, share) / 1000 for each in sizes]
        axes.plot(persons, latency_s, style, label=f"percentile {share}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="persons",
        ylabel="latency, seconds",
        title="Growth",
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
