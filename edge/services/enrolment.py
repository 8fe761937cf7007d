"""From images to watchlist references: one way for command line, demo and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from edge.clock import SystemClock
from edge.errors import InputError
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

    from edge.ports import FaceRecognition, FingerprintRecognition
    from edge.store.hub import HubStore
    from edge.terms import WatchlistChange, WatchlistEntry

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
    hub: HubStore,
    engines: EnrolmentEngines,
    entry: WatchlistEntry,
    *,
    finger_images: Sequence[NDArray[np.uint8]],
    face_images: Sequence[NDArray[np.uint8]],
) -> WatchlistChange:
    """Add a person, with references from images at 500 ppi, to the hub's log.

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
    return hub.append([draft], at=SystemClock().now())[0]


def _too_poor(origin: str, score: int, reasons: Sequence[str]) -> str:
    why = ", ".join(reasons) or "quality too low"
    return f"{origin}: too poor to enrol (quality {score}): {why}; use a better image"
