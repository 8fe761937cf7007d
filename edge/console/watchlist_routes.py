"""The API of the watchlist: entries, drafts that wait for a second person, recalls."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Response

from edge.console import models
from edge.console.access import Judge, Leader, Viewer
from edge.console.case_views import entry_view, reference_views
from edge.console.draft_views import draft_view
from edge.console.refusals import NO_STORE, REFUSALS
from edge.records.console_values import DraftState

if TYPE_CHECKING:
    from edge.console.desk import ConsoleDesk

EntryId = Annotated[str, Path(min_length=1, max_length=200)]
DraftId = Annotated[str, Path(min_length=1, max_length=64)]
Limit = Annotated[int, Query(ge=1, le=200)]


def watchlist_routes(desk: ConsoleDesk) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["watchlist"], responses=REFUSALS)
    _add_entries(router, desk)
    _add_entry(router, desk)
    _add_decisions(router, desk)
    _add_recalls(router, desk)
    return router


def _add_entries(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.get("/watchlist", summary="Entries by id, a page at a time")
    def list_entries(
        person: Viewer,
        text: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
        limit: Limit = 50,
    ) -> models.EntryList:
        with desk.opened(person.name) as opened:
            entries = opened.entries.entries(limit=limit, text=text, after=after)
            count = opened.entries.count()
        return models.EntryList(
            entries=[models.EntryFactsView(**vars(entry)) for entry in entries],
            count=count,
            next=entries[-1].entry_id if len(entries) == limit else None,
        )

    @router.get("/watchlist/expiring", summary="Entries that are over soon, or already")
    def list_expiring(
        person: Viewer,
        days: Annotated[int, Query(ge=0, le=3650)] = 30,
        limit: Limit = 100,
    ) -> models.EntryList:
        before = desk.clock.now() + timedelta(days=days)
        with desk.opened(person.name) as opened:
            entries = opened.entries.expiring(before, limit=limit)
            count = opened.entries.count()
        return models.EntryList(
            entries=[models.EntryFactsView(**vars(entry)) for entry in entries],
            count=count,
            next=None,
        )


def _add_entry(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.get("/watchlist/entries/{entry_id}", summary="One entry; audited")
    def read_entry(entry_id: EntryId, person: Judge) -> models.EntryDetail:
        with desk.opened(person.name) as opened:
            change = opened.entries.entry(entry_id)
            if change is None or change.entry is None:
                raise HTTPException(404, f"entry {entry_id} is not on the watchlist")
            opened.entries.note_access(entry_id, actor=person.name, at=desk.clock.now())
            held = opened.images.held(entry_id)
        url = f"/api/watchlist/entries/{entry_id}/images"
        return models.EntryDetail(
            entry=entry_view(change.entry, is_on_watchlist=True),
            reference=reference_views(url, change.references, held),
            references_count=len(change.references),
        )

    @router.get(
        "/watchlist/entries/{entry_id}/images/{index}",
        summary="An image that a reference was made of",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    def read_entry_image(
        entry_id: EntryId, index: Annotated[int, Path(ge=0, le=200)], person: Judge
    ) -> Response:
        with desk.opened(person.name) as opened:
            change = opened.entries.entry(entry_id)
            references = () if change is None else change.references
            if index >= len(references):
                raise HTTPException(404, "there is no such image")
            png = opened.images.image(references[index].reference_id)
        if png is None:
            raise HTTPException(404, "there is no such image")
        return Response(png, media_type="image/png", headers=NO_STORE)


def _add_decisions(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.get("/drafts", summary="Changes that wait for a second person, or did")
    def list_drafts(
        person: Viewer,
        state: Literal["waiting", "released", "rejected"] | None = None,
        before: Annotated[int | None, Query(ge=1)] = None,
        limit: Limit = 50,
    ) -> models.DraftList:
        with desk.opened(person.name) as opened:
            drafts = opened.drafts.drafts(
                limit=limit,
                state=None if state is None else DraftState(state),
                before=before,
            )
        return models.DraftList(
            drafts=[draft_view(draft, person) for draft in drafts],
            next=drafts[-1].number if len(drafts) == limit else None,
        )

    @router.get(
        "/drafts/{draft_id}/images/{reference_id}",
        summary="An image of a draft that waits",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    def read_draft_image(
        draft_id: DraftId, reference_id: DraftId, person: Judge
    ) -> Response:
        with desk.opened(person.name) as opened:
            png = opened.drafts.image(draft_id, reference_id)
        if png is None:
            raise HTTPException(404, "there is no such image")
        return Response(png, media_type="image/png", headers=NO_STORE)

    @router.post("/drafts/{draft_id}/release", summary="Publish another's draft")
    def release(draft_id: DraftId, person: Leader) -> models.DraftView:
        with desk.opened(person.name) as opened:
            draft = opened.drafts.release(draft_id, at=desk.clock.now())
        return draft_view(draft, person)

    @router.post("/drafts/{draft_id}/reject", summary="Drop a draft")
    def reject(
        draft_id: DraftId, rejection: models.Rejection, person: Leader
    ) -> models.DraftView:
        with desk.opened(person.name) as opened:
            draft = opened.drafts.reject(
                draft_id, note=rejection.note, at=desk.clock.now()
            )
        return draft_view(draft, person)


def _add_recalls(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.get("/recalls", summary="Withdrawals, and which posts have confirmed them")
    def list_recalls(
        person: Viewer,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        *,
        pending: bool = False,
    ) -> list[models.RecallView]:
        with desk.opened(person.name) as opened:
            recalls = opened.recalls.recalls(pending_only=pending, newest=limit)
        return [
            models.RecallView(
                sequence=recall.sequence,
                entry_id=recall.entry_id,
                withdrawn_at=recall.withdrawn_at,
                originator=recall.originator,
                reason=recall.reason,
                confirmed=sorted(recall.confirmed),
                pending=list(recall.pending),
            )
            for recall in reversed(recalls)
        ]
