"""`edge hub publish`, `withdraw`, `snapshot`, `instruct`, `command` and `serve`."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from edge.cli.context import config_option, load
from edge.services.hub_desk import hub_store_path, make_snapshot, open_desk
from edge.sync.messages import CommandKind
from edge.watchlist.exchange import read_watchlist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.records.hub_values import CommandRecord

FILE = click.Path(path_type=Path, dir_okay=False)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)
HOUR_S = 3600.0


@click.command("serve")
@config_option
def serve(config_path: Path | None) -> None:
    """Run edge-hub until SIGTERM; the same as `edge serve hub`."""
    from edge.services.wiring import run_hub_from  # noqa: PLC0415  slow to load

    run_hub_from(load(config_path))


@click.command("publish")
@click.argument("file", type=FILE)
@json_option
@config_option
def publish(*, file: Path, as_json: bool, config_path: Path | None) -> None:
    """Publish the entries of FILE, as `edge watchlist export` writes it.

    Higher versions replace what is there; the same or a lower one is left alone. What
    was interrupted is finished by the same command again.
    """
    console = Console(stderr=True)
    with open_desk(load(config_path)) as desk:
        with console.status(f"reading {file.name}"):
            items = read_watchlist(file)
        with _bar("publishing") as tell:
            published = desk.publish(items, tell)
        end = desk.end_of_log()
    if as_json:
        view = {"entries": len(items), "published": published, "sequence": end}
        click.echo(json.dumps(view))
        return
    click.echo(f"{published} of {len(items)} entries published; the log ends at {end}")


@click.command("withdraw")
@click.argument("entry_id")
@click.option("--reason", required=True, help="Why it is withdrawn.")
@click.option("--originator", required=True, help="Who has asked for it.")
@json_option
@config_option
def withdraw(
    *,
    entry_id: str,
    reason: str,
    originator: str,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Withdraw an entry from every booth; see `edge hub recalls` for who confirms."""
    with open_desk(load(config_path)) as desk:
        recorded = desk.withdraw(entry_id, originator=originator, reason=reason)
    sequence = recorded.change.sequence
    if as_json:
        click.echo(json.dumps({"entry_id": entry_id, "sequence": sequence}))
        return
    click.echo(f"{entry_id} withdrawn by change {sequence}")


@click.command("snapshot")
@json_option
@config_option
def snapshot(*, as_json: bool, config_path: Path | None) -> None:
    """Make a snapshot of the watchlist now; the hub's process need not run."""
    from edge.services.wiring import hub_keys  # noqa: PLC0415  slow to load

    config = load(config_path)
    with _bar("snapshot") as tell:
        sequence = make_snapshot(hub_store_path(config), hub_keys(config), tell)
    if as_json:
        click.echo(json.dumps({"sequence": sequence}))
        return
    click.echo(f"snapshot of change {sequence} is the newest")


@click.command("instruct")
@click.argument("hit_id")
@click.argument("text")
@click.option(
    "--expires-h",
    type=click.FloatRange(0.01, 24 * 30),
    default=8.0,
    show_default=True,
    help="Hours after which the instruction is void.",
)
@json_option
@config_option
def instruct(
    *,
    hit_id: str,
    text: str,
    expires_h: float,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Send the officer an instruction on a hit; HIT_ID may be its beginning."""
    with open_desk(load(config_path)) as desk:
        record = desk.instruct(hit_id, text, valid_s=expires_h * HOUR_S)
    _show(record, as_json=as_json)


@click.command("command")
@click.argument("booth_id")
@click.argument(
    "kind", type=click.Choice([str(CommandKind.TEST), str(CommandKind.RESYNC)])
)
@json_option
@config_option
def command(
    *, booth_id: str, kind: str, as_json: bool, config_path: Path | None
) -> None:
    """Send a booth a command: `test` asks for an answer, `resync` for a fresh list."""
    with open_desk(load(config_path)) as desk:
        record = desk.command(booth_id, CommandKind(kind))
    _show(record, as_json=as_json)


def _show(record: CommandRecord, *, as_json: bool) -> None:
    if as_json:
        view = {
            "command_id": record.command_id,
            "booth_id": record.booth_id,
            "kind": record.kind,
            "expires_at": record.expires_at.isoformat(),
        }
        click.echo(json.dumps(view))
        return
    click.echo(
        f"{record.kind} for {record.booth_id} is queued until "
        f"{record.expires_at.isoformat()[:19]}"
    )


@contextmanager
def _bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error; yield what moves it."""
    with Progress(
        TextColumn(text),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
