"""From images and minutiae records to watchlist references, for every caller alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from edge.clock import SystemClock
from edge.errors import InputError
from edge.interchange.template_conversion import templates_of
from edge.recognition.image_encoding import encode_png
from edge.recognition.parameters import FEWEST_MINUTIAE
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceSample,
    FingerPosition,
    FingerprintSample,
    Modality,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge.hub.store_port import HubLog
    from edge.interchange.minutiae_record import FingerMinutiaeRecord
    from edge.ports import FaceRecognition, FingerprintRecognition
    from edge.store.hub_images import StoredReferenceImages
    from edge.terms import FingerprintTemplate, WatchlistChange, WatchlistEntry

DEFAULT_PPI = 500.0


@dataclass(frozen=True)
class EnrolmentEngines:
    fingerprint: FingerprintRecognition
    face: FaceRecognition


def finger_reference(
    engines: EnrolmentEngines,
    entry_id: str,
    image: NDArray[np.uint8],
    *,
    ppi: float = DEFAULT_PPI,
    position: FingerPosition = FingerPosition.UNKNOWN,
    origin: str = "fingerprint image",
) -> Reference:
    """Make a reference of a grey fingerprint image; origin names it in messages.

    Raises:
        InputError: the image is too poor to search with; says why.
    """
    sample = FingerprintSample(image, ppi, position, SystemClock().now())
    quality = engines.fingerprint.assess(sample)
    if not quality.is_sufficient:
        raise InputError(_too_poor(origin, quality.score, quality.reasons))
    template = engines.fingerprint.extract(sample)
    return Reference(uuid4().hex, entry_id, Modality.FINGERPRINT, position, template)


def record_references(
    entry_id: str,
    record: FingerMinutiaeRecord,
    *,
    position: FingerPosition = FingerPosition.UNKNOWN,
    origin: str = "minutiae record",
) -> list[Reference]:
    """Make a reference of each view of a minutiae record; origin names it in messages.

    position: what the caller knows of the finger; unknown: what the record says.

    Raises:
        InputError: a view holds no usable finger, or another one than position.
    """
    references = []
    for number, template in enumerate(templates_of(record, origin)):
        where = f"{origin}: view {number}"
        placed = replace(template, position=_agreed(template, position, where))
        if len(placed) < FEWEST_MINUTIAE:
            raise InputError(
                f"{where}: too poor to enrol: {len(placed)} minutiae, at least "
                f"{FEWEST_MINUTIAE} needed; use a better one"
            )
        reference = Reference(
            uuid4().hex, entry_id, Modality.FINGERPRINT, placed.position, placed
        )
        references.append(reference)
    return references


def face_reference(
    engines: EnrolmentEngines,
    entry_id: str,
    image: NDArray[np.uint8],
    *,
    origin: str = "face image",
) -> Reference:
    """Make a reference of an RGB image with one face; origin names it in messages.

    Raises:
        InputError: no usable face; says why.
    """
    sample = FaceSample(image, SystemClock().now())
    quality, template = engines.face.process(sample)
    if template is None:
        raise InputError(_too_poor(origin, quality.score, quality.reasons))
    position = FingerPosition.UNKNOWN
    return Reference(uuid4().hex, entry_id, Modality.FACE, position, template)


def publish_person(
    log: HubLog,
    engines: EnrolmentEngines,
    entry: WatchlistEntry,
    *,
    finger_images: Sequence[NDArray[np.uint8]],
    face_images: Sequence[NDArray[np.uint8]],
    images: StoredReferenceImages | None = None,
) -> WatchlistChange:
    """Add a person, with references from images at 500 ppi, to the hub's log.

    images: where the hub keeps the images too; None: nowhere.

    Raises:
        InputError: an image is too poor.
        WatchlistError: the entry is already there.
    """
    references = [
        finger_reference(
            engines, entry.entry_id, image, position=FingerPosition.RIGHT_INDEX
        )
        for image in finger_images
    ]
    references += [
        face_reference(engines, entry.entry_id, image) for image in face_images
    ]
    draft = DraftChange(ChangeOperation.ADD, entry.entry_id, entry, tuple(references))
    at = SystemClock().now()
    if images is None:
        [recorded] = log.append([draft], at=at)
        return recorded.change
    kept = {
        reference.reference_id: encode_png(image)
        for reference, image in zip(
            references, [*finger_images, *face_images], strict=True
        )
    }
    [recorded] = images.append([draft], kept, at=at)
    return recorded.change


def _agreed(
    template: FingerprintTemplate, position: FingerPosition, where: str
) -> FingerPosition:
    if FingerPosition.UNKNOWN in (template.position, position):
        return max(template.position, position)
    if template.position != position:
        raise InputError(
            f"{where}: finger position {template.position.value}, not "
            f"{position.value}; leave the position out to take the record's"
        )
    return position


def _too_poor(origin: str, score: int, reasons: Sequence[str]) -> str:
    why = ", ".join(reasons) or "quality too low"
    return f"{origin}: too poor to enrol (quality {score}): {why}; use a better image"
