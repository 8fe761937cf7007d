"""edge calibration: what scores mean, and what a threshold costs the travellers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.bench.calibration_plot import draw, false_positive_rate
from edge.cli.bench_output import (
    STANDARD_OUTPUT,
    json_option,
    plot_option,
    progress_bar,
    require_writable,
    show,
    threads_option,
    write_json,
)
from edge.cli.context import config_option, fingerprint_engine, load
from edge.errors import InputError
from edge.recognition.fingerprint.calibration import (
    LOWEST_RATE,
    TABLE,
    TemplateSource,
    committed_file,
)
from edge.recognition.fingerprint.image import RESOLUTION_PPI
from edge.recognition.likelihood_tables import TABLE as LIKELIHOODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.bench.finger_calibration import Plan
    from edge.recognition.fingerprint.calibration import Calibration
    from edge.recognition.fingerprint.training_set import TrainingPrint

# What makes a calibration is imported by the commands that do: `show` needs none of it.
# ruff: noqa: PLC0415

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
GALLERIES = (1, 1_000, 10_000, 180_000, 1_000_000)
FPIR_TARGETS = (1e-2, 1e-3)
FPIR_GALLERIES = (10_000, 180_000, 1_000_000)
INVENTED_FINGERS = 10_000
_FILE = click.Path(dir_okay=False, path_type=Path)


def prints_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --data, --ppi, --same-fingers and --config."""
    for option in (
        click.option(
            "--same-fingers",
            nargs=2,
            multiple=True,
            metavar="SET SET",
            help="Two sets that share fingers: no pairs across them.",
        ),
        click.option(
            "--ppi",
            type=float,
            multiple=True,
            default=(RESOLUTION_PPI,),
            show_default=True,
            help="Resolution; once for all folders, or once for each.",
        ),
        click.option(
            "--data",
            "folders",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            multiple=True,
            required=True,
            metavar="DIR",
            help="Folder of <finger>_<impression>.<png|tif|bmp>; may be given again.",
        ),
        config_option,
    ):
        command = option(command)
    return command


@click.group()
def calibration() -> None:
    """Show what comparison scores mean, make it anew, test it."""


@calibration.command(name="show")
@plot_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_calibration(plot_out: Path | None, *, as_json: bool) -> None:
    """Show thresholds of false match rates, and the false alarms that follow.

    A score at or above the threshold is a match. The false alarms are those of one
    comparison with each reference of the gallery.
    """
    require_writable(None, plot_out)
    file = committed_file()
    report = {
        "model_id": file.model_id,
        "engine": file.engine,
        "method": file.method,
        "tables": {
            source.value: _table(table) for source, table in file.tables.items()
        },
        "checks": file.checks,
    }
    if plot_out:
        draw(file.tables, LOWEST_RATE, GALLERIES[1:], plot_out)
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    for source, table in file.tables.items():
        _show(source, table)


@calibration.command()
@prints_options
@threads_option
@click.option(
    "--invented",
    type=click.IntRange(1_000, 100_000),
    default=INVENTED_FINGERS,
    show_default=True,
    help="Invented fingers; time grows with their square.",
)
@click.option("--out", type=_FILE, default=Path(TABLE), show_default=True)
def make(
    *,
    config_path: Path | None,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    same_fingers: tuple[tuple[str, str], ...],
    threads: int,
    invented: int,
    out: Path,
) -> None:
    """Compare millions of non-mated pairs and write the calibration file."""
    from edge.bench.finger_calibration import Plan
    from edge.bench.finger_calibration import make as made

    require_writable(str(out), None)
    shared = [frozenset(two) for two in same_fingers]
    with progress_bar(None) as progress:
        plan = Plan(invented, shared, threads, progress)
        prints = _prints(config_path, folders, ppi, plan)
        file = made(prints, plan)
    _write(out, file.to_json())
    for source, table in file.tables.items():
        _show(source, table)
    click.echo(f"{out} written")


@calibration.command()
@prints_options
@threads_option
@click.option("--out", type=_FILE, default=Path(LIKELIHOODS), show_default=True)
def ratios(
    *,
    config_path: Path | None,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    same_fingers: tuple[tuple[str, str], ...],
    threads: int,
    out: Path,
) -> None:
    """Count what mated prints say for a mate and write the file of likelihood ratios.

    It belongs to the false match calibration; make it again after that one. Faces need
    none: their calibration says what it takes.
    """
    from edge.bench.finger_calibration import Plan
    from edge.bench.likelihood_run import make as made

    require_writable(str(out), None)
    shared = [frozenset(two) for two in same_fingers]
    with progress_bar(None) as progress:
        prints = _prints(config_path, folders, ppi, Plan(0, shared, threads, progress))
        file = made(prints, threads, progress)
    _write(out, file.to_json())
    table = file.table()
    for rarity, ratio in zip(table.rarities, table.log_ratios, strict=True):
        click.echo(f"false match rate 1e-{rarity:.2f}: log10 LR {ratio:+.2f}")
    click.echo(f"{out} written")


@calibration.command()
@prints_options
@json_option
@threads_option
def check(
    *,
    config_path: Path | None,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    same_fingers: tuple[tuple[str, str], ...],
    json_out: str | None,
    threads: int,
) -> None:
    """Count the non-mated pairs of other prints that reach the stated thresholds."""
    from edge.bench.finger_calibration import Plan
    from edge.bench.finger_calibration import check as checked

    require_writable(json_out, None)
    file = committed_file()
    shared = [frozenset(two) for two in same_fingers]
    with progress_bar(json_out) as progress:
        plan = Plan(0, shared, threads, progress)
        prints = _prints(config_path, folders, ppi, plan)
        report = checked(prints, plan, file.tables)
    write_json(report, json_out)
    if json_out != STANDARD_OUTPUT:
        _show_check(report)


def _prints(
    config_path: Path | None,
    folders: tuple[Path, ...],
    ppi: tuple[float, ...],
    plan: Plan,
) -> list[TrainingPrint]:
    from edge.bench.finger_calibration import read_prints

    if len(ppi) not in {1, len(folders)}:
        raise InputError(
            f"--ppi: {len(ppi)} resolutions for {len(folders)} folders; give one, or "
            "one for each"
        )
    each = ppi * len(folders) if len(ppi) == 1 else ppi
    engine = fingerprint_engine(load(config_path))
    by_folder = dict(zip(folders, each, strict=True))
    return read_prints(engine, by_folder, plan.threads, plan.progress)


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="ascii")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from error


def _table(table: Calibration) -> dict[str, Any]:
    return {
        "source": table.source,
        "pairs": table.pairs,
        "real_pairs": table.real_pairs,
        "counted_on_real_pairs_to": table.real_to,
        "counted_on_invented_pairs_to": table.generated_to,
        "lowest_measured_rate": table.false_match_rate(table.generated_to),
        "thresholds": [_line(table, rate) for rate in RATES if rate >= LOWEST_RATE],
        "threshold_for_fpir": {
            f"{target:g}": {
                str(size): table.threshold_for_fpir(target, size)
                for size in FPIR_GALLERIES
            }
            for target in FPIR_TARGETS
        },
    }


def _line(table: Calibration, rate: float) -> dict[str, Any]:
    threshold = table.threshold(rate)
    low, high = table.band(threshold)
    return {
        "false_match_rate": rate,
        "threshold": threshold,
        "rate_low": low,
        "rate_high": high,
        "is_extrapolated": threshold > table.generated_to,
        "is_counted_on_real_pairs": threshold <= table.real_to,
        "travellers_per_false_alarm": {
            str(size): 1 / false_positive_rate(rate, size) for size in GALLERIES
        },
    }


def _show(source: TemplateSource, calibration: Calibration) -> None:
    report = _table(calibration)
    name = "our templates" if source is TemplateSource.OURS else "a foreign template"
    click.echo(
        f"{name}: {report['pairs']:,} comparisons, {report['real_pairs']:,} real"
    )
    click.echo("One false alarm in so many travellers, by references in the gallery:")
    table = Table(box=None)
    sizes = (f"{size:,}" for size in GALLERIES)
    for heading in ("FMR", "threshold", "95 % band of the FMR", *sizes):
        table.add_column(heading, justify="right")
    for line in report["thresholds"]:
        table.add_row(
            f"{line['false_match_rate']:.0e}",
            f"{line['threshold']:.4f}{_mark(line)}",
            f"{line['rate_low']:.1e} to {line['rate_high']:.1e}",
            *(
                f"{n:,.{1 if n < 100 else 0}f}"
                for n in line["travellers_per_false_alarm"].values()
            ),
        )
    show(table)
    for target, by_size in report["threshold_for_fpir"].items():
        each = ", ".join(f"{float(t):.4f} at {int(n):,}" for n, t in by_size.items())
        click.echo(f"threshold for FPIR {target}: {each}")
    lowest = report["lowest_measured_rate"]
    click.echo("+ counted on invented pairs, moved to where real ones were counted")
    click.echo(f"* extrapolated: no rate below {lowest:.1g} was measured\n")


def _mark(line: dict[str, Any]) -> str:
    if line["is_extrapolated"]:
        return " *"
    return "  " if line["is_counted_on_real_pairs"] else " +"


def _show_check(report: dict[str, Any]) -> None:
    table = Table(box=None)
    for heading in ("templates", "pairs", "", "FMR", "expected", "beyond"):
        table.add_column(heading, justify="right")
    for source, parts in report.items():
        for part, lines in parts.items():
            for rate, line in lines["at"].items():
                row = (source, part, f"{lines['pairs']:,}", rate)
                table.add_row(*row, f"{line['expected']:,}", f"{line['beyond']:,}")
    show(table)
