"""Face references made anew by the networks of today, from the images the hub holds.

Templates of different networks are never compared: after a change of networks a booth
cannot search the references of before. What was done stands in the log itself, so that
an interrupted run is gone on with by running it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from edge.clock import SystemClock
from edge.errors import InputError, WatchlistError
from edge.recognition.image_encoding import decode_rgb_png
from edge.terms import ChangeOperation, DraftChange, FaceTemplate, Modality

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge.store.hub_images import StoredReferenceImages
    from edge.terms import Reference, WatchlistChange

WRITTEN_AT_ONCE = 20


class FaceEmbedding(Protocol):
    @property
    def model_id(self) -> str: ...

    def embed_central_face(self, image: NDArray[np.uint8]) -> FaceTemplate | None: ...


@dataclass
class Rederived:
    """References by id: made anew, without an image, without a face in the image."""

    made: list[str] = field(default_factory=list)
    without_image: list[str] = field(default_factory=list)
    without_face: list[str] = field(default_factory=list)


def rederive_faces(
    images: StoredReferenceImages,
    engine: FaceEmbedding,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Rederived:
    """Replace each face reference that is of other networks than the engine's.

    An entry keeps its version: what is said of the person is the same. on_progress: how
    many entries were looked at.

    Raises:
        ModelError: a network fails.
        StoreError: the store cannot be read or written.
    """
    done = Rederived()
    drafts: list[DraftChange] = []
    kept: dict[str, bytes] = {}
    for looked_at, change in enumerate(images.current_changes(), 1):
        draft = _anew(change, images, engine, done, kept)
        if draft is not None:
            drafts.append(draft)
        if len(drafts) >= WRITTEN_AT_ONCE:
            _append(images, drafts, kept)
            drafts, kept = [], {}
        on_progress(looked_at)
    _append(images, drafts, kept)
    return done


def _append(
    images: StoredReferenceImages, drafts: list[DraftChange], kept: dict[str, bytes]
) -> None:
    at = SystemClock().now()
    try:
        images.append(drafts, kept, at=at)
    except WatchlistError:
        # One of them was withdrawn meanwhile: it stays so, the others are made.
        for draft in drafts:
            try:
                images.append([draft], kept, at=at)
            except WatchlistError:
                continue


def _anew(
    change: WatchlistChange,
    images: StoredReferenceImages,
    engine: FaceEmbedding,
    done: Rederived,
    kept: dict[str, bytes],
) -> DraftChange | None:
    """Return the entry with new face references, None if nothing is to be done."""
    references = [
        _reference(reference, images, engine, done, kept)
        for reference in change.references
    ]
    if all(new is old for new, old in zip(references, change.references, strict=True)):
        return None
    return DraftChange(
        ChangeOperation.REPLACE, change.entry_id, change.entry, tuple(references)
    )


def _reference(
    reference: Reference,
    images: StoredReferenceImages,
    engine: FaceEmbedding,
    done: Rederived,
    kept: dict[str, bytes],
) -> Reference:
    template = reference.template
    is_face = reference.modality is Modality.FACE and isinstance(template, FaceTemplate)
    if not is_face or template.model_id == engine.model_id:
        return reference
    png = images.image(reference.reference_id)
    if png is None:
        done.without_image.append(reference.reference_id)
        return reference
    try:
        pixels = decode_rgb_png(png, origin=f"image of {reference.reference_id}")
    except InputError:
        found = None
    else:
        found = engine.embed_central_face(pixels)
    if found is None:
        done.without_face.append(reference.reference_id)
        return reference
    kept[reference.reference_id] = png
    done.made.append(reference.reference_id)
    return replace(reference, template=found)
