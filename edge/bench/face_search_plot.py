"""What the benchmark of the search of face vectors measured, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.bench import plotting

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from edge.bench.face_search import FaceSearchMeasurement

LATENCY_BINS = 40


def draw(measured: FaceSearchMeasurement, out: Path) -> None:
    """Write latencies, and rates of reading against the memory's, to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    title = (
        f"Best ten of {measured.vectors:,} vectors of {measured.dim} numbers, "
        f"{measured.engine}"
    )
    figure, (latency, rates) = plotting.panels(2, title)
    _draw_latency(latency, measured)
    _draw_rates(rates, measured)
    plotting.write(figure, out)


def _draw_latency(axes: Axes, measured: FaceSearchMeasurement) -> None:
    for threads, times in measured.best_ms.items():
        text = f"threads: {threads}, median {np.median(times):.2f} ms"
        axes.hist(times, LATENCY_BINS, alpha=0.7, label=text)
    axes.set(
        xlim=(0, None), xlabel="latency, ms", ylabel="searches", title="One search"
    )
    axes.legend(fontsize="small")


def _draw_rates(axes: Axes, measured: FaceSearchMeasurement) -> None:
    places = np.arange(len(measured.best_ms))
    reached = [
        measured.read_bytes / float(np.median(times)) / 1e6
        for times in measured.best_ms.values()
    ]
    axes.bar(places - 0.2, reached, 0.4, label="search")
    memory = [measured.memory_read[threads] for threads in measured.best_ms]
    axes.bar(places + 0.2, memory, 0.4, label="memory, read only")
    axes.set_xticks(places, [str(threads) for threads in measured.best_ms])
    axes.set(xlabel="threads", ylabel="GB/s", title="Reading")
    axes.margins(y=0.25)
    axes.legend(fontsize="small")
