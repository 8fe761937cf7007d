"""`edge hub rederive`: face references for the networks that are configured now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from edge.cli.context import config_option, load
from edge.services.hub_desk import open_desk

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = 20


@click.command("rederive")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
def rederive(*, as_json: bool, config_path: Path | None) -> None:
    """Make the face references of other networks anew, from the images held here.

    After `[models] face` was changed at hub and booths. May be interrupted and run
    again. References that came without an image cannot be made anew: enrol those
    persons again.
    """
    from edge.services.rederivation import rederive_faces  # noqa: PLC0415  slow to load
    from edge.services.wiring import face_engine  # noqa: PLC0415

    config = load(config_path)
    engine = face_engine(config)
    with open_desk(config) as desk:
        total = desk.log.position().count if desk.end_of_log() else 0
        columns = (TextColumn("entries"), BarColumn(), MofNCompleteColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("entries", total=total)
            done = rederive_faces(
                desk.images,
                engine,
                lambda count: progress.update(task, completed=count),
            )
    if as_json:
        click.echo(json.dumps(vars(done), indent=2))
        return
    click.echo(f"{len(done.made)} face references made anew for {engine.model_id}")
    for text, ids in (
        ("cannot be, no image is held", done.without_image),
        ("cannot be, no face is found in the image", done.without_face),
    ):
        if ids:
            more = ", ..." if len(ids) > SHOWN else ""
            click.echo(f"{len(ids)} {text}: {', '.join(ids[:SHOWN])}{more}")
