"""The command `edge`: one line a subcommand, loaded only when it is called.

Exit status: 0 done, 1 the answer is "no" (a check, doctor or demo that did not go as it
should), 2 the input, the configuration or the usage is wrong.
"""

from __future__ import annotations

import importlib
import sys

import click

from edge import __version__
from edge.errors import EdgeError

COMMANDS = {
    "accounts": ("edge.cli.accounts", "accounts", "Say who may sign in."),
    "bench": ("edge.cli.bench_sync", "bench", "Measure accuracy and speed."),
    "calibration": (
        "edge.cli.calibration",
        "calibration",
        "Show what scores mean.",
    ),
    "check": ("edge.cli.check", "check", "Check one capture subject."),
    "demo": ("edge.cli.demo", "demo", "Run a whole checkpoint without hardware."),
    "doctor": ("edge.cli.doctor", "doctor", "Say what works on this machine."),
    "enrol": ("edge.cli.enrol", "enrol", "Put a person on the watchlist."),
    "face": ("edge.cli.face", "face", "Look into the face engine."),
    "finger": ("edge.cli.finger", "finger", "Look into the fingerprint engine."),
    "hub": ("edge.cli.hub", "hub", "Work at the hub: hits, booths, publication."),
    "models": ("edge.cli.models", "models", "List, prepare and verify models."),
    "provision": (
        "edge.cli.provision",
        "provision",
        "Make this booth's keys, enrol it at the hub.",
    ),
    "serve": ("edge.cli.serve", "serve", "Run one process of the appliance."),
    "simulate": ("edge.cli.simulate", "simulate", "Play a fleet of booths."),
    "watchlist": ("edge.cli.watchlist", "watchlist", "Read and change the watchlist."),
}


class LazyGroup(click.Group):
    """Imports a subcommand when it is asked for: start-up stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


@click.command(cls=LazyGroup)
@click.version_option(__version__, prog_name="edge")
def edge() -> None:
    """Border-checkpoint appliance."""


def main() -> None:
    """Run the command line; an EdgeError becomes one line and exit status 2."""
    try:
        edge(standalone_mode=True)
    except EdgeError as error:
        click.echo(f"edge: {' '.join(str(error).split())}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
