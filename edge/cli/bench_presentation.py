"""edge bench pad: presentation attack detection on simulated attacks."""

from __future__ import annotations

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
    threads_option,
    write_json,
)
from edge.cli.context import config_option, load

if TYPE_CHECKING:
    from collections.abc import Mapping

# The benchmark and the networks that it measures are imported when it is called.
# ruff: noqa: PLC0415


@click.command()
@config_option
@click.option(
    "--data",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of bona fide faces, <person>_<image>.<jpg|png>.",
)
@json_option
@threads_option
def pad(
    config_path: Path | None, folder: Path, json_out: str | None, threads: int
) -> None:
    """Tell faces from pictures of faces, on pictures that are simulated.

    The attacks are computed from the faces: prints, screens, cut-outs. They are not
    attacks of the world: a detector that misses them is blind, one that finds them may
    still miss a good attack.
    """
    from edge.bench.face_folder import read_face_folder
    from edge.bench.presentation import measure_presentation
    from edge.recognition.face.presentation_attack import DEFAULT_THRESHOLD
    from edge.services.wiring import presentation_judge

    require_writable(json_out, None)
    images = read_face_folder(folder)
    judge = presentation_judge(load(config_path))
    with progress_bar(json_out) as progress:
        measured = measure_presentation(
            images,
            judge,
            threshold=DEFAULT_THRESHOLD,
            threads=threads,
            progress=progress,
        )
    report = measured.report()
    write_json(report, json_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _show(report: Mapping[str, Any]) -> None:
    table = Table(box=None)
    table.add_column("what", no_wrap=True)
    table.add_column("measured", justify="right")
    for name, value in flat(report):
        table.add_row(name, value)
    show(table)
