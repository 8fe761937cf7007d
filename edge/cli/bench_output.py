"""What the benchmarks share at the command line: options, progress bar, output."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.table import Table

    from edge.bench.progress import Progress as BenchProgress

STANDARD_OUTPUT = "-"
MOST_THREADS = 256
FILE_WIDTH = 160

json_option = click.option(
    "--json",
    "json_out",
    metavar="OUT",
    help="Write the results as JSON to this file; - for standard output.",
)
plot_option = click.option(
    "--plot",
    "plot_out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.png",
    help="Draw the results (needs matplotlib).",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, MOST_THREADS),
    default=lambda: os.cpu_count() or 1,
    show_default="all cores",
    help="Threads; what is timed per core is timed on one.",
)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --json, --plot and --threads."""
    return json_option(plot_option(threads_option(command)))


def require_writable(json_out: str | None, plot_out: Path | None) -> None:
    """Refuse before minutes of work a place that the results cannot be written to.

    Raises:
        ConfigurationError: a plot is wanted and matplotlib is not installed.
        InputError: the folder of a file to write is not there.
    """
    files = [plot_out] if plot_out else []
    if json_out not in {None, STANDARD_OUTPUT}:
        files.append(Path(str(json_out)))
    for file in files:
        if not file.resolve().parent.is_dir():
            raise InputError(f"{file}: no such folder {file.parent}; create it")
    if plot_out:
        from edge.bench.plotting import panels  # noqa: PLC0415  slow to load

        panels(1, "")


class Bar:
    """Implements edge.bench.progress.Progress as a bar on standard error."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def step(self, text: str, done: int, total: int) -> None:
        if text not in self._tasks or done == 0:
            self._tasks[text] = self._bars.add_task(text, total=total)
        self._bars.update(self._tasks[text], completed=done, total=total)


@contextmanager
def progress_bar(json_out: str | None) -> Iterator[BenchProgress]:
    """Show a bar if a person is looking and nobody parses the output."""
    console = Console(stderr=True)
    is_shown = console.is_terminal and json_out != STANDARD_OUTPUT
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not is_shown) as bars:
        yield Bar(bars)


def write_json(result: object, json_out: str | None) -> None:
    """Write the results where --json says.

    Raises:
        InputError: the file cannot be written.
    """
    if json_out is None:
        return
    text = json.dumps(result, indent=2, allow_nan=False)
    if json_out == STANDARD_OUTPUT:
        click.echo(text)
        return
    try:
        Path(json_out).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{json_out}: cannot be written: {error.strerror}") from error


def show(table: Table) -> None:
    """Print a table; where nobody's window limits it, it is as wide as it needs."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=FILE_WIDTH)
    console.print(table)


def percent(rate: float) -> str:
    return f"{100 * rate:.2f}"


def number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def flat(measured: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the figures of a nested report, each with its name in words."""
    for name, value in measured.items():
        words = before + name.replace("_", " ")
        if isinstance(value, dict):
            yield from flat(value, f"{words}: ")
        elif isinstance(value, bool):
            yield words, "yes" if value else "no"
        elif isinstance(value, str):
            yield words, value
        else:
            digits = 0 if isinstance(value, int) else 3 if value and value < 10 else 1
            yield words, number(value, digits)
