"""edge models: what the recognition networks are, make them, check them."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from edge.cli.context import config_option, model_store
from edge.models import fetching
from edge.models.store import ModelStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.models.store import ModelStore, StoredModel

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def models() -> None:
    """List, fetch, prepare and verify models."""


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
            spec.source.publisher,
            spec.licence,
            model.status.value,
        )
    Console().print(table)


@models.command()
@config_option
@json_option
def prepare(config_path: Path | None, *, as_json: bool) -> None:
    """Make the models that are not there, replacing damaged ones.

    Those that were never fetched are left out.
    """
    store = model_store(config_path)
    _prepare_all(store, _present(store), show=not as_json)
    if as_json:
        click.echo(json.dumps([_as_data(model) for model in store.list()], indent=2))


@models.command()
@click.argument("model_ids", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Take the files from this folder, not from the network.",
)
@config_option
@json_option
def fetch(
    model_ids: tuple[str, ...],
    source: Path | None,
    config_path: Path | None,
    *,
    as_json: bool,
) -> None:
    """Bring the models that come with no package: those in use, or those named.

    A file with another content than the pinned one is refused, wherever it came from.
    An interrupted download is gone on with.
    """
    store = model_store(config_path)
    known = [stored.spec for stored in store.list() if stored.spec.is_optional]
    specs = [store.spec(model_id) for model_id in model_ids]
    specs = specs or [spec for spec in known if spec.is_in_use]
    with _byte_bars(show=not as_json) as tell:
        for spec in specs:
            if source is None:
                fetching.fetch(spec, store.sources, tell)
            else:
                fetching.carry_in(spec, source, store.sources, tell)
    _prepare_all(store, [spec.model_id for spec in specs], show=not as_json)
    if as_json:
        click.echo(json.dumps([_as_data(model) for model in store.list()], indent=2))


@models.command()
@config_option
@json_option
def verify(config_path: Path | None, *, as_json: bool) -> None:
    """Check every prepared file; exit status 1 if one is not ready.

    Models that were never fetched do not count.
    """
    stored = model_store(config_path).list()
    if as_json:
        click.echo(json.dumps([_as_data(model) for model in stored], indent=2))
    else:
        for model in stored:
            click.echo(f"{model.spec.model_id}: {model.status.value}")
    usable = {ModelStatus.READY, ModelStatus.NOT_FETCHED}
    if any(model.status not in usable for model in stored):
        if not as_json:
            click.echo("run: edge models prepare")
        sys.exit(1)


def _present(store: ModelStore) -> list[str]:
    return [
        model.spec.model_id
        for model in store.list()
        if model.status is not ModelStatus.NOT_FETCHED
    ]


@contextmanager
def _byte_bars(*, show: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar a file; yield what moves them."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not show) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done)

        yield tell


def _prepare_all(store: ModelStore, model_ids: Sequence[str], *, show: bool) -> None:
    columns = (
        TextColumn("{task.fields[model_id]}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not show) as progress:
        for model_id in model_ids:
            task = progress.add_task("waiting", total=1.0, model_id=model_id)

            def tell(share: float, step: str, task: TaskID = task) -> None:
                progress.update(task, completed=share, description=step)

            store.prepare(model_id, tell)


def _as_data(model: StoredModel) -> dict[str, str | bool]:
    spec = model.spec
    return {
        "model_id": spec.model_id,
        "role": spec.role,
        "source": spec.source.publisher,
        "source_sha256": spec.source.digest,
        "optional": spec.is_optional,
        "licence": spec.licence,
        "card": spec.card,
        "path": str(model.path),
        "state": model.status.value,
    }
