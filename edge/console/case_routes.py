"""The API of the cases: the queue, one case with its evidence, and all that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Response

from edge.console import models
from edge.console.access import Actor, Judge, Leader, Viewer
from edge.console.case_detail import case_detail, case_image
from edge.console.case_export import export_case
from edge.console.case_views import case_view
from edge.console.comparisons import comparisons_of
from edge.console.instructions import STANDARD, instruction_command
from edge.console.refusals import NO_STORE, REFUSALS, json_answer
from edge.records.console_values import Case, CaseFilter, CaseState

if TYPE_CHECKING:
    from edge.console.desk import ConsoleDesk

HitId = Annotated[str, Path(min_length=1, max_length=64)]
PLACE = r"^[1-4]:\d{1,18}$"


def case_routes(desk: ConsoleDesk) -> APIRouter:
    router = APIRouter(prefix="/api/cases", tags=["cases"], responses=REFUSALS)
    _add_reading(router, desk)
    _add_claims(router, desk)
    _add_actions(router, desk)
    _add_evidence(router, desk)
    return router


def _add_reading(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.get(
        "",
        summary="The queue, or other cases, a page at a time",
        response_model=models.CaseList,
    )
    def list_cases(
        person: Viewer,
        state: Literal["open", "closed", "all"] = "open",
        booth: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[str | None, Query(pattern=PLACE)] = None,
        *,
        mine: bool = False,
        drill: bool | None = None,
    ) -> Response:
        asked = CaseFilter(
            state=None if state == "all" else CaseState(state),
            booth_id=booth,
            claimed_by=person.name if mine else None,
            is_drill=drill,
        )
        place = None if after is None else _place(after)
        now, limits = desk.clock.now(), desk.settings.alarms
        with desk.opened(person.name) as opened:
            last = opened.cases.last_event()
            cases = opened.cases.queue(asked, limit=limit, after=place)
            counts = opened.cases.counts()
        views = [case_view(case, now, limits) for case in cases]
        page = models.CaseList(
            cases=views,
            counts=models.CountsView(**vars(counts)),
            next=views[-1].place if len(views) == limit else None,
            last_event=last,
            now=now,
            overdue_after_s=limits.overdue_after_s,
            lost_after_s=limits.lost_after_s,
        )
        return json_answer(page)

    @router.get("/instructions", summary="Standard instructions to an officer")
    def list_instructions(person: Viewer) -> list[models.StandardInstruction]:
        del person
        return [models.StandardInstruction(key=k, text=t) for k, t in STANDARD.items()]

    @router.get("/{hit_id}", summary="One case with everything on it; audited")
    def read_case(hit_id: HitId, person: Judge) -> models.CaseDetail:
        with desk.opened(person.name) as opened:
            return case_detail(opened, desk, hit_id, person)


def _add_claims(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.post("/{hit_id}/claim", summary="Make a case one's own")
    def claim(hit_id: HitId, person: Actor) -> models.CaseView:
        with desk.opened(person.name) as opened:
            return _view(desk, opened.cases.claim(hit_id, at=desk.clock.now()))

    @router.post("/{hit_id}/release", summary="Give one's case back to the queue")
    def release(hit_id: HitId, person: Actor) -> models.CaseView:
        with desk.opened(person.name) as opened:
            return _view(desk, opened.cases.release(hit_id, at=desk.clock.now()))

    @router.post("/{hit_id}/take-over", summary="Make another's case one's own")
    def take_over(
        hit_id: HitId, order: models.TakeOver, person: Leader
    ) -> models.CaseView:
        with desk.opened(person.name) as opened:
            case = opened.cases.take_over(
                hit_id, reason=order.reason, at=desk.clock.now()
            )
        return _view(desk, case)


def _add_actions(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.post("/{hit_id}/instruct", summary="Tell the officer what to do")
    def instruct(
        hit_id: HitId, order: models.InstructionOrder, person: Actor
    ) -> models.CaseView:
        now = desk.clock.now()
        with desk.opened(person.name) as opened:
            known = opened.cases.case(hit_id)
            if known is None:
                raise HTTPException(404, f"case {hit_id}: there is none")
            command = instruction_command(known, order.text, order.valid_h, at=now)
            case = opened.cases.instruct(hit_id, command, order.text, at=now)
        return _view(desk, case)

    @router.post("/{hit_id}/note", summary="Write a remark into the timeline")
    def note(hit_id: HitId, remark: models.Remark, person: Actor) -> models.CaseView:
        with desk.opened(person.name) as opened:
            case = opened.cases.note(hit_id, remark.text, at=desk.clock.now())
        return _view(desk, case)

    @router.post("/{hit_id}/escalate", summary="Call for a supervisor")
    def escalate(
        hit_id: HitId, order: models.Escalation, person: Actor
    ) -> models.CaseView:
        with desk.opened(person.name) as opened:
            case = opened.cases.escalate(
                hit_id, reason=order.reason, at=desk.clock.now()
            )
        return _view(desk, case)

    @router.post("/{hit_id}/close", summary="End a case")
    def close(hit_id: HitId, closing: models.Closing, person: Actor) -> models.CaseView:
        with desk.opened(person.name) as opened:
            case = opened.cases.close(
                hit_id, closing.outcome, note=closing.note, at=desk.clock.now()
            )
        return _view(desk, case)


def _add_evidence(router: APIRouter, desk: ConsoleDesk) -> None:
    @router.get(
        "/{hit_id}/images/{kind}/{index}",
        summary="One image of the evidence or of the entry",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    def read_image(
        hit_id: HitId,
        kind: Literal["probe", "reference"],
        index: Annotated[int, Path(ge=0, le=200)],
        person: Judge,
    ) -> Response:
        with desk.opened(person.name) as opened:
            png = case_image(opened, hit_id, kind, index)
        if png is None:
            raise HTTPException(404, "there is no such image")
        return Response(png, media_type="image/png", headers=NO_STORE)

    @router.get(
        "/{hit_id}/comparisons", summary="Minutiae of both prints that correspond"
    )
    def read_comparisons(hit_id: HitId, person: Judge) -> models.Comparisons:
        with desk.opened(person.name) as opened:
            return comparisons_of(opened, hit_id)

    @router.post(
        "/{hit_id}/archive",
        summary="The case as one signed archive",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}},
    )
    def export(hit_id: HitId, person: Judge) -> Response:
        with desk.opened(person.name) as opened:
            data = export_case(opened, desk, hit_id, actor=person.name)
        name = f"case-{hit_id[:16]}.zip"
        headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/zip", headers=headers)


def _view(desk: ConsoleDesk, case: Case) -> models.CaseView:
    return case_view(case, desk.clock.now(), desk.settings.alarms)


def _place(text: str) -> tuple[int, int]:
    severity, _, number = text.partition(":")
    return int(severity), int(number)
