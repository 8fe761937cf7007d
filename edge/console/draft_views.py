"""Drafts as JSON-ready views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.console import models
from edge.console.access import LEADING
from edge.console.case_views import entry_view, position_name
from edge.records.console_values import DraftState

if TYPE_CHECKING:
    from edge.console.access import Person
    from edge.records.console_values import Draft


def draft_view(draft: Draft, person: Person) -> models.DraftView:
    is_waiting = draft.state is DraftState.WAITING
    is_other = draft.created_by != person.name
    return models.DraftView(
        number=draft.number,
        draft_id=draft.draft_id,
        operation=str(draft.operation),
        entry_id=draft.entry_id,
        entry=None
        if draft.entry is None
        else entry_view(draft.entry, is_on_watchlist=False),
        reason=draft.reason,
        state=str(draft.state),
        created_by=draft.created_by,
        created_at=draft.created_at,
        decided_by=draft.decided_by,
        decided_at=draft.decided_at,
        decision_note=draft.decision_note,
        sequence=draft.sequence,
        images=[
            models.DraftImageView(
                reference_id=reference_id,
                modality=modality,
                position=position,
                position_name=position_name(position),
                quality=quality,
                url=f"/api/drafts/{draft.draft_id}/images/{reference_id}",
            )
            for reference_id, modality, position, quality in draft.images
        ],
        may_release=is_waiting and is_other and person.role in LEADING,
    )
