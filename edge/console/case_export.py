"""What goes into the archive of a case."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from edge.console.archive import json_bytes, make_archive
from edge.console.case_detail import whole_case
from edge.console.case_views import (
    PNG,
    candidate_view,
    case_view,
    entry_view,
    event_view,
)
from edge.records.template import encode_template
from edge.store.audit import lines_about

if TYPE_CHECKING:
    from edge.console.case_detail import WholeCase
    from edge.console.desk import ConsoleDesk, Opened

_ENDINGS = {PNG: "png", "application/json": "json"}


def export_case(opened: Opened, desk: ConsoleDesk, hit_id: str, *, actor: str) -> bytes:
    """Return the signed archive of a case; the export stands in its timeline.

    Raises:
        CaseError: there is no such case.
        ConfigurationError: the hub's keys cannot be read.
    """
    whole = whole_case(opened, hit_id)
    now = desk.clock.now()
    opened.messages.note_access(hit_id, actor=actor, at=now)
    keys = desk.load_keys()
    data = make_archive(
        _files(opened, desk, whole),
        {"hit_id": hit_id, "exported_at": now.isoformat(), "exported_by": actor},
        key=keys.operations,
        trust=keys.trust,
    )
    digest = hashlib.sha256(data).hexdigest()
    opened.cases.note_export(hit_id, digest=digest, at=now)
    return data


def _files(opened: Opened, desk: ConsoleDesk, whole: WholeCase) -> dict[str, bytes]:
    hit_id = whole.case.hit_id
    files = {
        "case.json": json_bytes(_data(opened, desk, whole)),
        "audit.json": json_bytes(_audit(opened, hit_id)),
    }
    signed = opened.messages.signed_of_hit(hit_id)
    if signed is not None:
        files["hit.cose"] = signed
    for index, item in enumerate(whole.stored.hit.evidence):
        ending = _ENDINGS.get(item.media_type, "bin")
        folder = "images" if ending == "png" else "templates"
        files[f"{folder}/probe-{index:02}.{ending}"] = item.data
    references = () if whole.change is None else whole.change.references
    for index, reference in enumerate(references):
        template = encode_template(reference.template)
        files[f"templates/reference-{index:02}.bin"] = template
        image = opened.images.image(reference.reference_id)
        if image is not None:
            files[f"images/reference-{index:02}.png"] = image
    return files


def _data(opened: Opened, desk: ConsoleDesk, whole: WholeCase) -> dict[str, Any]:
    hit, change = whole.stored.hit, whole.change
    entry = None if change is None else change.entry
    case = case_view(whole.case, desk.clock.now(), desk.settings.alarms)
    references = () if change is None else change.references
    return {
        "case": case.model_dump(mode="json"),
        "entry": None
        if entry is None
        else entry_view(entry, is_on_watchlist=whole.is_current).model_dump(
            mode="json"
        ),
        "candidates": [
            candidate_view(candidate, None).model_dump(mode="json")
            for candidate in hit.candidates
        ],
        "evidence": [
            {
                "number": index,
                "modality": str(item.modality),
                "position": int(item.position),
                "media_type": item.media_type,
            }
            for index, item in enumerate(hit.evidence)
        ],
        "references": [
            {
                "number": index,
                "reference_id": item.reference_id,
                "modality": str(item.modality),
                "position": int(item.position),
            }
            for index, item in enumerate(references)
        ],
        "timeline": [
            event_view(event).model_dump(mode="json")
            for event in opened.cases.timeline(hit.hit_id)
        ],
    }


def _audit(opened: Opened, hit_id: str) -> list[dict[str, Any]]:
    """Return the lines on the case, and the last of the log, each recomputable."""
    return [
        {
            "number": line.number,
            "at": line.at,
            "actor": line.actor,
            "action": line.action,
            "subject": line.subject,
            "previous_hash": line.previous_hash.hex(),
            "hash": line.hash.hex(),
        }
        for line in lines_about(opened.database, hit_id)
    ]
