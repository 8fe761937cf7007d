"""Probe and reference prints of a case side by side: which minutiae correspond."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.console import models
from edge.console.case_detail import whole_case
from edge.console.case_views import PNG, position_name
from edge.errors import MessageError
from edge.recognition.fingerprint import comparison
from edge.records.template import decode_template
from edge.terms import FingerprintTemplate, Modality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.console.desk import Opened
    from edge.terms import (
        Candidate,
        Evidence,
        FingerPosition,
        Hit,
        Reference,
        SampleEvidence,
    )

TEMPLATE = "application/octet-stream"


def comparisons_of(opened: Opened, hit_id: str) -> models.Comparisons:
    """Compare each print of a hit with the reference that it was found by.

    Raises:
        CaseError: there is no such case.
    """
    whole = whole_case(opened, hit_id)
    hit = whole.stored.hit
    references = () if whole.change is None else whole.change.references
    held = opened.images.held(hit.entry_id)
    fingers: list[models.FingerComparison] = []
    for position, reference_id in _pairs(hit):
        for index, reference in enumerate(references):
            if reference.reference_id != reference_id:
                continue
            url = f"/api/cases/{hit_id}/images/reference/{index}"
            fingers += _compared(
                hit, position, reference, url if reference_id in held else None
            )
    return models.Comparisons(fingers=fingers)


def _pairs(hit: Hit) -> list[tuple[FingerPosition, str]]:
    """Return (position of the sample, reference) of what was found of the entry."""
    found = {
        (part.position, part.reference_id): None
        for candidate in hit.candidates
        if candidate.entry_id == hit.entry_id
        for part in _parts(candidate)
    }
    return list(found)


def _parts(candidate: Candidate) -> Iterator[Candidate | SampleEvidence]:
    """Yield what each print says; a hit of an older booth has the candidate alone."""
    for part in candidate.samples or (candidate,):
        if part.modality is Modality.FINGERPRINT:
            yield part


def _compared(
    hit: Hit, position: FingerPosition, reference: Reference, reference_url: str | None
) -> Iterator[models.FingerComparison]:
    """Yield the comparison of one print, if both templates can be read."""
    probe = _template(hit.evidence, position)
    other = reference.template
    if probe is None or not isinstance(other, FingerprintTemplate):
        return
    pairs = comparison.correspondences(
        comparison.prepare(probe), comparison.prepare(other)
    )
    yield models.FingerComparison(
        position=int(position),
        position_name=position_name(position),
        probe_url=_image_url(hit, position),
        reference_url=reference_url,
        probe_size=(probe.width_px, probe.height_px),
        reference_size=(other.width_px, other.height_px),
        probe=_minutiae(probe),
        reference=_minutiae(other),
        pairs=[(int(a), int(b)) for a, b in pairs],
    )


def _template(
    evidence: Sequence[Evidence], position: FingerPosition
) -> FingerprintTemplate | None:
    for item in evidence:
        is_print = item.modality is Modality.FINGERPRINT and item.media_type == TEMPLATE
        if is_print and item.position == position:
            try:
                template = decode_template(item.data)
            except MessageError:
                return None
            return template if isinstance(template, FingerprintTemplate) else None
    return None


def _image_url(hit: Hit, position: FingerPosition) -> str | None:
    for index, item in enumerate(hit.evidence):
        is_print = item.modality is Modality.FINGERPRINT and item.media_type == PNG
        if is_print and item.position == position:
            return f"/api/cases/{hit.hit_id}/images/probe/{index}"
    return None


def _minutiae(template: FingerprintTemplate) -> list[list[float]]:
    return [
        [float(x), float(y), round(math.degrees(angle), 1), float(kind)]
        for x, y, angle, kind in zip(
            template.x, template.y, template.angle_rad, template.kind, strict=True
        )
    ]
