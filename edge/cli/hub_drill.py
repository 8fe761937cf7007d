"""`edge hub drill`: a synthetic person for the booths to be measured with."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from edge.cli.context import config_option, load
from edge.services.hub_desk import open_desk

if TYPE_CHECKING:
    from pathlib import Path


@click.command("drill")
@click.option("--name", default="Drill", show_default=True, help="As officers see it.")
@click.option(
    "--seed",
    type=click.IntRange(0, 999_999_999),
    default=None,
    help="Which finger is drawn; another each time if left out.",
)
@click.option(
    "--days",
    type=click.FloatRange(0.01, 365),
    default=7.0,
    show_default=True,
    help="Days after which the person is on no list any more.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
def drill(
    *, name: str, seed: int | None, days: float, as_json: bool, config_path: Path | None
) -> None:
    """Publish a synthetic person; a supervisor at a booth then arms the drill.

    The entry's category is DRILL; everything that comes of it is marked as a drill.
    """
    from edge.services.drills import publish_drill  # noqa: PLC0415  slow to load
    from edge.services.wiring import enrolment_engines  # noqa: PLC0415

    config = load(config_path)
    with open_desk(config) as desk:
        change = publish_drill(
            desk.images,
            enrolment_engines(config),
            seed=seed,
            name=name,
            valid=timedelta(days=days),
        )
    if as_json:
        view = {"entry_id": change.entry_id, "sequence": change.sequence}
        click.echo(json.dumps(view))
        return
    click.echo(f"{change.entry_id} published by change {change.sequence}")
