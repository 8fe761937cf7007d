"""edge finger export and show-record: minutiae records of the interchange standards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.context import config_option, fingerprint_engine, load
from edge.clock import SystemClock
from edge.interchange.minutiae_formats import WRITABLE_FORMATS
from edge.interchange.minutiae_record import (
    BIFURCATION,
    FIRST_VENDOR_BLOCK,
    RIDGE_ENDING,
    UNREPORTED_CODES,
    RecordFormat,
)
from edge.interchange.record_file import read_record_file, write_record_file
from edge.interchange.template_conversion import record_of
from edge.recognition.fingerprint.image import RESOLUTION_PPI, read_finger_image
from edge.terms import FingerPosition, FingerprintSample

if TYPE_CHECKING:
    from edge.interchange.minutiae_record import FingerView, MinutiaColumns

_FILE = click.Path(path_type=Path)
_KINDS = {RIDGE_ENDING: "ending", BIFURCATION: "bifurcation"}


@click.command("export")
@config_option
@click.argument("image", type=_FILE)
@click.option(
    "--format",
    "format_name",
    type=click.Choice([str(name) for name in WRITABLE_FORMATS]),
    default=str(RecordFormat.ISO_2005),
    show_default=True,
)
@click.option("--out", type=_FILE, required=True, help="File to write.")
@click.option(
    "--ppi", type=float, default=RESOLUTION_PPI, show_default=True, help="Resolution."
)
@click.option(
    "--position",
    "code",
    type=click.IntRange(0, max(FingerPosition)),
    default=0,
    show_default=True,
    help="Finger position code.",
)
def export_record(
    *,
    config_path: Path | None,
    image: Path,
    format_name: str,
    out: Path,
    ppi: float,
    code: int,
) -> None:
    """Write the minutiae of IMAGE as a record for another maker's system."""
    sample = FingerprintSample(
        image=read_finger_image(image, ppi),
        resolution_ppi=ppi,
        position=FingerPosition(code),
        captured_at=SystemClock().now(),
    )
    engine = fingerprint_engine(load(config_path))
    quality, template = engine.assess(sample), engine.extract(sample)
    record_format = RecordFormat(format_name)
    record = record_of(template, record_format, finger_quality=quality.score)
    size = write_record_file(out, record)
    count = len(record.views[0].minutiae)
    click.echo(f"{out}: {count} minutiae, {size} bytes, {record_format}")


@click.command("show-record")
@click.argument("file", type=_FILE)
@click.option("--strict", is_flag=True, help="Refuse what deviates from the standard.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_record(*, file: Path, strict: bool, as_json: bool) -> None:
    """Show what is in the minutiae record FILE, whatever its format."""
    read = read_record_file(file, lenient=not strict)
    record = read.record
    if as_json:
        content = {
            "format": str(record.format),
            "product_owner": record.product_owner,
            "product_type": record.product_type,
            "views": [_view(view) for view in record.views],
            "warnings": list(read.warnings),
        }
        click.echo(json.dumps(content))
        return
    click.echo(f"{record.format}, {len(record.views)} views")
    for view in record.views:
        _print_view(view)
    for warning in read.warnings:
        click.echo(f"deviates: {warning}")


def _view(view: FingerView) -> dict[str, object]:
    captured_at = view.captured_at
    return {
        "position": view.position,
        "view_number": view.view_number,
        "impression": view.impression,
        "width_px": view.width_px,
        "height_px": view.height_px,
        "x_px_per_cm": view.x_px_per_cm,
        "y_px_per_cm": view.y_px_per_cm,
        "qualities": [vars(quality) for quality in view.qualities],
        "device": vars(view.device),
        "certifications": [vars(item) for item in view.certifications],
        "captured_at": None if captured_at is None else captured_at.isoformat(),
        "extended": [
            {"type": block.kind, "bytes": len(block.data)} for block in view.extended
        ],
        "minutiae": _minutiae(view.minutiae),
    }


def _minutiae(minutiae: MinutiaColumns) -> list[dict[str, object]]:
    return [
        {
            "kind": _KINDS.get(int(minutiae.kind[i]), "other"),
            "x": int(minutiae.x[i]),
            "y": int(minutiae.y[i]),
            "angle_deg": float(minutiae.angle_deg[i]),
            "quality": _quality(int(minutiae.quality[i])),
        }
        for i in range(len(minutiae))
    ]


def _quality(value: int) -> int | None:
    return None if value in UNREPORTED_CODES else value


def _print_view(view: FingerView) -> None:
    values = ", ".join(str(quality.value) for quality in view.qualities)
    click.echo(
        f"position {view.position} ({_position_name(view.position)}), view "
        f"{view.view_number}, impression {view.impression}, "
        f"quality {values or 'none'}, {view.width_px} x {view.height_px} px "
        f"at {view.x_px_per_cm} x {view.y_px_per_cm} px per cm, "
        f"{len(view.minutiae)} minutiae"
    )
    for minutia in _minutiae(view.minutiae):
        quality = minutia["quality"]
        click.echo(
            f"  {minutia['kind']:<11} x {minutia['x']:4} y {minutia['y']:4} "
            f"{minutia['angle_deg']:5.1f} deg  quality "
            f"{'not reported' if quality is None else quality}"
        )
    for block in view.extended:
        owner = "vendor's" if block.kind >= FIRST_VENDOR_BLOCK else "standard"
        click.echo(f"  {owner} block {block.kind:#06x} of {len(block.data)} bytes")


def _position_name(code: int) -> str:
    try:
        return FingerPosition(code).name.lower().replace("_", " ")
    except ValueError:
        return "not a single named finger"
