"""edge bench face: how accurate and how fast faces are found and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    flat,
    output_options,
    progress_bar,
    require_writable,
    show,
    write_json,
)
from edge.cli.context import config_option, load

if TYPE_CHECKING:
    from collections.abc import Mapping

# The benchmark and the engine that it measures are imported when it is called.
# ruff: noqa: PLC0415


@click.command()
@config_option
@click.option(
    "--data",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of <person>_<image>.<jpg|png>.",
)
@click.option(
    "--set",
    "name",
    type=click.Choice(["default", "better"]),
    help="The networks; as configured without it.",
)
@output_options
def face(
    config_path: Path | None,
    folder: Path,
    name: str | None,
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Find and embed the face of every image and compare all pairs.

    The face nearest to the middle counts, whatever its quality. An image without a face
    matches nobody. Persons with several images make up a list for one-to-many search,
    the others are strangers.
    """
    from edge.bench import face_plot
    from edge.bench.face import measure_faces
    from edge.bench.face_folder import read_face_folder
    from edge.services.wiring import face_engine

    require_writable(json_out, plot_out)
    images = read_face_folder(folder)
    config = load(config_path)
    models = config.models.model_copy(
        update={"threads": 1, "face": name or config.models.face}
    )
    engine = face_engine(config.model_copy(update={"models": models}))
    with progress_bar(json_out) as progress:
        measured = measure_faces(images, engine, threads=threads, progress=progress)
    report = measured.report()
    write_json(report, json_out)
    if plot_out:
        face_plot.draw(measured, plot_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    table = Table(box=None)
    table.add_column("what", no_wrap=True)
    table.add_column("measured", justify="right")
    shown = {name: value for name, value in report.items() if name != "without_face"}
    for name, value in flat(shown):
        table.add_row(name, value)
    show(table)
