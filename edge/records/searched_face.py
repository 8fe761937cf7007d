"""Which face of an image was searched with, as JSON beside the image in a hit.

It is evidence of its own, so that a hub which knows nothing of it keeps it.
"""

from __future__ import annotations

import json
import math
from typing import Any

from edge.errors import MessageError
from edge.records.mapping import Fields, term
from edge.terms import (
    FaceBox,
    PresentationDecision,
    PresentationVerdict,
    SearchedFace,
)

FACE_TYPE = "application/json"
FACE_LIMIT = 2_000
_VERSION = 1


def encode_searched_face(face: SearchedFace) -> bytes:
    verdict = face.presentation
    record = {
        "v": _VERSION,
        "face": {k: round(float(v), 1) for k, v in vars(face.box).items()},
        "image_width_px": face.width_px,
        "image_height_px": face.height_px,
        "picked_by_officer": face.is_picked,
        "presentation": None if verdict is None else verdict_map(verdict),
    }
    return json.dumps(record, sort_keys=True).encode()


def verdict_map(verdict: PresentationVerdict) -> dict[str, Any]:
    """Return the verdict as JSON has it.

    The score's name says its direction: 1 for a bona fide presentation.
    """
    return {
        "decision": str(verdict.decision),
        "bona_fide_score": verdict.bona_fide_score,
        "threshold": verdict.threshold,
    }


def decode_searched_face(data: bytes) -> SearchedFace:
    """Decode what a booth wrote.

    Raises:
        MessageError: says what is wrong with it.
    """
    if len(data) > FACE_LIMIT:
        message = f"searched face: {len(data)} bytes, {FACE_LIMIT} allowed"
        raise MessageError(message)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = "searched face: not JSON"
        raise MessageError(message) from error
    fields = Fields(value, "searched face")
    version = fields.count("v")
    if version != _VERSION:
        message = f"searched face: version {version}, this software reads {_VERSION}"
        raise MessageError(message)
    box = Fields(fields.take("face", dict), "face")
    face = SearchedFace(
        box=FaceBox(
            *(
                _number(box, name)
                for name in ("left_px", "top_px", "right_px", "bottom_px")
            )
        ),
        width_px=fields.count("image_width_px"),
        height_px=fields.count("image_height_px"),
        is_picked=fields.take("picked_by_officer", bool),
        presentation=_verdict_from(fields),
    )
    box.done()
    fields.done()
    return face


def _verdict_from(fields: Fields) -> PresentationVerdict | None:
    value = fields.take("presentation", object)
    if value is None:
        return None
    verdict = Fields(value, "presentation")
    read = PresentationVerdict(
        decision=term(
            verdict.text("decision", limit=20), PresentationDecision, "presentation"
        ),
        bona_fide_score=_optional_number(verdict, "bona_fide_score"),
        threshold=_optional_number(verdict, "threshold"),
    )
    verdict.done()
    return read


def _number(fields: Fields, key: str) -> float:
    value = fields.take(key, float)
    if not math.isfinite(value):
        message = f"searched face: {key} is not finite"
        raise MessageError(message)
    return value


def _optional_number(fields: Fields, key: str) -> float | None:
    value = fields.take(key, object)
    if value is None:
        return None
    if not isinstance(value, float) or not math.isfinite(value):
        message = f"searched face: {key} is no finite number"
        raise MessageError(message)
    return value
