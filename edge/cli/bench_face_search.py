"""edge bench face-search: how fast a face is looked for among many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    flat,
    json_option,
    plot_option,
    progress_bar,
    require_writable,
    show,
    write_json,
)

if TYPE_CHECKING:
    from pathlib import Path

# The benchmark and what it measures are imported when it is called.
# ruff: noqa: PLC0415


@click.command("face-search")
@click.option(
    "--vectors",
    type=click.IntRange(1, 10_000_000),
    default=180_000,
    show_default=True,
    help="References of the gallery.",
)
@click.option(
    "--dim",
    type=click.IntRange(1, 4096),
    default=256,
    show_default=True,
    help="Numbers of a vector.",
)
@click.option(
    "--searches", type=click.IntRange(1, 1_000_000), default=200, show_default=True
)
@click.option(
    "--threads",
    type=click.IntRange(1, 16),
    multiple=True,
    default=(1, 4),
    show_default=True,
    help="Threads of a search; may be given again.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the vectors.")
@json_option
@plot_option
def face_search(
    vectors: int,
    dim: int,
    searches: int,
    threads: tuple[int, ...],
    seed: int,
    json_out: str | None,
    plot_out: Path | None,
) -> None:
    """Search the nearest ten of many vectors, one probe after the other.

    What is found is compared with all distances in float64. How fast the memory can be
    read is measured in the same run.
    """
    from edge.bench import face_search_plot
    from edge.bench.face_search import measure_face_search

    require_writable(json_out, plot_out)
    with progress_bar(json_out) as progress:
        measured = measure_face_search(
            vectors,
            dim,
            threads=sorted(set(threads)),
            searches=searches,
            seed=abs(seed),
            progress=progress,
        )
    report = measured.report()
    write_json(report, json_out)
    if plot_out:
        face_search_plot.draw(measured, plot_out)
    if json_out != STANDARD_OUTPUT:
        table = Table(box=None)
        table.add_column("what", no_wrap=True)
        table.add_column("measured", justify="right")
        for name, value in flat(report):
            table.add_row(name, value)
        show(table)
