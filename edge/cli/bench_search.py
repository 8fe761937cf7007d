"""edge bench search: one person's fingers against galleries of any size."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.bench import engine_and_methods, one_each, ppi_option
from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    output_options,
    progress_bar,
    require_writable,
    write_json,
)
from edge.cli.bench_tables import show_searches
from edge.cli.context import config_option

# What is measured is imported when it is measured: help needs none of it.
# ruff: noqa: PLC0415


@click.command()
@config_option
@click.option(
    "--persons",
    type=click.IntRange(1),
    multiple=True,
    default=(10_000,),
    show_default=True,
    help="Persons of the gallery; may be given again, to see the growth.",
)
@click.option("--fingers", type=click.IntRange(1, 10), default=2, show_default=True)
@click.option("--probes", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--data",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="Real prints to plant among the generated ones and to search; repeatable.",
)
@ppi_option
@click.option("--seed", type=int, default=1, show_default=True, help="Of the fingers.")
@output_options
def search(  # noqa: PLR0913, PLR0917  one argument an option
    config_path: Path | None,
    persons: tuple[int, ...],
    fingers: int,
    probes: int,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    seed: int,
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Search generated galleries, one person's fingers at a time.

    Mates are other impressions of enrolled fingers, generated or, with --data, real:
    the first impression of each finger is planted, the others are searched. Folders
    must not share fingers. Strangers are always generated.
    """
    from edge.bench import search_plot
    from edge.bench.finger_gallery import MeasuredFingerGallery
    from edge.bench.search import measure_search
    from edge.bench.search_cast import generated_cast, planted, real_persons
    from edge.bench.synthetic import extracted_set
    from edge.recognition.fingerprint.calibration import committed

    require_writable(json_out, plot_out)
    engine, _ = engine_and_methods(config_path)
    ppis = one_each(ppi, folders) if folders else []
    real = [
        person
        for folder, resolution in zip(folders, ppis, strict=True)
        for person in real_persons(extracted_set(engine, folder, resolution), fingers)
    ]
    calibration = committed()
    measured = []
    with progress_bar(json_out) as progress:
        for count in persons:
            cast = generated_cast(
                count,
                fingers,
                min(probes, count),
                seed=seed,
                threads=threads,
                on_progress=lambda done, total=count * fingers: progress.step(  # type: ignore[misc]
                    "generating templates", done, total
                ),
            )
            if real:
                cast = planted(cast, real, probes)
            measured.append(
                measure_search(
                    cast,
                    lambda columns, each: MeasuredFingerGallery(
                        columns, each, calibration, threads
                    ),
                    progress=progress,
                )
            )
    reports = [measurement.report() for measurement in measured]
    write_json(reports[0] if len(reports) == 1 else {"sizes": reports}, json_out)
    if plot_out:
        search_plot.draw(measured, plot_out)
    if json_out != STANDARD_OUTPUT:
        show_searches(reports)
