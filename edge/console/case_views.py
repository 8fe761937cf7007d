"""Cases as JSON-ready views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.console import models
from edge.console.alarms import AlarmLimits, alarm_of
from edge.console.severity import NAMES
from edge.logs import safe_label
from edge.terms import FingerPosition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge.records.console_values import Case, CaseEvent
    from edge.terms import Candidate, Evidence, Reference, WatchlistEntry

PNG = "image/png"
MOST_TRAVELLERS = 10**12


def one_in(rate: float) -> int:
    """Return how many strangers one false alarm comes in, as a person says it."""
    return MOST_TRAVELLERS if rate <= 1 / MOST_TRAVELLERS else round(1 / rate)


def position_name(position: int) -> str:
    """Return "right index" and the like; "" where there is no finger."""
    if position == FingerPosition.UNKNOWN:
        return ""
    return FingerPosition(position).name.lower().replace("_", " ")


def case_view(case: Case, now: datetime, limits: AlarmLimits) -> models.CaseView:
    return models.CaseView(
        hit_id=case.hit_id,
        number=case.number,
        place=f"{case.severity}:{case.number}",
        booth_id=case.booth_id,
        check_id=case.check_id,
        entry_id=case.entry_id,
        entry_version=case.entry_version,
        name=case.name,
        category=case.category,
        handling_code=case.handling_code,
        severity=case.severity,
        severity_name=NAMES[case.severity],
        is_drill=case.is_drill,
        is_historical=case.is_historical,
        modalities=list(case.modalities),
        false_match_rate=case.false_match_rate,
        one_in=one_in(case.false_match_rate),
        occurred_at=case.occurred_at,
        received_at=case.received_at,
        state=str(case.state),
        alarm=str(alarm_of(case, now, limits)),
        claimed_by=case.claimed_by,
        claimed_at=case.claimed_at,
        escalated_at=case.escalated_at,
        decision=case.decision,
        outcome=None if case.outcome is None else str(case.outcome),
        closed_at=case.closed_at,
    )


def event_view(event: CaseEvent) -> models.EventView:
    return models.EventView(
        number=event.number,
        hit_id=event.hit_id,
        at=event.at,
        actor=event.actor,
        kind=str(event.kind),
        body=dict(event.body),
    )


def entry_view(entry: WatchlistEntry, *, is_on_watchlist: bool) -> models.EntryView:
    return models.EntryView(
        entry_id=entry.entry_id,
        version=entry.version,
        name=entry.name,
        category=entry.category,
        originator=entry.originator,
        handling_code=entry.handling_code,
        legal_basis=entry.legal_basis,
        instruction=entry.instruction,
        valid_from=entry.valid_from,
        expires_at=entry.expires_at,
        is_on_watchlist=is_on_watchlist,
    )


def candidate_view(candidate: Candidate, name: str | None) -> models.CandidateView:
    score = candidate.score
    return models.CandidateView(
        entry_id=candidate.entry_id,
        name=name,
        modality=str(candidate.modality),
        position_name=position_name(candidate.position),
        score=score.value,
        false_match_rate=score.false_match_rate,
        one_in=one_in(score.false_match_rate),
        samples=[
            models.SampleView(
                modality=str(sample.modality),
                position=int(sample.position),
                position_name=position_name(sample.position),
                score=sample.score.value,
                false_match_rate=sample.score.false_match_rate,
                one_in=one_in(sample.score.false_match_rate),
                is_deciding=sample.is_deciding,
            )
            for sample in candidate.samples
        ],
    )


def probe_views(hit_id: str, evidence: Sequence[Evidence]) -> list[models.ImageView]:
    """Return the images among the evidence; index: place among all evidence."""
    return [
        _image(f"/api/cases/{hit_id}/images/probe/{index}", index, item)
        for index, item in enumerate(evidence)
        if item.media_type == PNG
    ]


def reference_views(
    url: str, references: Sequence[Reference], held: set[str]
) -> list[models.ImageView]:
    """Return the references that the hub holds images of; url: without the index."""
    return [
        _image(f"{url}/{index}", index, item)
        for index, item in enumerate(references)
        if item.reference_id in held
    ]


def _image(url: str, index: int, item: Any) -> models.ImageView:  # noqa: ANN401  evidence or reference
    return models.ImageView(
        index=index,
        modality=str(item.modality),
        position=int(item.position),
        position_name=position_name(item.position),
        url=url,
    )


def shown(text: str) -> str:
    """Return text of a booth without what a screen must not show."""
    return safe_label(text)
