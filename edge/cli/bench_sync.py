"""edge bench sync: the line between booth and hub, on real parts of this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli import (
    bench_console,
    bench_face,
    bench_face_search,
    bench_fusion,
    bench_guidance,
    bench_presentation,
    bench_screen,
    bench_search,
)
from edge.cli.bench import bench
from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    flat,
    output_options,
    progress_bar,
    require_writable,
    show,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# What is measured is imported when it is measured: help needs none of it.
# ruff: noqa: PLC0415

SECTIONS = ("snapshot", "publish", "hit", "delta", "outage", "ingest")
COUNT = click.IntRange(1)


@click.command()
@click.option(
    "--only",
    type=click.Choice(SECTIONS),
    multiple=True,
    help="Measure this section alone; repeatable.",
)
@click.option("--persons", type=COUNT, default=180_000, show_default=True)
@click.option(
    "--changes", type=COUNT, default=7_000, show_default=True, help="Of a day's delta."
)
@click.option(
    "--published", type=COUNT, default=40, show_default=True, help="Single changes."
)
@click.option(
    "--hits", type=COUNT, default=300, show_default=True, help="Recorded one by one."
)
@click.option(
    "--outage-hits",
    type=COUNT,
    default=72_000,
    show_default=True,
    help="Of an hour without a line.",
)
@click.option(
    "--ingest-hits",
    type=COUNT,
    default=4_000,
    show_default=True,
    help="Sent as fast as the hub takes them.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the persons.")
@output_options
def sync(  # noqa: PLR0913, PLR0917  one argument an option
    only: tuple[str, ...],
    persons: int,
    changes: int,
    published: int,
    hits: int,
    outage_hits: int,
    ingest_hits: int,
    seed: int,
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Time watchlist and hits between a hub and a booth, as processes on this machine.

    With the defaults: 180,000 invented persons, ten minutes and two gigabytes of disk.
    The line of the first snapshot has 10 Mbit/s, that of the day's changes 64 kbit/s.
    """
    from edge.bench import sync_plot
    from edge.bench.sync import SyncPlan, measure_sync
    from edge.services.measured_site import MeasuredSite

    require_writable(json_out, plot_out)
    plan = SyncPlan(
        sections=only or SECTIONS,
        persons=persons,
        publish_changes=published,
        hits=hits,
        delta_changes=changes,
        outage_hits=outage_hits,
        ingest_hits=ingest_hits,
        threads=threads,
        seed=seed,
    )
    report: dict[str, Any] = {}
    try:
        with (
            progress_bar(json_out) as progress,
            tempfile.TemporaryDirectory(prefix="edge-sync-") as folder,
            MeasuredSite(Path(folder)) as site,
        ):
            measure_sync(site, plan, progress, report)
    finally:
        # Minutes of work are not lost because of a section that fails.
        write_json(report, json_out)
    if plot_out:
        sync_plot.draw(report, plot_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    table = Table(box=None)
    for heading in ("section", "what"):
        table.add_column(heading, no_wrap=True)
    table.add_column("measured", justify="right")
    for section, measured in report.items():
        several = measured if isinstance(measured, list) else [measured]
        for each in several:
            for name, value in flat(each):
                table.add_row(section, name, value)
    show(table)


for _command in (
    bench_console.console,
    bench_face.face,
    bench_face_search.face_search,
    bench_guidance.guidance,
    bench_fusion.fusion,
    bench_presentation.pad,
    bench_screen.screen,
    bench_search.search,
    sync,
):
    bench.add_command(_command)
