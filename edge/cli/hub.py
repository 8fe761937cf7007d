"""`edge hub`: what the hub operator asks for from the shell."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from edge.cli.context import config_option, load, open_hub
from edge.cli.hub_keys import KEY_COMMANDS
from edge.logs import safe_label

if TYPE_CHECKING:
    from pathlib import Path

    from edge.store.hub import BoothState, ReceivedHit


@click.group()
def hub() -> None:
    """Work at the hub."""


for _command in KEY_COMMANDS:
    hub.add_command(_command)


@hub.command("hits")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@config_option
def list_hits(*, limit: int, as_json: bool, config_path: Path | None) -> None:
    """Show the hits received, newest last."""
    with closing(open_hub(load(config_path))) as store:
        hits = store.hits(limit=limit)
    if as_json:
        click.echo(json.dumps([_hit_view(hit) for hit in hits], indent=2))
        return
    table = Table("received", "booth", "no.", "entry", "by", "false match rate", "hit")
    for received in hits:
        view = _hit_view(received)
        table.add_row(
            view["received_at"][:19],
            safe_label(view["booth_id"]),
            str(view["sequence"]),
            safe_label(view["entry_id"]),
            ", ".join(view["modalities"]),
            f"{view['false_match_rate']:.1e}",
            view["hit_id"][:8],
        )
    Console().print(table)


@hub.command("booths")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@config_option
def list_booths(*, as_json: bool, config_path: Path | None) -> None:
    """Show the booths: their state, when last seen, how far behind."""
    with closing(open_hub(load(config_path))) as store:
        head, booths = store.head(), store.booths()
    views = [_booth_view(booth, head) for booth in booths]
    if as_json:
        click.echo(json.dumps(views, indent=2))
        return
    table = Table("booth", "state", "last seen", "watchlist", "behind")
    for view in views:
        table.add_row(
            safe_label(view["booth_id"]),
            view["state"],
            view["last_seen_at"][:19],
            str(view["watchlist_cursor"]),
            str(view["behind"]),
        )
    Console().print(table)


def _hit_view(received: ReceivedHit) -> dict[str, Any]:
    hit = received.hit
    rates = [c.score.false_match_rate for c in hit.candidates]
    return {
        "hit_id": hit.hit_id,
        "booth_id": hit.booth_id,
        "sequence": received.sequence,
        "entry_id": hit.entry_id,
        "entry_version": hit.entry_version,
        "occurred_at": hit.occurred_at.isoformat(),
        "received_at": received.received_at.isoformat(),
        "modalities": sorted({str(c.modality) for c in hit.candidates}),
        "false_match_rate": min(rates, default=1.0),
        "evidence": [e.media_type for e in hit.evidence],
    }


def _booth_view(booth: BoothState, head: int) -> dict[str, Any]:
    return {
        "booth_id": booth.booth_id,
        "state": booth.state,
        "last_seen_at": booth.last_seen_at.isoformat(),
        "watchlist_cursor": booth.cursor,
        "behind": max(0, head - booth.cursor),
    }
