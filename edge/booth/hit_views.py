"""Hits, verdicts and the places of images as JSON for the officer's screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.booth.views import candidate_view, entry_view
from edge.checkpoint.adjudication import REASONS
from edge.terms import is_drill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.checkpoint.adjudication import Adjudication
    from edge.store.booth_hits import HitLine
    from edge.store.reference_images import HitImage
    from edge.terms import Candidate, Hit, OfficerVerdict, WatchlistEntry

LARGEST_ONE_IN = 10**15


def line_view(line: HitLine, entry: WatchlistEntry | None) -> dict[str, Any]:
    return {
        "hit_id": line.hit_id,
        "check_id": line.check_id,
        "occurred_at": line.occurred_at.isoformat(),
        "entry_id": line.entry_id,
        "name": None if entry is None else entry.name,
        "category": None if entry is None else entry.category,
        "is_drill": line.is_drill or (entry is not None and is_drill(entry)),
        "state": str(line.state),
        "delivered": line.delivered_at is not None,
    }


def hit_view(hit: Hit, entry: WatchlistEntry | None, *, listed: int) -> dict[str, Any]:
    """Return what the booth found; listed: how many entries a traveller meets."""
    return {
        "hit_id": hit.hit_id,
        "check_id": hit.check_id,
        "occurred_at": hit.occurred_at.isoformat(),
        "entry_id": hit.entry_id,
        "entry": None if entry is None else _whole_entry(entry),
        "candidates": [_meaning(item, listed) for item in hit.candidates],
    }


def _whole_entry(entry: WatchlistEntry) -> dict[str, Any]:
    return {
        **entry_view(entry),
        "entry_id": entry.entry_id,
        "legal_basis": entry.legal_basis,
    }


def _meaning(candidate: Candidate, listed: int) -> dict[str, Any]:
    """Say how rare such a candidate is among strangers.

    one_in: one false alarm in so many travellers, each compared with the whole list;
    one_in_comparisons: in so many comparisons of two persons.
    """
    rate = candidate.score.false_match_rate
    of_list = min(1.0, rate * max(1, listed))
    return {
        **candidate_view(candidate),
        "one_in": _one_in(of_list),
        "one_in_comparisons": _one_in(rate),
    }


def _one_in(rate: float) -> int:
    return LARGEST_ONE_IN if rate * LARGEST_ONE_IN <= 1 else max(1, round(1 / rate))


def images_view(hit: Hit, sent: Sequence[HitImage]) -> dict[str, Any]:
    """Return where the images are; they are asked for one by one."""
    where = f"/api/hits/{hit.hit_id}/images"
    captured = [item for item in hit.evidence if item.media_type == "image/png"]
    return {
        "probe": [
            {
                "index": index,
                "modality": str(item.modality),
                "position": int(item.position),
                "url": f"{where}/probe/{index}",
            }
            for index, item in enumerate(captured)
        ],
        "reference": [
            {
                "index": index,
                "modality": str(item.modality),
                "position": int(item.position),
                "reference_id": item.reference_id,
                "url": f"{where}/reference/{index}",
            }
            for index, item in enumerate(sent)
            if item.has_arrived
        ],
    }


def decision_view(said: Adjudication) -> dict[str, Any]:
    """Return how far the decision is, and which reasons each verdict may have."""
    return {
        "state": str(said.state),
        "is_final": said.is_final,
        "needs_second": said.needs_second,
        "first": _said_view(said.first),
        "second": _said_view(said.second),
        "reasons": {
            str(v): [str(r) for r in reasons] for v, reasons in REASONS.items()
        },
    }


def _said_view(said: OfficerVerdict | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "officer": said.officer,
        "verdict": str(said.verdict),
        "reason": str(said.reason),
        "note": said.note,
        "at": said.at.isoformat(),
    }
