"""edge bench console: the operators' console with many hits and posts, over HTTP."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    json_option,
    progress_bar,
    require_writable,
    show,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNT = click.IntRange(1)


@click.command()
@click.option("--hits", type=COUNT, default=10_000, show_default=True)
@click.option("--posts", type=COUNT, default=500, show_default=True)
@click.option(
    "--rounds",
    type=click.IntRange(1, 150),
    default=20,
    show_default=True,
    help="How often each action is done.",
)
@click.option(
    "--live-hits",
    type=COUNT,
    default=60,
    show_default=True,
    help="Stored one by one while a browser listens.",
)
@json_option
def console(
    *, hits: int, posts: int, rounds: int, live_hits: int, json_out: str | None
) -> None:
    """Time every action of the console, and hits until a browser is told of them."""
    from edge.bench.console import measure_console  # noqa: PLC0415  slow to load
    from edge.services.measured_console import MeasuredConsole  # noqa: PLC0415
    from edge.simulate.console_store import StoreSize  # noqa: PLC0415

    require_writable(json_out, None)
    size = StoreSize(hits=hits, posts=posts)
    with (
        progress_bar(json_out) as progress,
        tempfile.TemporaryDirectory(prefix="edge-console-") as folder,
        MeasuredConsole(
            Path(folder), size, lambda done, total: progress.step("hits", done, total)
        ) as site,
    ):
        report = measure_console(
            site, size, rounds=rounds, hits=live_hits, progress=progress
        )
    write_json(report, json_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    table = Table("action", "median", "95 %", "longest, ms", box=None)
    shown = report["hit_stored_until_on_stream_ms"]
    rows = {**report["actions_ms"], "hit stored until on the stream": shown}
    for name, values in rows.items():
        table.add_row(name, *(f"{values[key]:.0f}" for key in values))
    show(table)
