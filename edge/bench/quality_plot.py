"""What the quality benchmark measured, drawn: beside the labels, and by its use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.bench import plotting

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.bench.quality import QualityMeasurement

MEASURES = {
    "preview": "native quality, preview",
    "with_minutiae": "native quality with minutiae",
    "label": "label",
}


def draw(measured: QualityMeasurement, out: Path) -> None:
    """Write native quality against label, and error versus discard, to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure, (ranks, discards) = plotting.panels(2, "Fingerprint quality")
    _draw_ranks(ranks, measured)
    _draw_discards(discards, measured)
    plotting.write(figure, out)


def _draw_ranks(axes: Axes, measured: QualityMeasurement) -> None:
    for name, ranked in measured.sets.items():
        axes.scatter(ranked.label, ranked.preview, s=9, alpha=0.6, label=name)
    axes.set(
        xlim=(0, 100),
        ylim=(0, 100),
        xlabel="label (NFIQ 2)",
        ylabel="native quality, preview",
        title="Native quality beside the label",
    )
    axes.legend(fontsize="small")


def _draw_discards(axes: Axes, measured: QualityMeasurement) -> None:
    for measure, text in MEASURES.items():
        points = measured.discard_points(measure)
        discarded = [100 * point.discarded for point in points]
        rates = [100 * point.fnmr for point in points]
        if points:
            axes.plot(discarded, rates, marker="o", markersize=3, label=text)
    axes.set(
        ylim=(0, None),
        xlabel="mated pairs of the poorest quality left out, percent",
        ylabel="FNMR of the rest at FMR 1e-3, percent",
        title="Error versus discard",
    )
    if axes.has_data():
        axes.legend(fontsize="small")
