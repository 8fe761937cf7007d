"""edge bench fusion: what finger and face together find that fingers alone miss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    output_options,
    percent,
    progress_bar,
    require_writable,
    show,
    write_json,
)
from edge.cli.context import config_option, load
from edge.recognition.fingerprint.image import RESOLUTION_PPI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edge.config import Config
    from edge.recognition.face.engine import FaceEngine

# The benchmark and the engines that it measures are imported when it is called.
# ruff: noqa: PLC0415

FACE_SETS = ("default", "better")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@config_option
@click.option(
    "--fingers",
    "finger_folder",
    type=_FOLDER,
    required=True,
    metavar="DIR",
    help="Folder of <finger>_<impression>.<png|tif|bmp>.",
)
@click.option("--ppi", type=float, default=RESOLUTION_PPI, show_default=True)
@click.option(
    "--faces",
    "face_folder",
    type=_FOLDER,
    required=True,
    metavar="DIR",
    help="Folder of <person>_<image>.<jpg|png>.",
)
@click.option(
    "--set",
    "names",
    type=click.Choice(FACE_SETS),
    multiple=True,
    default=FACE_SETS,
    show_default=True,
    help="The networks of the faces; repeatable.",
)
@click.option(
    "--persons",
    type=click.IntRange(2),
    default=1000,
    show_default=True,
    help="At most so many subjects; there are no more than fingers.",
)
@click.option("--pairings", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option(
    "--poorest",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Search with this share of the prints, of the lowest quality.",
)
@output_options
def fusion(  # noqa: PLR0913  one argument an option
    *,
    config_path: Path | None,
    finger_folder: Path,
    ppi: float,
    face_folder: Path,
    names: tuple[str, ...],
    persons: int,
    pairings: int,
    poorest: float,
    json_out: str | None,
    plot_out: Path | None,
    threads: int,
) -> None:
    """Pair prints and faces of two folders at random and search with both.

    A list of as many subjects as there are fingers; FPIR is counted on searches of
    subjects that are not on it. If the likelihood ratios of fingerprints were counted
    on this folder, among others, it is left out of them.
    """
    from edge.bench import fusion_plot
    from edge.bench.face_folder import read_face_folder
    from edge.bench.fusion import FusionPlan, measure
    from edge.bench.fusion_samples import face_samples, finger_samples
    from edge.bench.print_folder import read_folder
    from edge.cli.bench import engine_and_methods
    from edge.recognition.evidence_fusion import EvidenceFusion
    from edge.recognition.likelihood_tables import committed_fingers, of_faces

    require_writable(json_out, plot_out)
    impressions = read_folder(finger_folder, ppi)
    images = read_face_folder(face_folder)
    engine, _ = engine_and_methods(config_path)
    name, ratios = finger_folder.resolve().name, committed_fingers()
    report: dict[str, Any] = {
        "finger_set": name,
        "face_set": face_folder.resolve().name,
        "poorest": poorest,
        "likelihood_ratios_counted_on": [one for one in ratios.sets if one != name],
        "left_out_of_likelihood_ratios": name if name in ratios.sets else None,
        "false_match_calibration": "as committed; no set is left out of it",
        "face_sets": {},
    }
    with progress_bar(json_out) as progress:
        fingers = finger_samples(impressions, engine, poorest, threads, progress)
        for set_name, face_engine in _engines(load(config_path), names):
            faces = face_samples(images, face_engine, threads, progress)
            tables = {
                fingers.kind: ratios.table(without=name),
                faces.kind: of_faces(faces.kind),
            }
            plan = FusionPlan(persons, pairings, progress)
            fused = EvidenceFusion(tables)
            report["face_sets"][set_name] = measure(fingers, faces, fused, plan)
    write_json(report, json_out)
    if plot_out:
        fusion_plot.draw(report, plot_out)
    if json_out != STANDARD_OUTPUT:
        _show(report)


def _engines(
    config: Config, names: tuple[str, ...]
) -> Iterator[tuple[str, FaceEngine]]:
    from edge.services.wiring import face_engine

    for name in names:
        models = config.models.model_copy(update={"threads": 1, "face": name})
        yield name, face_engine(config.model_copy(update={"models": models}))


def _show(report: Mapping[str, Any]) -> None:
    for name, measured in report["face_sets"].items():
        click.echo(
            f"{name}: {measured['subjects']} subjects, {measured['mated_searches']:,}"
            " searches of each kind"
        )
    click.echo("FNIR in percent, and its 95 % interval over fingers:")
    table = Table(box=None)
    for heading in ("faces", "at", "fingers", "face", "fused", "sequential"):
        table.add_column(heading, justify="right")
    for name, measured in report["face_sets"].items():
        stated = measured["fnir_at_stated_rates"]
        where = f"stated rates, {stated['persons']:,} persons"
        rows = {
            **{f"FPIR {r}": ways for r, ways in measured["fnir_at_fpir"].items()},
            where: {k: v for k, v in stated.items() if isinstance(v, dict)},
        }
        for at, ways in rows.items():
            table.add_row(name, at, *map(_interval, ways.values()))
    show(table)


def _interval(value: Mapping[str, float]) -> str:
    low, high = percent(value["low"]), percent(value["high"])
    return f"{percent(value['fnir'])} ({low} to {high})"
