"""edge bench: how accurate and how fast the engines are, on folders of prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    output_options,
    progress_bar,
    require_writable,
    write_json,
)
from edge.cli.bench_tables import (
    show_fingers,
    show_quality,
    show_synthetic,
)
from edge.cli.context import config_option, fingerprint_engine, load
from edge.errors import InputError
from edge.recognition.fingerprint.image import RESOLUTION_PPI
from edge.services.wiring import prepare_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.bench.finger import FingerMethods
    from edge.bench.quality import QualityMethods
    from edge.config import Config
    from edge.recognition.fingerprint.engine import FingerprintEngine

# The benchmarks, and the engines that they measure, are imported by the command that
# is called: `edge bench --help` needs none of them.
# ruff: noqa: PLC0415

data_option = click.option(
    "--data",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    required=True,
    metavar="DIR",
    help="Folder of <finger>_<impression>.<png|tif|bmp>; may be given again.",
)

ppi_option = click.option(
    "--ppi",
    type=float,
    multiple=True,
    default=(RESOLUTION_PPI,),
    show_default=True,
    help="Resolution; once for all folders, or once for each.",
)


@click.group()
def bench() -> None:
    """Measure accuracy and speed."""


@bench.command()
@config_option
@data_option
@ppi_option
@output_options
def finger(
    config_path: Path | None,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Extract all prints and compare all pairs of each folder.

    A score at or above the threshold is a match. A pair with a print that gives no
    template scores 0. Folders may share fingers: no pair goes across folders.
    """
    from edge.bench import finger_plot
    from edge.bench.finger import mean_report, measure_fingers
    from edge.bench.print_folder import read_folder

    require_writable(json_out, plot_out)
    sets = {
        name: read_folder(folder, resolution)
        for name, folder, resolution in zip(
            _names(folders), folders, one_each(ppi, folders), strict=True
        )
    }
    _, methods = engine_and_methods(config_path)
    with progress_bar(json_out) as progress:
        measured = {
            name: measure_fingers(
                impressions, methods, threads=threads, progress=progress
            )
            for name, impressions in sets.items()
        }
    reports = {name: measurement.report() for name, measurement in measured.items()}
    mean = mean_report(list(reports.values()))
    [*_, last] = reports.values()
    write_json(last if len(reports) == 1 else {"sets": reports, "mean": mean}, json_out)
    if plot_out:
        finger_plot.draw(measured, plot_out)
    if json_out != STANDARD_OUTPUT:
        show_fingers(reports, mean)


@bench.command()
@config_option
@data_option
@click.option(
    "--labels",
    "labels_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    metavar="CSV",
    help="Columns set, image, ppi_given, nfiq2.",
)
@output_options
def quality(
    config_path: Path | None,
    folders: tuple[Path, ...],
    labels_path: Path,
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Compare our quality with labels, and see what it foretells.

    DIR is a labelled set or a folder of such sets, by the folder's name.
    """
    from edge.bench import quality_plot
    from edge.bench.quality import measure_quality
    from edge.bench.quality_labels import labelled_sets, read_labels

    require_writable(json_out, plot_out)
    sets = labelled_sets(folders, read_labels(labels_path))
    methods = _quality_methods(config_path)
    with progress_bar(json_out) as progress:
        measured = measure_quality(sets, methods, threads=threads, progress=progress)
    report = measured.report()
    write_json(report, json_out)
    if plot_out:
        quality_plot.draw(measured, plot_out)
    if json_out != STANDARD_OUTPUT:
        show_quality(report)


@bench.command()
@config_option
@data_option
@ppi_option
@click.option("--seed", type=int, default=1, show_default=True, help="Of the fingers.")
@output_options
def synthetic(
    config_path: Path | None,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    seed: int,
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Compare invented templates with those of real prints, and their scores.

    Each folder is a set: pairs are made within it only.
    """
    from edge.bench import synthetic as bench_synthetic
    from edge.bench.progress import mapped

    require_writable(json_out, plot_out)
    engine, _ = engine_and_methods(config_path)
    places = list(zip(folders, one_each(ppi, folders), strict=True))
    with progress_bar(json_out) as progress:
        real = mapped(
            lambda place: bench_synthetic.extracted_set(engine, *place),
            places,
            threads=threads,
            progress=progress,
            text="extracting folders",
        )
        generated = bench_synthetic.invented_sets(seed)
    measured = bench_synthetic.measure(real, generated)
    write_json(measured, json_out)
    if plot_out:
        bench_synthetic.plot(measured, plot_out)
    if json_out != STANDARD_OUTPUT:
        show_synthetic(measured)


def _quality_methods(config_path: Path | None) -> QualityMethods:
    from edge.bench.quality import QualityMethods
    from edge.recognition.fingerprint.image import at_500_ppi
    from edge.recognition.fingerprint.quality import preview

    engine, comparison = engine_and_methods(config_path)
    return QualityMethods(
        preview=lambda s: preview(at_500_ppi(s.image, s.resolution_ppi)).score,
        assess=lambda s: engine.assess(s).score,
        comparison=comparison,
    )


def engine_and_methods(
    config_path: Path | None,
) -> tuple[FingerprintEngine, FingerMethods[Any]]:
    from edge.bench.finger import FingerMethods

    config = _one_thread_each(load(config_path))
    prepare_kernels(config)
    from edge.recognition.fingerprint.comparison import compare, prepare
    from edge.records.template import encode_template

    engine = fingerprint_engine(config)
    return engine, FingerMethods(engine, prepare, compare, encode_template)


def _one_thread_each(config: Config) -> Config:
    """Let the network use one thread: the benchmark's threads share out the prints."""
    models = config.models.model_copy(update={"threads": 1})
    return config.model_copy(update={"models": models})


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' last names, or the whole paths if two are alike."""
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) == len(names):
        return names
    paths = [str(folder.resolve()) for folder in folders]
    if len(set(paths)) < len(paths):
        raise InputError("--data: the same folder is given twice; give it once")
    return paths


def one_each(ppi: Sequence[float], folders: Sequence[Path]) -> Sequence[float]:
    if len(ppi) not in {1, len(folders)}:
        raise InputError(
            f"--ppi: {len(ppi)} values for {len(folders)} folders; "
            "give one for all, or one for each in the same order"
        )
    return ppi if len(ppi) == len(folders) else list(ppi) * len(folders)
