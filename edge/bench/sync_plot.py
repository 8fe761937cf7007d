"""What the benchmark of the wire measured, drawn: each figure beside what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.bench import plotting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Bar = tuple[str, float, float]  # name, measured, asked


def draw(report: Mapping[str, Any], out: Path) -> None:
    """Write the sections of a report that were measured to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    panels = [(title, bars) for title, bars in _panels(report) if bars]
    figure, places = plotting.panels(max(1, len(panels)), "Booth and hub")
    for axes, (title, bars) in zip(places, panels, strict=False):
        rows = range(len(bars))
        axes.barh(rows, [measured for _, measured, _ in bars], alpha=0.7)
        axes.plot(
            [asked for *_, asked in bars], rows, "k|", markersize=24, label="asked"
        )
        axes.set_yticks(rows, [name for name, *_ in bars])
        axes.set(title=title, xlim=(0, None))
        axes.legend(fontsize="small")
    plotting.write(figure, out)


def _panels(report: Mapping[str, Any]) -> Sequence[tuple[str, list[Bar]]]:
    delays: list[Bar] = []
    if "publish" in report:
        found = report["publish"]["publish_to_searchable"]
        delays += [("publish, median", found["median_ms"], 1000.0)]
        delays += [("publish, 99 %", found["p99_ms"], 2000.0)]
    if "hit" in report:
        found = report["hit"]["hit_to_store"]
        delays += [("hit, median", found["median_ms"], 200.0)]
        delays += [("hit, 99 %", found["p99_ms"], 500.0)]
    lasting: list[Bar] = []
    if "delta" in report:
        lasting.append(("day's changes", report["delta"]["seconds"], 300.0))
    if "outage" in report:
        lasting.append(("after an outage", report["outage"]["caught_up_s"], 60.0))
    rates: list[Bar] = [
        (f"{each['evidence_bytes']:,} bytes", each["hits_per_s"], 500.0)
        for each in report.get("ingest", [])
    ]
    return (
        ("Delay, ms", delays),
        ("Catching up, seconds", lasting),
        ("Hits a second at the hub", rates),
    )
