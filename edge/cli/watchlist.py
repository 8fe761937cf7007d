"""`edge watchlist`: read and change the watchlist that this machine keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from edge.cli.context import config_option, load
from edge.errors import WatchlistError
from edge.logs import safe_label
from edge.records.changes import entry_map
from edge.services.keeper import open_keeper
from edge.terms import ChangeOperation, DraftChange
from edge.watchlist.exchange import read_watchlist, write_watchlist

if TYPE_CHECKING:
    from edge.services.keeper import WatchlistKeeper
    from edge.terms import Reference, WatchlistEntry

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def watchlist() -> None:
    """Read and change the watchlist: the hub's log, or this booth's own list."""


@watchlist.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@config_option
def list_entries(*, as_json: bool, config_path: Path | None) -> None:
    """List the entries."""
    with open_keeper(load(config_path)) as keeper:
        entries = keeper.entries()
    if as_json:
        click.echo(json.dumps([entry_map(entry) for entry in entries], indent=2))
        return
    table = Table("entry", "version", "name", "category", "originator", "expires")
    for entry in entries:
        table.add_row(
            safe_label(entry.entry_id),
            str(entry.version),
            safe_label(entry.name or ""),
            safe_label(entry.category),
            safe_label(entry.originator),
            "" if entry.expires_at is None else entry.expires_at.isoformat()[:10],
        )
    Console().print(table)


@watchlist.command("show")
@click.argument("entry_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
def show_entry(*, entry_id: str, as_json: bool, config_path: Path | None) -> None:
    """Show one entry and what references it has."""
    with open_keeper(load(config_path)) as keeper:
        entry = _entry(keeper, entry_id)
        references = keeper.references(entry_id)
    view = entry_map(entry) | {"references": [_reference_view(r) for r in references]}
    if as_json:
        click.echo(json.dumps(view, indent=2))
        return
    for key, value in view.items():
        if key != "references" and value is not None:
            click.echo(f"{key:>15}  {safe_label(str(value))}")
    for reference in references:
        click.echo(f"{'reference':>15}  {_reference_line(reference)}")


@watchlist.command("export")
@click.argument("file", type=FILE)
@config_option
def export_entries(*, file: Path, config_path: Path | None) -> None:
    """Write every entry with its references to FILE."""
    with open_keeper(load(config_path)) as keeper:
        count = write_watchlist(
            file,
            (
                (entry, tuple(keeper.references(entry.entry_id)))
                for entry in keeper.entries()
            ),
        )
    click.echo(f"{count} entries written to {file}")


@watchlist.command("import")
@click.argument("file", type=FILE)
@config_option
def import_entries(*, file: Path, config_path: Path | None) -> None:
    """Add the entries of FILE; higher versions replace what is there. All or nothing.

    An entry that is there in the same or a higher version is left alone.
    """
    items = read_watchlist(file)
    with open_keeper(load(config_path)) as keeper:
        versions = {entry.entry_id: entry.version for entry in keeper.entries()}
        drafts = []
        for entry, references in items:
            known = versions.get(entry.entry_id)
            if known is None or known < entry.version:
                is_new = known is None
                operation = ChangeOperation.ADD if is_new else ChangeOperation.REPLACE
                drafts.append(DraftChange(operation, entry.entry_id, entry, references))
        keeper.change(drafts)
        name = keeper.name
    click.echo(f"{len(drafts)} of {len(items)} entries imported at this {name}")


@watchlist.command("withdraw")
@click.argument("entry_id")
@config_option
def withdraw_entry(*, entry_id: str, config_path: Path | None) -> None:
    """Take an entry off the watchlist."""
    with open_keeper(load(config_path)) as keeper:
        keeper.change([DraftChange(ChangeOperation.WITHDRAW, entry_id)])
        name = keeper.name
    click.echo(f"{entry_id} withdrawn at this {name}")


def _entry(keeper: WatchlistKeeper, entry_id: str) -> WatchlistEntry:
    for entry in keeper.entries():
        if entry.entry_id == entry_id:
            return entry
    message = f"entry {entry_id} is not on the watchlist of this {keeper.name}"
    raise WatchlistError(message)


def _reference_view(reference: Reference) -> dict[str, Any]:
    return {
        "reference_id": reference.reference_id,
        "modality": str(reference.modality),
        "position": int(reference.position),
        "model_id": reference.template.model_id,
    }


def _reference_line(reference: Reference) -> str:
    place = reference.position.name.lower().replace("_", " ")
    return f"{reference.modality}, {place}, {reference.template.model_id}"
