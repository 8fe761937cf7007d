"""The results of the benchmarks as tables for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from edge.cli.bench_output import number, percent, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def show_fingers(
    reports: Mapping[str, Mapping[str, Any]], mean: Mapping[str, Any]
) -> None:
    click.echo("All pairs: EER, FNMR at FMR, and prints not extracted, in percent;")
    click.echo("median times of one thread, and bytes of a stored template.")
    table = Table(box=None)
    table.add_column("set", no_wrap=True)
    rates = ("EER", "at 1e-2", "1e-3", "1e-4", "zero", "failed")
    for heading in (*rates, "extract\nms", "compare\nus", "bytes"):
        table.add_column(heading, justify="right")
    shown = dict(reports) if len(reports) == 1 else {**reports, "mean": mean}
    for name, report in shown.items():
        table.add_row(
            name,
            percent(report["eer"]),
            *map(percent, report["fnmr_at_fmr"].values()),
            percent(report["zero_fmr"]),
            percent(report["failure_to_extract"]),
            number(report["extract_ms_median"]),
            number(report["compare_us_median"]),
            number(report["template_bytes_median"], 0),
        )
    show(table)


def show_quality(report: Mapping[str, Any]) -> None:
    click.echo("Rank correlation (Spearman) of native quality and label:")
    table = Table(box=None)
    table.add_column("set", no_wrap=True)
    table.add_column("preview", justify="right")
    table.add_column("with minutiae", justify="right")
    second = report["with_minutiae"]
    for name, value in report["spearman_per_set"].items():
        table.add_row(
            name, number(value, 3), number(second["spearman_per_set"][name], 3)
        )
    table.add_row(
        "all images", number(report["spearman"], 3), number(second["spearman"], 3)
    )
    show(table)
    click.echo(f"preview: {report['ms_median']:.1f} ms, median, one thread")
    for name, part in (
        ("preview", report),
        ("with minutiae", second),
        ("label", report["labels"]),
    ):
        curve = part["error_versus_discard"]
        if curve:
            _show_discards(name, curve)


def _show_discards(name: str, curve: Mapping[str, Any]) -> None:
    points = ", ".join(
        f"{percent(p['fnmr'])} without {p['discarded']:.0%}" for p in curve["points"]
    )
    click.echo(f"FNMR at FMR {curve['fmr']:g} by {name}, percent: {points}")


def show_synthetic(measured: Mapping[str, Mapping[str, Any]]) -> None:
    rates = measured["agreement"]["generated_rate_at_real_rate"]
    click.echo("Share of non-mated pairs at the score where real pairs have a rate:")
    table = Table(box=None)
    table.add_column("real", justify="right")
    table.add_column("invented", justify="right")
    for real, invented in rates.items():
        table.add_row(f"{float(real):.0e}", f"{invented:.1e}")
    show(table)


def show_searches(reports: Sequence[Mapping[str, Any]]) -> None:
    """Show one column a gallery size."""
    table = Table(box=None)
    table.add_column("persons", no_wrap=True)
    for report in reports:
        table.add_column(f"{report['persons']:,}", justify="right")
    rows: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "templates": lambda r: f"{r['templates']:,}",
        "rank 1, percent": lambda r: percent(r["rank1"]),
        "FNIR at FPIR 1e-2, percent": lambda r: _or_none(r["fnir_at_fpir"]["1e-2"]),
        "FNIR at FPIR 1e-3, percent": lambda r: _or_none(r["fnir_at_fpir"]["1e-3"]),
        "lost by the first stage, percent": lambda r: percent(r["first_stage_loss"]),
        "latency, median, ms": lambda r: number(r["latency_ms"]["median"]),
        "latency, 95th percentile, ms": lambda r: number(r["latency_ms"]["p95"]),
        "full comparisons a second, one core": lambda r: (
            f"{r['comparisons_per_s_per_core']:,.0f}"
        ),
        "gallery, bytes a template": lambda r: number(
            r["gallery_bytes_per_template"], 0
        ),
        "build, s": lambda r: number(r["build_s"]),
        "patch of 1,000 persons, s": lambda r: (
            "too few" if r["patch_s"] is None else number(r["patch_s"], 2)
        ),
    }
    for heading, cell in rows.items():
        table.add_row(heading, *map(cell, reports))
    show(table)


def _or_none(rate: float | None) -> str:
    return "too few searches" if rate is None else percent(rate)
