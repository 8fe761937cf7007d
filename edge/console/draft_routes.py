"""The API that makes drafts: a person from images, or a withdrawal.

Images are checked as for an enrolment before anything is kept: one that is too poor
makes no draft, and the answer says what is wrong with which. Only what the references
are made of is kept, decoded and written anew: nothing else of a file that was sent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

from fastapi import APIRouter, File, Form, HTTPException, UploadFile

from edge.console import models
from edge.console.access import Actor, Person
from edge.console.draft_views import draft_view
from edge.console.enrolling import ImageToEnrol
from edge.console.refusals import REFUSALS
from edge.records.console_values import DraftImage
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FingerPosition,
    Modality,
    WatchlistEntry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.console.desk import ConsoleDesk
    from edge.console.enrolling import Prepared

IMAGE_LIMIT = 8 * 1024 * 1024
IMAGES_LIMIT = 12
Short = Annotated[str, Form(min_length=1, max_length=200)]
Long = Annotated[str, Form(min_length=1, max_length=2000)]


def draft_routes(desk: ConsoleDesk) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["watchlist"], responses=REFUSALS)

    @router.post("/drafts", summary="Draft a person from images")
    def draft_person(  # noqa: PLR0913  one parameter a field of the form
        *,
        person: Actor,
        category: Short,
        originator: Short,
        handling_code: Short,
        legal_basis: Short,
        instruction: Long,
        reason: Short,
        expires_on: Annotated[str, Form(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = "",
        name: Annotated[str, Form(max_length=200)] = "",
        finger_positions: Annotated[list[int] | None, Form()] = None,
        fingers: Annotated[list[UploadFile] | None, File()] = None,
        faces: Annotated[list[UploadFile] | None, File()] = None,
        ppi: Annotated[float, Form(ge=100, le=2000)] = 500.0,
    ) -> models.DraftMade:
        now = desk.clock.now()
        entry = WatchlistEntry(
            entry_id=uuid4().hex,
            version=1,
            category=category,
            originator=originator,
            handling_code=handling_code,
            legal_basis=legal_basis,
            instruction=instruction,
            valid_from=now,
            expires_at=_day(expires_on),
            name=name or None,
        )
        images = _images(_sent(fingers), finger_positions or [], _sent(faces), ppi)
        prepared = desk.prepare(entry.entry_id, images)
        return _keep(desk, person, entry, images, prepared, reason)

    @router.post("/withdrawals", summary="Draft the withdrawal of an entry")
    def draft_withdrawal(order: models.Withdrawal, person: Actor) -> models.DraftView:
        draft_id = uuid4().hex
        change = DraftChange(ChangeOperation.WITHDRAW, order.entry_id)
        with desk.opened(person.name) as opened:
            if not opened.entries.is_current(order.entry_id):
                detail = f"entry {order.entry_id} is not on the watchlist"
                raise HTTPException(404, detail)
            opened.drafts.add(
                draft_id, change, [], reason=order.reason, at=desk.clock.now()
            )
            made = opened.drafts.draft(draft_id)
        if made is None:
            raise HTTPException(404, f"draft {draft_id}: there is none")
        return draft_view(made, person)

    return router


def _keep(
    desk: ConsoleDesk,
    person: Person,
    entry: WatchlistEntry,
    images: Sequence[ImageToEnrol],
    prepared: Sequence[Prepared],
    reason: str,
) -> models.DraftMade:
    """Keep a draft, if every image of it is good enough."""
    verdicts = [
        models.ImageVerdict(
            origin=item.origin,
            quality=item.quality,
            needed=item.needed,
            is_sufficient=item.reference is not None,
            reasons=list(item.reasons),
        )
        for item in prepared
    ]
    references = [item.reference for item in prepared if item.reference is not None]
    if len(references) < len(images):
        return models.DraftMade(draft_id=None, entry_id=entry.entry_id, images=verdicts)
    kept = [
        DraftImage(
            reference_id=item.reference.reference_id,
            modality=str(item.reference.modality),
            position=int(item.reference.position),
            quality=item.quality,
            png=item.png,
        )
        for item in prepared
        if item.reference is not None and item.png is not None
    ]
    draft_id = uuid4().hex
    change = DraftChange(ChangeOperation.ADD, entry.entry_id, entry, tuple(references))
    with desk.opened(person.name) as opened:
        opened.drafts.add(draft_id, change, kept, reason=reason, at=desk.clock.now())
    return models.DraftMade(draft_id=draft_id, entry_id=entry.entry_id, images=verdicts)


def _sent(files: list[UploadFile] | None) -> list[UploadFile]:
    """Return the files that were chosen; an empty field of a form sends one of none."""
    return [file for file in files or [] if file.filename]


def _images(
    fingers: Sequence[UploadFile],
    positions: Sequence[int],
    faces: Sequence[UploadFile],
    ppi: float,
) -> list[ImageToEnrol]:
    if not fingers and not faces:
        raise HTTPException(422, "images: at least one finger or face is needed")
    if len(fingers) + len(faces) > IMAGES_LIMIT:
        raise HTTPException(422, f"images: at most {IMAGES_LIMIT}")
    if len(positions) != len(fingers):
        raise HTTPException(422, "finger_positions: one for each finger")
    if any(not 0 <= position <= 10 for position in positions):
        raise HTTPException(422, "finger_positions: 0 (unknown) to 10")
    images = [
        ImageToEnrol(
            f"finger {number}",
            Modality.FINGERPRINT,
            FingerPosition(position),
            _read(file),
            ppi,
        )
        for number, (file, position) in enumerate(
            zip(fingers, positions, strict=True), start=1
        )
    ]
    images += [
        ImageToEnrol(
            f"face {number}", Modality.FACE, FingerPosition.UNKNOWN, _read(file)
        )
        for number, file in enumerate(faces, start=1)
    ]
    return images


def _read(file: UploadFile) -> bytes:
    data = file.file.read(IMAGE_LIMIT + 1)
    if len(data) > IMAGE_LIMIT:
        raise HTTPException(413, f"images: at most {IMAGE_LIMIT // 2**20} MiB each")
    return data


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise HTTPException(422, "expires_on: no day of the calendar") from error
