"""edge finger compare: two prints, images or minutiae records, and why they match."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.context import config_option, fingerprint_engine, load
from edge.cli.finger_file import read_finger_file
from edge.errors import InputError
from edge.recognition.fingerprint import comparison
from edge.recognition.fingerprint.calibration import (
    LOWEST_RATE,
    committed,
    source_of,
)
from edge.recognition.fingerprint.drawing import (
    MOST_NUMBERED,
    DrawnPrint,
    draw_comparison,
)
from edge.recognition.fingerprint.image import RESOLUTION_PPI
from edge.recognition.fingerprint.mirror import mirrored
from edge.recognition.image_encoding import encode_png

if TYPE_CHECKING:
    from edge.cli.finger_file import FingerFile
    from edge.terms import FingerprintTemplate

_FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class Compared:
    """pairs: indices of the minutiae of both templates, best placed first.

    is_mirrored: the prints match only with the second one mirrored; the pairs are then
    of that comparison, score and rate of the one as given.
    """

    score: float
    rate: float
    allowed: float
    is_match: bool
    is_mirrored: bool
    pairs: list[tuple[int, int]]


@click.command()
@config_option
@click.argument("first", type=_FILE)
@click.argument("second", type=_FILE)
@click.option(
    "--ppi",
    type=float,
    default=RESOLUTION_PPI,
    show_default=True,
    help="Resolution of the images.",
)
@click.option(
    "--max-fmr",
    type=click.FloatRange(0, 1, min_open=True),
    default=None,
    help="False match rate that counts as a match [default: the configured one].",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plot", type=_FILE, default=None, help="PNG file to draw both into.")
def compare(
    *,
    config_path: Path | None,
    first: Path,
    second: Path,
    ppi: float,
    max_fmr: float | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Compare the prints in FIRST and SECOND.

    Each is an image, a minutiae record (ISO/IEC 19794-2, ANSI 378) of one finger, or a
    template record of the appliance.
    """
    config = load(config_path)
    files = [
        read_finger_file(path, ppi, lambda: fingerprint_engine(config))
        for path in (first, second)
    ]
    a, b = files
    allowed = max_fmr or config.policy.finger_false_match_rate
    compared = compare_templates(a.template, b.template, allowed)
    if plot is not None:
        _draw(plot, a, b, compared)
    if as_json:
        click.echo(json.dumps(_as_json(a, b, compared)))
        return
    for line in _lines(a, b, compared):
        click.echo(line)


def compare_templates(
    first: FingerprintTemplate, second: FingerprintTemplate, allowed: float
) -> Compared:
    """Compare, and once more with the second mirrored if that gives no match.

    allowed: false match rate that counts as a match.
    """
    calibration = committed(source_of(first.model_id, second.model_id))
    threshold = calibration.threshold(allowed)
    a, b = comparison.prepare(first), comparison.prepare(second)
    score = comparison.compare(a, b)
    is_match = score >= threshold
    is_mirrored = False
    if not is_match:
        image = comparison.prepare(mirrored(second))
        is_mirrored = comparison.compare(a, image) >= threshold
        b = image if is_mirrored else b
    return Compared(
        score=score,
        rate=calibration.false_match_rate(score),
        allowed=allowed,
        is_match=is_match,
        is_mirrored=is_mirrored,
        pairs=comparison.correspondences(a, b),
    )


def _lines(first: FingerFile, second: FingerFile, compared: Compared) -> list[str]:
    decision = "possible match" if compared.is_match else "no match"
    beyond = " or more" if compared.rate <= LOWEST_RATE else ""
    counts = f"{len(first.template)} and {len(second.template)} minutiae"
    lines = [
        f"{decision}: one false alarm in {1 / compared.rate:,.0f} comparisons{beyond}",
        f"score {compared.score:.4f}, asked for one in {1 / compared.allowed:,.0f}",
        f"{len(compared.pairs)} correspondences of {counts}",
    ]
    if compared.is_mirrored:
        lines.insert(1, "the second image seems to be mirrored")
    return lines


def _as_json(
    first: FingerFile, second: FingerFile, compared: Compared
) -> dict[str, object]:
    return {
        "score": compared.score,
        "false_match_rate": compared.rate,
        "max_false_match_rate": compared.allowed,
        "match": compared.is_match,
        "mirrored": compared.is_mirrored,
        "quality": [first.quality, second.quality],
        "correspondences": [
            {"first": _minutia(first, i), "second": _minutia(second, j)}
            for i, j in compared.pairs
        ],
    }


def _minutia(file: FingerFile, i: int) -> dict[str, int]:
    template = file.template
    return {"index": i, "x": int(template.x[i]), "y": int(template.y[i])}


def _draw(
    path: Path, first: FingerFile, second: FingerFile, compared: Compared
) -> None:
    """Write the drawing.

    Raises:
        InputError: the file cannot be written.
    """
    template, image, note = second.template, second.image, ""
    if compared.is_mirrored:
        template, note = mirrored(template), " (drawn mirrored)"
        image = None if image is None else image[:, ::-1].copy()
    prints = (
        DrawnPrint(first.template, first.image, first.caption),
        DrawnPrint(template, image, second.caption + note),
    )
    legend = "ring: ridge ending; square: bifurcation; pale: without correspondence"
    if len(compared.pairs) > MOST_NUMBERED:
        legend += "; dark: correspondences beyond the numbered ones"
    lines = [*_lines(first, second, compared), legend]
    data = encode_png(draw_comparison(*prints, compared.pairs, lines))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
