"""`edge enrol`: put a person on the watchlist, from images and minutiae records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from edge.cli.context import config_option, load
from edge.clock import SystemClock
from edge.errors import InputError
from edge.terms import ChangeOperation, DraftChange, FingerPosition, WatchlistEntry

if TYPE_CHECKING:
    from edge.config import Config
    from edge.terms import Reference

POSITIONS = ", ".join(f"{p.value} {p.name.lower()}" for p in FingerPosition)


@click.command(epilog=f"A print's finger position may follow its name: {POSITIONS}.")
@click.option("--name", default=None, help="Name, as the officer should see it.")
@click.option("--id", "entry_id", default=None, help="Entry id; invented if left out.")
@click.option("--category", default="person of interest")
@click.option("--originator", default="local")
@click.option("--handling-code", default="restricted")
@click.option("--legal-basis", default="not stated")
@click.option("--instruction", default="Refer to the duty officer.")
@click.option("--expires", type=click.DateTime(), default=None, help="UTC.")
@click.option("--finger", "fingers", multiple=True, metavar="FILE[:POSITION]")
@click.option("--face", "faces", multiple=True, type=click.Path(path_type=Path))
@click.option("--ppi", type=float, default=500.0, help="Resolution of the prints.")
@config_option
def enrol(  # noqa: PLR0913  one parameter an option
    *,
    name: str | None,
    entry_id: str | None,
    category: str,
    originator: str,
    handling_code: str,
    legal_basis: str,
    instruction: str,
    expires: datetime | None,
    fingers: tuple[str, ...],
    faces: tuple[Path, ...],
    ppi: float,
    config_path: Path | None,
) -> None:
    """Put a person on the watchlist.

    On a machine with a [hub] section the entry goes into the hub's log and to every
    booth; elsewhere it goes onto this booth's own list. Images too poor to search with
    are refused. A --finger may be a minutiae record (ISO 19794-2, ANSI 378) instead of
    an image: each of its views becomes a reference.
    """
    from edge.services.keeper import open_keeper  # noqa: PLC0415  slow to load

    if not fingers and not faces:
        message = "nothing to enrol: give at least one --finger or --face"
        raise InputError(message)
    entry = WatchlistEntry(
        entry_id=entry_id or uuid4().hex,
        version=1,
        category=category,
        originator=originator,
        handling_code=handling_code,
        legal_basis=legal_basis,
        instruction=instruction,
        valid_from=SystemClock().now(),
        expires_at=None if expires is None else expires.replace(tzinfo=UTC),
        name=name,
    )
    config = load(config_path)
    references, images = _references(config, entry.entry_id, fingers, faces, ppi)
    with open_keeper(config) as keeper:
        draft = DraftChange(
            ChangeOperation.ADD, entry.entry_id, entry, tuple(references)
        )
        keeper.change([draft], images)
        where = keeper.name
    click.echo(
        f"{entry.entry_id} enrolled at this {where} with {len(references)} references"
    )


def _references(
    config: Config,
    entry_id: str,
    fingers: tuple[str, ...],
    faces: tuple[Path, ...],
    ppi: float,
) -> tuple[list[Reference], dict[str, bytes]]:
    """Return the references, and the images that they were made of by their ids."""
    from edge.interchange.record_file import (  # noqa: PLC0415  slow to load
        is_record_file,
    )

    placed = [_placed(text) for text in fingers]
    records = [item for item in placed if is_record_file(item[0])]
    prints = [item for item in placed if item not in records]
    references = [
        reference
        for path, place in records
        for reference in _record_references(entry_id, path, place)
    ]
    images: dict[str, bytes] = {}
    if prints or faces:
        made, images = _image_references(config, entry_id, prints, faces, ppi)
        references += made
    return references, images


def _record_references(
    entry_id: str, path: Path, place: FingerPosition
) -> list[Reference]:
    from edge.interchange.record_file import (  # noqa: PLC0415  slow to load
        read_record_file,
    )
    from edge.services.enrolment import record_references  # noqa: PLC0415

    read = read_record_file(path, lenient=True)
    for warning in read.warnings:
        click.echo(f"edge: taken all the same: {warning}", err=True)
    return record_references(entry_id, read.record, position=place, origin=str(path))


def _image_references(
    config: Config,
    entry_id: str,
    prints: list[tuple[Path, FingerPosition]],
    faces: tuple[Path, ...],
    ppi: float,
) -> tuple[list[Reference], dict[str, bytes]]:
    from edge.recognition.fingerprint.image import (  # noqa: PLC0415  slow to load
        read_finger_image,
    )
    from edge.recognition.image_encoding import encode_png  # noqa: PLC0415
    from edge.recognition.image_file import read_rgb_image  # noqa: PLC0415
    from edge.services.enrolment import (  # noqa: PLC0415
        face_reference,
        finger_reference,
    )
    from edge.services.wiring import enrolment_engines  # noqa: PLC0415

    finger_images = [
        (path, read_finger_image(path, ppi), place) for path, place in prints
    ]
    portraits = [(path, read_rgb_image(path)) for path in faces]
    engines = enrolment_engines(config)
    of_fingers = [
        finger_reference(
            engines, entry_id, image, ppi=ppi, position=place, origin=str(path)
        )
        for path, image, place in finger_images
    ]
    of_faces = [
        face_reference(engines, entry_id, image, origin=str(path))
        for path, image in portraits
    ]
    pixels = [image for _, image, _ in finger_images] + [im for _, im in portraits]
    references = of_fingers + of_faces
    images = {
        reference.reference_id: encode_png(image)
        for reference, image in zip(references, pixels, strict=True)
    }
    return references, images


def _placed(text: str) -> tuple[Path, FingerPosition]:
    name, colon, code = text.rpartition(":")
    if not colon or not code.isdecimal():
        return Path(text), FingerPosition.UNKNOWN
    try:
        return Path(name), FingerPosition(int(code))
    except ValueError as error:
        message = f"{text}: finger position {code}; allowed are {POSITIONS}"
        raise InputError(message) from error
