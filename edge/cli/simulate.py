"""edge simulate: many booths at once, on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    flat,
    json_option,
    plot_option,
    progress_bar,
    require_writable,
    show,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# What is simulated is imported when it is wanted: help needs none of it.
# ruff: noqa: PLC0415

COUNT = click.IntRange(1)
RATE = click.FloatRange(0.001)


@click.group()
def simulate() -> None:
    """Play what takes more machines than one has."""


@simulate.command()
@click.option("--booths", type=COUNT, default=1000, show_default=True)
@click.option(
    "--hits-per-s", type=RATE, default=20.0, show_default=True, help="Of all booths."
)
@click.option(
    "--changes-per-day",
    type=RATE,
    default=7000.0,
    show_default=True,
    help="Of the watchlist.",
)
@click.option("--minutes", type=RATE, default=5.0, show_default=True)
@click.option(
    "--persons",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="On the list before it begins.",
)
@click.option(
    "--hit-bytes",
    type=COUNT,
    default=8000,
    show_default=True,
    help="Evidence in a hit.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=3,
    show_default=True,
    help="That the booths are spread over.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
@plot_option
def fleet(  # noqa: PLR0913, PLR0917  one argument an option
    booths: int,
    hits_per_s: float,
    changes_per_day: float,
    minutes: float,
    persons: int,
    hit_bytes: int,
    processes: int,
    seed: int,
    json_out: str | None,
    plot_out: Path | None,
) -> None:
    """Run a hub, its broker and many booths with real keys over real connections.

    The booths keep their data in memory and have no galleries: a change counts as held
    when it is checked and in the booth's set. What a gallery adds: `edge bench sync`.
    """
    from edge.services.fleet import FleetPlan, simulate_fleet

    require_writable(json_out, plot_out)
    plan = FleetPlan(
        booths=booths,
        hits_per_s=hits_per_s,
        changes_per_day=changes_per_day,
        minutes=minutes,
        persons=persons,
        hit_bytes=hit_bytes,
        processes=min(processes, booths),
        seed=seed,
    )
    with (
        progress_bar(json_out) as progress,
        tempfile.TemporaryDirectory(prefix="edge-fleet-") as folder,
    ):
        report = simulate_fleet(plan, Path(folder), progress.step)
    write_json(report, json_out)
    if plot_out:
        from edge.bench import fleet_plot

        fleet_plot.draw(report, plot_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    table = Table(box=None)
    table.add_column("what", no_wrap=True)
    table.add_column("measured", justify="right")
    for name, value in flat(report):
        table.add_row(name, value)
    show(table)
