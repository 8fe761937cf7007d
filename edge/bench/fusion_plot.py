"""What the fusion benchmark measured, drawn: misses by way of deciding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.bench import plotting
from edge.bench.fusion import FPIRS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def draw(report: Mapping[str, Any], out: Path) -> None:
    """Write a panel of bars for each face set to a PNG.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    sets = report["face_sets"]
    title = f"Fused decisions, {report['finger_set']} with {report['face_set']}"
    figure, panels = plotting.panels(len(sets), title)
    for panel, (name, measured) in zip(panels, sets.items(), strict=True):
        groups = {f"FPIR {rate}": measured["fnir_at_fpir"][rate] for rate in FPIRS}
        stated = measured["fnir_at_stated_rates"]
        groups[f"stated rate,\n{stated['persons']:,} persons"] = {
            way: value for way, value in stated.items() if isinstance(value, dict)
        }
        for at, group in enumerate(groups.values()):
            width = 0.8 / len(group)
            for place, (way, value) in enumerate(group.items()):
                panel.bar(
                    at + place * width,
                    value["fnir"],
                    width,
                    color=f"C{place}",
                    label=way if len(group) == 4 else None,
                    yerr=[
                        [max(value["fnir"] - value["low"], 0.0)],
                        [max(value["high"] - value["fnir"], 0.0)],
                    ],
                )
        panel.set_xticks([at + 0.3 for at in range(len(groups))], list(groups))
        panel.set(ylabel="FNIR, 95 % by finger", title=f"face set {name}")
        panel.legend(fontsize="small", loc="upper left")
    plotting.write(figure, out)
