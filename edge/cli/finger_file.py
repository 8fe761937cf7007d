"""A print from a file: an image, a minutiae record, or a template record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click
import numpy as np

from edge.clock import SystemClock
from edge.errors import InputError
from edge.interchange.record_file import is_record_file, read_record_file
from edge.interchange.template_conversion import template_of
from edge.recognition.fingerprint.image import at_500_ppi, read_finger_image
from edge.recognition.fingerprint.packed import MOST_MINUTIAE
from edge.records.template import MAGIC, RECORD_LIMIT, decode_template
from edge.terms import FingerPosition, FingerprintSample, FingerprintTemplate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.ports import FingerprintRecognition


@dataclass(frozen=True, eq=False)
class FingerFile:
    """What was found in a file.

    template: the minutiae that a comparison looks at, its strongest ones. image: at 500
    ppi, None for a record. quality: 0 to 100, None for what states none.
    """

    template: FingerprintTemplate
    image: NDArray[np.uint8] | None
    quality: int | None
    caption: str


def read_finger_file(
    path: Path, ppi: float, engine: Callable[[], FingerprintRecognition]
) -> FingerFile:
    """Read the file, whatever it is; engine: made only if there is an image.

    Raises:
        InputError: the file cannot be read, or holds no one print.
    """
    if is_record_file(path):
        template, quality = _from_minutiae_record(path)
        return _found(path, template, None, quality)
    if _begins_with(path, MAGIC):
        return _found(path, _from_template_record(path), None, None)
    sample = FingerprintSample(
        image=read_finger_image(path, ppi),
        resolution_ppi=ppi,
        position=FingerPosition.UNKNOWN,
        captured_at=SystemClock().now(),
    )
    recognition = engine()
    quality = recognition.assess(sample).score
    image = at_500_ppi(sample.image, ppi)
    return _found(path, recognition.extract(sample), image, quality)


def _found(
    path: Path,
    template: FingerprintTemplate,
    image: NDArray[np.uint8] | None,
    quality: int | None,
) -> FingerFile:
    parts = [path.name, f"{len(template)} minutiae"]
    if quality is not None:
        parts.append(f"quality {quality}")
    return FingerFile(_strongest(template), image, quality, ", ".join(parts))


def _strongest(template: FingerprintTemplate) -> FingerprintTemplate:
    """Return the template with as many minutiae as a comparison looks at."""
    order = np.argsort(-template.quality.astype(np.int16), kind="stable")
    kept = np.sort(order[:MOST_MINUTIAE])
    columns = ("x", "y", "angle_rad", "kind", "quality")
    return replace(
        template, **{name: getattr(template, name)[kept] for name in columns}
    )


def _from_minutiae_record(path: Path) -> tuple[FingerprintTemplate, int | None]:
    read = read_record_file(path, lenient=True)
    for warning in read.warnings:
        click.echo(f"edge: taken all the same: {warning}", err=True)
    views = read.record.views
    if len(views) != 1:
        raise InputError(f"{path}: {len(views)} finger views; give a record of one")
    stated = [quality.value for quality in views[0].qualities]
    quality = next((value for value in stated if 0 <= value <= 100), None)
    return template_of(views[0], str(path)), quality


def _from_template_record(path: Path) -> FingerprintTemplate:
    try:
        with path.open("rb") as file:
            template = decode_template(file.read(RECORD_LIMIT + 1))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if not isinstance(template, FingerprintTemplate):
        raise InputError(f"{path}: the template of a face; give one of a finger")
    return template


def _begins_with(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except (OSError, ValueError):
        return False
