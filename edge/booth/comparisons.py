"""What the officer sees of a hit side by side: which minutiae correspond, and faces.

Computed from the hit's evidence and the references of the watchlist, when somebody
looks; nothing of it is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.errors import InputError
from edge.recognition.fingerprint import comparison
from edge.records.template import decode_template
from edge.terms import FingerPosition, FingerprintTemplate, Modality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.terms import Candidate, Evidence, Hit, Reference

KINDS = {1: "ending", 2: "bifurcation"}
IMAGE_TYPE, TEMPLATE_TYPE = "image/png", "application/octet-stream"


@dataclass(frozen=True)
class ReferenceImage:
    """An image of a reference that the hub has sent. index: its number in the API."""

    index: int
    reference_id: str
    modality: Modality
    position: FingerPosition


@dataclass(frozen=True)
class _Probe:
    """A captured finger. index: of its image in the API; None without one."""

    template: FingerprintTemplate
    index: int | None


def comparisons_view(
    hit: Hit,
    references: Sequence[Reference],
    images: Sequence[ReferenceImage],
) -> dict[str, Any]:
    """Return the comparisons of a hit, JSON-ready.

    references: of the entries among the hit's candidates, as far as they are still on
    the list. images: of the references of the hit's own entry.
    """
    fingers = []
    for candidate in hit.candidates:
        own = images if candidate.entry_id == hit.entry_id else ()
        for position, reference_id in _compared_fingers(candidate):
            probe = _probe(hit, position)
            if probe is None:
                continue
            reference = _found(references, reference_id)
            pairs = [] if reference is None else _pairs(probe.template, reference)
            where = position if reference is None else reference.position
            image = _image_of(own, reference_id, where)
            fingers.append(
                {
                    "position": int(position),
                    "candidate": candidate.entry_id,
                    "probe": _print_view(
                        probe.template, _image_url(hit.hit_id, "probe", probe.index)
                    ),
                    "reference": _print_view(
                        reference, _image_url(hit.hit_id, "reference", image)
                    ),
                    "pairs": pairs,
                }
            )
    return {"fingers": fingers, "face": _face_view(hit, images)}


def probe_face(hit: Hit) -> tuple[bytes, bytes | None] | None:
    """Return the captured image of the face, and what is known of its place in it."""
    about = None
    image = None
    for item in hit.evidence:
        if item.modality is not Modality.FACE:
            continue
        if item.media_type == IMAGE_TYPE:
            image = item.data
        elif item.media_type != TEMPLATE_TYPE:
            about = item.data
    return None if image is None else (image, about)


def _compared_fingers(candidate: Candidate) -> Iterator[tuple[FingerPosition, str]]:
    """Return the positions of the captured fingers and the references they are like."""
    samples = [s for s in candidate.samples if s.modality is Modality.FINGERPRINT]
    if not candidate.samples and candidate.modality is Modality.FINGERPRINT:
        yield candidate.position, candidate.reference_id
    for sample in samples:
        yield sample.position, sample.reference_id


def _probe(hit: Hit, position: FingerPosition) -> _Probe | None:
    templates = [e for e in hit.evidence if _is_of(e, position, TEMPLATE_TYPE)]
    images = [e for e in hit.evidence if e.media_type == IMAGE_TYPE]
    index = next(
        (i for i, e in enumerate(images) if _is_of(e, position, IMAGE_TYPE)), None
    )
    for item in templates:
        try:
            template = decode_template(item.data)
        except InputError:
            continue
        if isinstance(template, FingerprintTemplate):
            return _Probe(template, index)
    return None


def _is_of(item: Evidence, position: FingerPosition, media_type: str) -> bool:
    is_finger = item.modality is Modality.FINGERPRINT
    return is_finger and item.position is position and item.media_type == media_type


def _found(
    references: Sequence[Reference], reference_id: str
) -> FingerprintTemplate | None:
    for reference in references:
        if reference.reference_id == reference_id and isinstance(
            reference.template, FingerprintTemplate
        ):
            return reference.template
    return None


def _image_of(
    images: Sequence[ReferenceImage], reference_id: str, position: FingerPosition
) -> int | None:
    """Return the image of the very reference, else one of the same finger."""
    prints = [image for image in images if image.modality is Modality.FINGERPRINT]
    own = [image.index for image in prints if image.reference_id == reference_id]
    alike = [image.index for image in prints if image.position is position]
    return next(iter(own + alike), None)


def _pairs(
    probe: FingerprintTemplate, reference: FingerprintTemplate
) -> list[list[int]]:
    found = comparison.correspondences(
        comparison.prepare(probe), comparison.prepare(reference)
    )
    return [[i, j] for i, j in found]


def _print_view(
    template: FingerprintTemplate | None, url: str | None
) -> dict[str, Any]:
    if template is None:
        return {"url": url, "width_px": None, "height_px": None, "minutiae": []}
    return {
        "url": url,
        "width_px": template.width_px,
        "height_px": template.height_px,
        "minutiae": [
            [int(x), int(y), round(math.degrees(float(angle)), 1), KINDS[int(kind)]]
            for x, y, angle, kind in zip(
                template.x,
                template.y,
                template.angle_rad,
                template.kind,
                strict=True,
            )
        ],
    }


def _image_url(hit_id: str, side: str, index: int | None) -> str | None:
    return None if index is None else f"/api/hits/{hit_id}/images/{side}/{index}"


def _face_view(hit: Hit, images: Sequence[ReferenceImage]) -> dict[str, Any] | None:
    if probe_face(hit) is None:
        return None
    has_reference = any(image.modality is Modality.FACE for image in images)
    url = f"/api/hits/{hit.hit_id}/faces"
    return {
        "probe_url": f"{url}/probe",
        "reference_url": f"{url}/reference" if has_reference else None,
    }
