"""edge bench screen: what officers and operators wait for, in a browser."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    flat,
    json_option,
    progress_bar,
    require_writable,
    show,
    write_json,
)
from edge.cli.context import config_option, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.bench.screen import Travellers
    from edge.simulate.cast import CastMember

# What is measured is imported when it is measured: help needs none of it.
# ruff: noqa: PLC0415

COUNT = click.IntRange(1)
FAR = 0.3


@click.command()
@config_option
@click.option(
    "--persons",
    type=click.IntRange(0),
    default=2_000,
    show_default=True,
    help="Generated persons on the list.",
)
@click.option("--checks", type=COUNT, default=15, show_default=True)
@click.option("--hits", type=COUNT, default=60, show_default=True)
@json_option
def screen(
    *,
    config_path: Path | None,
    persons: int,
    checks: int,
    hits: int,
    json_out: str | None,
) -> None:
    """Time checks, previews, pages and hits in Chromium, on processes of this machine.

    Needs Chromium and Playwright. The scanner is emulated without the pace of a real
    line. 180,000 persons take half an hour to prepare.
    """
    from edge.bench.chromium import open_chromium
    from edge.bench.screen import ScreenPlan, measure_screen
    from edge.services.measured_screen import MeasuredScreen
    from edge.simulate.cast import invented_cast
    from edge.simulate.scenario import demo_scenario

    config = load(config_path)
    require_writable(json_out, None)
    report: dict[str, Any] = {}
    folder = Path(tempfile.mkdtemp(prefix="edge-"))
    try:
        with (
            progress_bar(json_out) as progress,
            open_chromium() as browser,
            MeasuredScreen(folder, config) as site,
        ):
            cast = invented_cast()
            listed = demo_scenario(cast).enrolled[0]
            site.fill(listed, persons, lambda n, of: progress.step("list", n, of))
            measure_screen(
                site,
                browser,
                _travellers(cast[0], cast[2]),
                ScreenPlan(checks=checks, hits=hits),
                progress,
                report,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # Minutes of work are not lost because of a part that fails.
        write_json(report, json_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _travellers(listed: CastMember, unlisted: CastMember) -> Travellers:
    from edge.bench.screen import Travellers
    from edge.simulate.cast import seen_from_far

    far = [seen_from_far(frame, FAR) for frame in unlisted.face_presented]
    return Travellers(listed.finger_presented, unlisted.finger_presented, far)


def _show(report: Mapping[str, Any]) -> None:
    table = Table("what", "measured", box=None)
    table.columns[1].justify = "right"
    for name, value in flat(report):
        table.add_row(name, value)
    show(table)
