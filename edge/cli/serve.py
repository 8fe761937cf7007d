"""`edge serve`: the processes that systemd starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edge.cli.context import config_option
from edge.config import load_config

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def serve() -> None:
    """Run one process of the appliance until SIGTERM."""


@serve.command("booth")
@config_option
def serve_booth(config_path: Path | None) -> None:
    """Capture, recognition, search, decision and the officer's application."""
    from edge.services.booth import run_booth  # noqa: PLC0415  slow to load

    run_booth(load_config(config_path))


@serve.command("sync")
@config_option
def serve_sync(config_path: Path | None) -> None:
    """Outbox to the hub, watchlist from the hub."""
    from edge.services.wiring import run_sync_from  # noqa: PLC0415  slow to load

    run_sync_from(load_config(config_path))


@serve.command("console")
@config_option
def serve_console(config_path: Path | None) -> None:
    """Serve the hub operators' console to browsers."""
    from edge.services.console import run_console  # noqa: PLC0415  slow to load

    run_console(load_config(config_path))


@serve.command("hub")
@config_option
def serve_hub(config_path: Path | None) -> None:
    """Receive hits, give receipts, publish the watchlist."""
    from edge.services.wiring import run_hub_from  # noqa: PLC0415  slow to load

    run_hub_from(load_config(config_path))
