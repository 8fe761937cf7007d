"""edge models: what the recognition networks are, make them, check them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from edge.cli.context import config_option, model_store
from edge.models.store import ModelStatus

if TYPE_CHECKING:
    from pathlib import Path

    from edge.models.store import ModelStore, StoredModel

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def models() -> None:
    """List, prepare and verify models."""


@models.command("list")
@config_option
@json_option
def list_models(config_path: Path | None, *, as_json: bool) -> None:
    """Show every model: role, source, licence and state."""
    stored = model_store(config_path).list()
    if as_json:
        click.echo(json.dumps([_as_data(model) for model in stored], indent=2))
        return
    table = Table("model", "role", "source", "licence", "state")
    for model in stored:
        spec = model.spec
        table.add_row(
            spec.model_id,
            spec.role,
            spec.source_distribution,
            spec.licence,
            model.status.value,
        )
    Console().print(table)


@models.command()
@config_option
@json_option
def prepare(config_path: Path | None, *, as_json: bool) -> None:
    """Make the models that are not there, replacing damaged ones."""
    store = model_store(config_path)
    _prepare_all(store, show=not as_json)
    if as_json:
        click.echo(json.dumps([_as_data(model) for model in store.list()], indent=2))


@models.command()
@config_option
@json_option
def verify(config_path: Path | None, *, as_json: bool) -> None:
    """Check every prepared file; exit status 1 if one is not ready."""
    stored = model_store(config_path).list()
    if as_json:
        click.echo(json.dumps([_as_data(model) for model in stored], indent=2))
    else:
        for model in stored:
            click.echo(f"{model.spec.model_id}: {model.status.value}")
    if any(model.status is not ModelStatus.READY for model in stored):
        if not as_json:
            click.echo("run: edge models prepare")
        sys.exit(1)


def _prepare_all(store: ModelStore, *, show: bool) -> None:
    columns = (
        TextColumn("{task.fields[model_id]}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not show) as progress:
        for model in store.list():
            model_id = model.spec.model_id
            task = progress.add_task("waiting", total=1.0, model_id=model_id)

            def tell(share: float, step: str, task: TaskID = task) -> None:
                progress.update(task, completed=share, description=step)

            store.prepare(model_id, tell)


def _as_data(model: StoredModel) -> dict[str, str]:
    spec = model.spec
    return {
        "model_id": spec.model_id,
        "role": spec.role,
        "source_distribution": spec.source_distribution,
        "source_file": spec.source_file,
        "source_sha256": spec.source_sha256,
        "licence": spec.licence,
        "card": spec.card,
        "path": str(model.path),
        "state": model.status.value,
    }
