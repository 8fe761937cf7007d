"""edge calibration: what scores mean, and what a threshold costs the travellers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.bench.calibration_plot import draw, false_positive_rate
from edge.cli.bench_output import plot_option, require_writable, show
from edge.recognition.fingerprint.calibration import LOWEST_RATE, committed

if TYPE_CHECKING:
    from pathlib import Path

    from edge.recognition.fingerprint.calibration import Calibration

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
GALLERIES = (1, 1_000, 10_000, 180_000, 1_000_000)


@click.group()
def calibration() -> None:
    """Show what comparison scores mean."""


@calibration.command(name="show")
@plot_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_calibration(plot_out: Path | None, *, as_json: bool) -> None:
    """Show thresholds of false match rates, and the false alarms that follow.

    A score at or above the threshold is a match. The false alarms are those of one
    comparison with each reference of the gallery.
    """
    require_writable(None, plot_out)
    table = committed()
    report = {
        "source": table.source,
        "pairs": table.pairs,
        "lowest_measured_rate": table.rates[-1],
        "thresholds": [_line(table, rate) for rate in RATES if rate >= LOWEST_RATE],
    }
    if plot_out:
        draw(table, LOWEST_RATE, GALLERIES[1:], plot_out)
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    _show(report)


def _line(table: Calibration, rate: float) -> dict[str, Any]:
    return {
        "false_match_rate": rate,
        "threshold": table.threshold(rate),
        "is_extrapolated": rate < table.rates[-1],
        "travellers_per_false_alarm": {
            str(size): 1 / false_positive_rate(rate, size) for size in GALLERIES
        },
    }


def _show(report: dict[str, Any]) -> None:
    click.echo(f"{report['pairs']:,} comparisons: {report['source']}")
    click.echo("One false alarm in so many travellers, by references in the gallery:")
    table = Table(box=None)
    for heading in ("FMR", "threshold", *(f"{size:,}" for size in GALLERIES)):
        table.add_column(heading, justify="right")
    for line in report["thresholds"]:
        mark = " *" if line["is_extrapolated"] else "  "
        table.add_row(
            f"{line['false_match_rate']:.0e}",
            f"{line['threshold']:.4f}{mark}",
            *(
                f"{n:,.{1 if n < 100 else 0}f}"
                for n in line["travellers_per_false_alarm"].values()
            ),
        )
    show(table)
    lowest = report["lowest_measured_rate"]
    click.echo(f"* extrapolated: no rate below {lowest:g} was measured")
