"""`edge hub`: what the hub operator asks for from the shell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from edge.cli.context import config_option, load
from edge.cli.hub_case import verify_case
from edge.cli.hub_changes import command, instruct, publish, serve, snapshot, withdraw
from edge.cli.hub_drill import drill
from edge.cli.hub_hits import list_hits, show_hit
from edge.cli.hub_keys import KEY_COMMANDS
from edge.cli.hub_rederive import rederive
from edge.logs import safe_label
from edge.services.hub_desk import open_desk

if TYPE_CHECKING:
    from pathlib import Path

    from edge.records.hub_values import BoothOverview, Recall

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON array."
)


@click.group()
def hub() -> None:
    """Work at the hub."""


for subcommand in (
    *(serve, publish, withdraw, snapshot),
    *(list_hits, show_hit, instruct, command, rederive, verify_case, drill),
    *KEY_COMMANDS,
):
    hub.add_command(subcommand)


@hub.command("booths")
@json_option
@config_option
def list_booths(*, as_json: bool, config_path: Path | None) -> None:
    """Show the booths: their link, what they hold, what is missing from them."""
    with open_desk(load(config_path)) as desk:
        booths, end = desk.stores.booths.booths(), desk.end_of_log()
    views = [_booth_view(booth, end) for booth in booths]
    if as_json:
        click.echo(json.dumps(views, indent=2))
        return
    table = Table(
        "booth", "link", "last seen", "holds", "behind", "missing", "software"
    )
    for view in views:
        table.add_row(
            safe_label(view["booth_id"]),
            view["state"] if view["is_admitted"] else "not admitted",
            (view["last_seen_at"] or "never")[:19],
            _holds(view),
            "" if view["behind"] is None else str(view["behind"]),
            str(view["gaps"]),
            safe_label(view["software"] or ""),
        )
    Console().print(table)


@hub.command("recalls")
@click.option("--pending", is_flag=True, help="Only those not confirmed by all.")
@json_option
@config_option
def list_recalls(*, pending: bool, as_json: bool, config_path: Path | None) -> None:
    """Show the withdrawals: which booths have signed that the entry is gone."""
    with open_desk(load(config_path)) as desk:
        recalls = desk.recalls.recalls(pending_only=pending)
    if as_json:
        click.echo(json.dumps([_recall_view(recall) for recall in recalls], indent=2))
        return
    table = Table(
        "change", "entry", "withdrawn", "for", "reason", "confirmed", "pending"
    )
    for recall in recalls:
        table.add_row(
            str(recall.sequence),
            safe_label(recall.entry_id),
            recall.withdrawn_at.isoformat()[:19],
            safe_label(recall.originator),
            safe_label(recall.reason),
            str(len(recall.confirmed)),
            safe_label(", ".join(recall.pending)) or "none",
        )
    Console().print(table)


@hub.command("gaps")
@json_option
@config_option
def list_gaps(*, as_json: bool, config_path: Path | None) -> None:
    """Show the messages that are missing although later ones have come."""
    with open_desk(load(config_path)) as desk:
        gaps = desk.stores.messages.gaps()
    if as_json:
        views = [
            {
                "booth_id": gap.booth_id,
                "stream": gap.stream,
                "first": gap.first,
                "last": gap.last,
                "since": gap.since.isoformat(),
            }
            for gap in gaps
        ]
        click.echo(json.dumps(views, indent=2))
        return
    table = Table("booth", "stream", "first", "last", "since")
    for gap in gaps:
        table.add_row(
            safe_label(gap.booth_id),
            gap.stream,
            str(gap.first),
            str(gap.last),
            gap.since.isoformat()[:19],
        )
    Console().print(table)


def _booth_view(booth: BoothOverview, end: int) -> dict[str, Any]:
    held, health = booth.held_sequence, booth.health
    seen, revoked = booth.last_seen_at, booth.revoked_at
    return {
        "booth_id": booth.booth_id,
        "state": booth.state,
        "last_seen_at": None if seen is None else seen.isoformat(),
        "is_admitted": booth.is_admitted,
        "revoked_at": None if revoked is None else revoked.isoformat(),
        "held_sequence": held,
        "behind": None if held is None else max(0, end - held),
        "is_same": booth.is_same,
        "gaps": booth.gaps,
        "outbox_depth": None if health is None else health.outbox_depth,
        "disk_free_bytes": None if health is None else health.disk_free_bytes,
        "clock_is_trusted": None if health is None else health.clock_is_trusted,
        "software": None if health is None else health.software,
    }


def _holds(view: dict[str, Any]) -> str:
    if view["held_sequence"] is None:
        return "not said"
    verdict = {True: "", False: " DIFFERS", None: " unknown"}[view["is_same"]]
    return f"{view['held_sequence']}{verdict}"


def _recall_view(recall: Recall) -> dict[str, Any]:
    return {
        "sequence": recall.sequence,
        "entry_id": recall.entry_id,
        "withdrawn_at": recall.withdrawn_at.isoformat(),
        "originator": recall.originator,
        "reason": recall.reason,
        "confirmed": recall.confirmed,
        "pending": list(recall.pending),
    }
