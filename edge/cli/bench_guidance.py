"""edge bench guidance: is a traveller before the camera told the right thing?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    json_option,
    percent,
    progress_bar,
    require_writable,
    show,
    threads_option,
    write_json,
)
from edge.cli.context import config_option, load

if TYPE_CHECKING:
    from collections.abc import Mapping

# The benchmark and the networks that it measures are imported when it is called.
# ruff: noqa: PLC0415

TIMED_FRAMES = 8


@click.command()
@config_option
@click.option(
    "--data",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of faces, <person>_<image>.<jpg|png>.",
)
@click.option(
    "--set",
    "name",
    type=click.Choice(["default", "better"]),
    help="The networks; as configured without it.",
)
@click.option(
    "--images",
    "count",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="So many images, evenly from all.",
)
@json_option
@threads_option
def guidance(
    config_path: Path | None,
    folder: Path,
    name: str | None,
    count: int,
    json_out: str | None,
    threads: int,
) -> None:
    """Spoil each face in one way after the other and see what its owner is told.

    Scenes are computed: dark, bright, tilted, covered and so on. Besides, frames of a
    camera are guided alone and while the fingerprint engine works on another thread.
    """
    from edge.bench.face_conditions import measure_conditions
    from edge.bench.face_folder import read_face_folder
    from edge.bench.face_guidance import fingers_at_work, measure_guidance
    from edge.services.wiring import face_engine, fingerprint_engine

    require_writable(json_out, None)
    every = read_face_folder(folder)
    places = np.linspace(0, len(every) - 1, min(count, len(every)))
    images = [every[round(place)] for place in places]
    config = load(config_path)
    models = config.models.model_copy(
        update={"threads": 1, "face": name or config.models.face}
    )
    config = config.model_copy(update={"models": models})
    detector = face_engine(config).detector
    with progress_bar(json_out) as progress:
        measured = measure_conditions(
            images, detector, threads=threads, progress=progress
        )
    report = {"set": models.face, **measured.report()}
    frames = [image.pixels() for image in images[:TIMED_FRAMES]]
    report["alone"] = measure_guidance(detector, frames).to_json()
    with fingers_at_work(fingerprint_engine(config)):
        report["beside_fingers"] = measure_guidance(detector, frames).to_json()
    write_json(report, json_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    table = Table(box=None)
    table.add_column("condition", no_wrap=True)
    for heading in ("right, %", "usable, %"):
        table.add_column(heading, justify="right")
    table.add_column("told instead, %")
    for name, figures in report["conditions"].items():
        others = ", ".join(
            f"{other} {100 * share:.0f}" for other, share in figures["others"].items()
        )
        table.add_row(
            name, percent(figures["right"]), percent(figures["usable"]), others
        )
    show(table)
    for where in ("alone", "beside_fingers"):
        timed = report[where]
        click.echo(
            f"{where.replace('_', ' ')}: {timed['frames_per_s']:.1f} frames a second, "
            f"{timed['cpu_ms_median']:.1f} ms of a core each"
        )
