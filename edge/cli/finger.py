"""edge finger: try extraction and comparison on image files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cv2

from edge.cli.context import config_option, fingerprint_engine, load
from edge.cli.finger_compare import compare
from edge.cli.finger_records import export_record, show_record
from edge.clock import SystemClock
from edge.errors import InputError
from edge.recognition.fingerprint.image import (
    RESOLUTION_PPI,
    at_500_ppi,
    read_finger_image,
)
from edge.terms import FingerPosition, FingerprintSample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.terms import FingerprintTemplate, Quality

_FILE = click.Path(path_type=Path)
_ENDING_COLOUR = (0, 0, 255)
_BIFURCATION_COLOUR = (255, 128, 0)
_TICK_PX = 10
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
ppi_option = click.option(
    "--ppi", type=float, default=RESOLUTION_PPI, show_default=True, help="Resolution."
)


@click.group()
def finger() -> None:
    """Look into the fingerprint engine."""


finger.add_command(compare)
finger.add_command(export_record)
finger.add_command(show_record)


@finger.command()
@config_option
@click.argument("image", type=_FILE)
@ppi_option
@json_option
def extract(
    config_path: Path | None, image: Path, ppi: float, *, as_json: bool
) -> None:
    """Show the quality and the minutiae of IMAGE."""
    sample = _sample(image, ppi)
    engine = fingerprint_engine(load(config_path))
    quality, template = engine.assess(sample), engine.extract(sample)
    if as_json:
        click.echo(json.dumps(_extracted(quality, template)))
        return
    reasons = ", ".join(reason.value for reason in quality.reasons) or "none"
    verdict = "sufficient" if quality.is_sufficient else "too poor to search with"
    click.echo(f"quality {quality.score} of 100, {verdict}; reasons: {reasons}")
    click.echo(f"{len(template)} minutiae at 500 ppi, strongest first")
    for minutia in _minutiae(template):
        click.echo(
            f"  {minutia['kind']:<11} x {minutia['x']:4} y {minutia['y']:4} "
            f"{minutia['angle_deg']:5.1f} deg  quality {minutia['quality']}"
        )


@finger.command()
@config_option
@click.argument("image", type=_FILE)
@ppi_option
@click.option("--out", type=_FILE, required=True, help="PNG file to write.")
def draw(config_path: Path | None, image: Path, ppi: float, out: Path) -> None:
    """Draw the minutiae of IMAGE on the print: endings red, bifurcations blue."""
    sample = _sample(image, ppi)
    template = fingerprint_engine(load(config_path)).extract(sample)
    _write_drawing(out, at_500_ppi(sample.image, ppi), template)
    click.echo(f"{out}: {len(template)} minutiae")


def _sample(path: Path, ppi: float) -> FingerprintSample:
    return FingerprintSample(
        image=read_finger_image(path, ppi),
        resolution_ppi=ppi,
        position=FingerPosition.UNKNOWN,
        captured_at=SystemClock().now(),
    )


def _extracted(quality: Quality, template: FingerprintTemplate) -> dict[str, object]:
    return {
        "quality": quality.score,
        "is_sufficient": quality.is_sufficient,
        "reasons": [reason.value for reason in quality.reasons],
        "measures": quality.measures,
        "model_id": template.model_id,
        "width_px": template.width_px,
        "height_px": template.height_px,
        "minutiae": _minutiae(template),
    }


def _minutiae(template: FingerprintTemplate) -> list[dict[str, object]]:
    return [
        {
            "kind": "ending" if template.kind[i] == 1 else "bifurcation",
            "x": int(template.x[i]),
            "y": int(template.y[i]),
            "angle_deg": round(math.degrees(float(template.angle_rad[i])), 1),
            "quality": int(template.quality[i]),
        }
        for i in range(len(template))
    ]


def _write_drawing(
    out: Path, image: NDArray[np.uint8], template: FingerprintTemplate
) -> None:
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    for i in range(len(template)):
        place = (int(template.x[i]), int(template.y[i]))
        angle = float(template.angle_rad[i])
        tip = (
            round(place[0] + _TICK_PX * math.cos(angle)),
            round(place[1] - _TICK_PX * math.sin(angle)),
        )
        is_ending = template.kind[i] == 1
        colour = _ENDING_COLOUR if is_ending else _BIFURCATION_COLOUR
        cv2.circle(canvas, place, 3, colour, 1, cv2.LINE_AA)
        cv2.line(canvas, place, tip, colour, 1, cv2.LINE_AA)
    _, data = cv2.imencode(".png", canvas)
    try:
        out.write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from error
