"""One case with its evidence, as an operator judges it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edge.console import models
from edge.console.case_views import (
    PNG,
    candidate_view,
    case_view,
    entry_view,
    event_view,
    probe_views,
    reference_views,
)
from edge.errors import CaseError, CaseProblem

if TYPE_CHECKING:
    from edge.console.access import Person
    from edge.console.desk import ConsoleDesk, Opened
    from edge.records.console_values import Case
    from edge.records.hub_values import StoredDecision, StoredHit
    from edge.terms import WatchlistChange


@dataclass(frozen=True)
class WholeCase:
    """A case, the hit that it is about, and the entry as it was when it was hit."""

    case: Case
    stored: StoredHit
    change: WatchlistChange | None
    is_current: bool


def whole_case(opened: Opened, hit_id: str) -> WholeCase:
    """Return a case with its hit.

    Raises:
        CaseError: there is none.
        StoreError: the store cannot be read.
    """
    case = opened.cases.case(hit_id)
    stored = None if case is None else opened.messages.hit(hit_id)
    if case is None or stored is None:
        raise CaseError(CaseProblem.UNKNOWN, f"case {hit_id}: there is none")
    hit = stored.hit
    return WholeCase(
        case=case,
        stored=stored,
        change=opened.entries.change_at(hit.entry_id, hit.entry_version),
        is_current=opened.entries.is_current(hit.entry_id),
    )


def case_detail(
    opened: Opened, desk: ConsoleDesk, hit_id: str, person: Person
) -> models.CaseDetail:
    """Return everything on a case; the look stands in the audit log.

    Raises:
        CaseError: there is no such case.
    """
    whole = whole_case(opened, hit_id)
    now = desk.clock.now()
    opened.messages.note_access(hit_id, actor=person.name, at=now)
    case, hit, change = whole.case, whole.stored.hit, whole.change
    entry = None if change is None else change.entry
    candidates = [
        candidate_view(
            candidate, case.name if candidate.entry_id == case.entry_id else None
        )
        for candidate in hit.candidates
    ]
    return models.CaseDetail(
        case=case_view(case, now, desk.settings.alarms),
        entry=None
        if entry is None
        else entry_view(entry, is_on_watchlist=whole.is_current),
        candidates=candidates,
        probe=probe_views(hit_id, hit.evidence),
        reference=reference_views(
            f"/api/cases/{hit_id}/images/reference",
            () if change is None else change.references,
            opened.images.held(hit.entry_id),
        ),
        decisions=[_decision_view(item) for item in opened.messages.decisions(hit_id)],
        timeline=[event_view(event) for event in opened.cases.timeline(hit_id)],
        is_mine=case.claimed_by == person.name,
        stream=whole.stored.stream,
        sequence=whole.stored.sequence,
        skew_s=whole.stored.skew_s,
    )


def _decision_view(stored: StoredDecision) -> models.DecisionView:
    said = stored.decision.verdict
    return models.DecisionView(
        officer=said.officer,
        verdict=str(said.verdict),
        reason=str(said.reason),
        note=said.note,
        at=said.at,
        step="first" if stored.decision.number == 1 else "second",
    )


def case_image(
    opened: Opened, hit_id: str, kind: Literal["probe", "reference"], index: int
) -> bytes | None:
    """Return an image of a case as PNG, None if there is none at this index.

    Raises:
        CaseError: there is no such case.
    """
    whole = whole_case(opened, hit_id)
    if kind == "probe":
        evidence = whole.stored.hit.evidence
        is_image = index < len(evidence) and evidence[index].media_type == PNG
        return evidence[index].data if is_image else None
    references = () if whole.change is None else whole.change.references
    if index >= len(references):
        return None
    return opened.images.image(references[index].reference_id)
