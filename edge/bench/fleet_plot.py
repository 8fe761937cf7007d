"""What a simulated fleet showed, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.bench import plotting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PARTS = ("median_ms", "p99_ms", "most_ms")
NAMES = ("median", "99 %", "most")
ASKED_MS = {"publish_to_last_booth": 10_000.0, "hit_to_store": 500.0}


def draw(report: Mapping[str, Any], out: Path) -> None:
    """Write delays of changes and hits, and what the processes used, to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    title = f"{report['booths']:,} booths on one broker"
    figure, places = plotting.panels(3, title)
    changes, hits, processes = places
    for name in ("publish_to_held", "publish_to_last_booth"):
        _line(changes, name, report["changes"][name])
    _line(hits, "hit_to_store", report["hits"]["hit_to_store"])
    changes.set(title="A change, seconds", yscale="log")
    hits.set(title="A hit, seconds", yscale="log")
    for axes in (changes, hits):
        axes.legend(fontsize="small")
    used = report["processes"]
    shares = {
        part: (used[f"{part}_processor_s"] or 0.0) / max(report["seconds"], 1.0)
        for part in ("hub", "broker", "booths")
    }
    processes.bar(list(shares), list(shares.values()), alpha=0.7)
    processes.set(title="Processors busy, on average")
    plotting.write(figure, out)


def _line(axes: Any, name: str, figures: Mapping[str, Any]) -> None:  # noqa: ANN401  matplotlib is optional
    if not figures["count"]:
        return
    seconds = [figures[part] / 1000 for part in PARTS]
    axes.plot(NAMES, seconds, "o-", label=name.replace("_", " "))
    if name in ASKED_MS:
        axes.axhline(ASKED_MS[name] / 1000, linestyle=":", color="k", label="asked")
