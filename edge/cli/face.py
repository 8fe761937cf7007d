"""edge face: try detection and comparison on image files, and calibrate scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cv2

from edge.cli.context import config_option, load
from edge.errors import InputError
from edge.recognition.face import quality
from edge.recognition.face.calibration import to_json
from edge.recognition.face.calibration_run import count, embed_folder
from edge.recognition.face.quality_geometry import most_prominent
from edge.recognition.image_file import read_rgb_image
from edge.services.wiring import face_engine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Face
    from edge.terms import Quality

DEFAULT_FALSE_MATCH_RATE = 1e-3
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_BOX_COLOUR = (0, 255, 0)
_POINT_COLOUR = (0, 0, 255)


@click.group()
def face() -> None:
    """Find and compare faces in image files."""


@face.command()
@config_option
@click.argument("image", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the image with faces drawn."
)
def detect(
    config_path: Path | None, image: Path, out: Path | None, *, as_json: bool
) -> None:
    """Find the faces in IMAGE and say how good the largest centred one is."""
    pixels = read_rgb_image(image)
    engine = face_engine(load(config_path))
    faces = engine.detect(pixels)
    chosen = most_prominent(faces, *pixels.shape[:2]) if faces else 0
    assessed = (
        quality.assess(pixels, faces, chosen) if faces else engine.no_face(pixels)
    )
    if out is not None:
        _write_drawing(out, pixels, faces)
    if as_json:
        click.echo(json.dumps(_as_json(faces, assessed)))
        return
    click.echo(f"{len(faces)} face{'' if len(faces) == 1 else 's'}")
    for number, found in enumerate(faces, 1):
        x1, y1, x2, y2 = (round(float(edge)) for edge in found.box)
        click.echo(
            f"  {number}: {x2 - x1}x{y2 - y1} px at {x1},{y1}, "
            f"{found.inter_eye_px:.0f} px between the eyes"
        )
    click.echo(f"quality {assessed.score}{_because(assessed)}")
    if assessed.instruction is not None:
        click.echo(f"for the traveller: {assessed.instruction.replace('_', ' ')}")


@face.command()
@config_option
@click.argument("first", type=_FILE)
@click.argument("second", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--max-fmr",
    type=click.FloatRange(0, 1, min_open=True),
    default=DEFAULT_FALSE_MATCH_RATE,
    show_default=True,
    help="Highest false match rate that counts as a match.",
)
def compare(
    config_path: Path | None,
    first: Path,
    second: Path,
    max_fmr: float,
    *,
    as_json: bool,
) -> None:
    """Compare the faces nearest to the middle of FIRST and SECOND."""
    engine = face_engine(load(config_path))
    templates = []
    for path in (first, second):
        template = engine.embed_central_face(read_rgb_image(path))
        if template is None:
            raise InputError(f"{path}: no face found; give an upright, frontal face")
        templates.append(template)
    score = engine.compare(*templates)
    is_match = score.false_match_rate <= max_fmr
    if as_json:
        result = {
            "similarity": score.value,
            "false_match_rate": score.false_match_rate,
            "max_false_match_rate": max_fmr,
            "match": is_match,
            "model_id": templates[0].model_id,
        }
        click.echo(json.dumps(result))
        return
    decision = "possible match" if is_match else "no match"
    click.echo(f"{decision}: {_one_in(score.false_match_rate)}")
    click.echo(f"similarity {score.value:.3f}, asked for {_one_in(max_fmr)}")


@face.command()
@config_option
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the table here.")
def calibrate(config_path: Path | None, folder: Path, out: Path | None) -> None:
    """Count false match rates on FOLDER, images named PERSON_NUMBER.jpg."""
    engine = face_engine(load(config_path))
    faces = embed_folder(engine, folder)
    calibration, errors = count(faces)
    click.echo(
        f"{len(faces.persons)} faces, {len(faces.without_face)} images without, "
        f"{calibration.comparisons} non-mated and {errors.mated} mated pairs"
    )
    for rate, missed in errors.false_non_match_rates.items():
        click.echo(
            f"  at false match rate {rate:g}: {missed:.2%} of mated pairs missed"
        )
    if out is not None:
        try:
            out.write_text(to_json(calibration) + "\n", "utf-8")
        except OSError as error:
            raise InputError(f"{out}: cannot be written: {error.strerror}") from error


def _as_json(faces: list[Face], assessed: Quality) -> dict[str, object]:
    return {
        "faces": [
            {
                "box": [round(float(v), 1) for v in found.box],
                "points": [[round(float(v), 1) for v in p] for p in found.points],
                "confidence": round(found.confidence, 4),
            }
            for found in faces
        ],
        "quality": {
            "score": assessed.score,
            "sufficient": assessed.is_sufficient,
            "reasons": [reason.value for reason in assessed.reasons],
            "instruction": assessed.instruction,
            "measures": {k: round(v, 4) for k, v in assessed.measures.items()},
        },
    }


def _because(assessed: Quality) -> str:
    reasons = ", ".join(reason.value.replace("_", " ") for reason in assessed.reasons)
    return f": {reasons}" if reasons else ", sufficient"


def _one_in(rate: float) -> str:
    return f"one false match in {round(1 / rate):,} comparisons"


def _write_drawing(out: Path, pixels: NDArray[np.uint8], faces: list[Face]) -> None:
    canvas = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    for found in faces:
        x1, y1, x2, y2 = (round(float(edge)) for edge in found.box)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), _BOX_COLOUR, 2)
        for x, y in found.points:
            cv2.circle(canvas, (round(float(x)), round(float(y))), 2, _POINT_COLOUR, -1)
    try:
        is_written = cv2.imwrite(str(out), canvas)
    except cv2.error as error:
        raise InputError(f"{out}: no image format; name it .png") from error
    if not is_written:
        raise InputError(f"{out}: cannot be written; check the folder and the space")
