"""Look at hits and decide on them.

Who asks is known from the session; the second officer signs in for the one verdict, on
the first one's screen, and gets no session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from edge.booth.hit_desk import Word
from edge.errors import AdjudicationError
from edge.records.decisions import NOTE_LIMIT
from edge.terms import Verdict, VerdictReason  # noqa: TC001  pydantic reads them

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.booth.hit_desk import HitDesk

HitId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
Index = Annotated[int, Path(ge=0, lt=100)]
NO_STORE = {"Cache-Control": "no-store"}


class VerdictOrder(BaseModel):
    """What an officer says of a hit."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    reason: VerdictReason
    note: Annotated[str, Field(max_length=NOTE_LIMIT)] = ""


class SecondOrder(VerdictOrder):
    """What the second officer says, with name and password."""

    name: Annotated[str, Field(max_length=512)]
    password: Annotated[str, Field(max_length=512)]


@dataclass(frozen=True)
class HitPeople:
    """Who is who; each raises HTTPException if it must not be.

    reader: the name of who may look. decider: of who may decide. second: of who has
    signed in with a name and a password for one verdict.
    """

    reader: Callable[[Request], str]
    decider: Callable[[Request], str]
    second: Callable[[str, str], str]


def hit_routes(
    desk: HitDesk,
    people: HitPeople,
    as_png: Callable[[bytes], bytes | None] = lambda data: data,
) -> APIRouter:
    """Build the routes; as_png: makes a PNG of an image that the hub has sent."""
    router = APIRouter(prefix="/api/hits")
    _add_reading(router, desk, people, as_png)
    _add_deciding(router, desk, people)
    return router


def _add_reading(
    router: APIRouter,
    desk: HitDesk,
    people: HitPeople,
    as_png: Callable[[bytes], bytes | None],
) -> None:
    @router.get("")
    def list_hits(
        request: Request, state: Literal["undecided", "all"] = "undecided"
    ) -> list[dict[str, Any]]:
        people.reader(request)
        return desk.hits(is_open=state == "undecided")

    @router.get("/{hit_id}")
    def read_hit(request: Request, hit_id: HitId) -> dict[str, Any]:
        return _found(desk.hit(hit_id, people.reader(request)))

    @router.get("/{hit_id}/images/{side}/{index}")
    def read_image(
        request: Request,
        hit_id: HitId,
        side: Literal["probe", "reference"],
        index: Index,
    ) -> Response:
        people.reader(request)
        data = desk.image(hit_id, side, index)
        png = None if data is None else as_png(data)
        if png is None:
            raise HTTPException(404, "no such image")
        return Response(png, media_type="image/png", headers=NO_STORE)


def _add_deciding(router: APIRouter, desk: HitDesk, people: HitPeople) -> None:
    @router.post("/{hit_id}/decision")
    def decide(request: Request, hit_id: HitId, order: VerdictOrder) -> dict[str, Any]:
        officer = people.decider(request)
        try:
            return _found(desk.decide(hit_id, officer, _word(order)))
        except AdjudicationError as error:
            raise HTTPException(409, str(error)) from error

    @router.post("/{hit_id}/second")
    def decide_second(
        request: Request, hit_id: HitId, order: SecondOrder
    ) -> dict[str, Any]:
        people.reader(request)
        officer = people.second(order.name, order.password)
        try:
            return _found(desk.decide_second(hit_id, officer, _word(order)))
        except AdjudicationError as error:
            raise HTTPException(409, str(error)) from error


def _word(order: VerdictOrder) -> Word:
    return Word(order.verdict, order.reason, order.note)


def _found(view: dict[str, Any] | None) -> dict[str, Any]:
    if view is None:
        raise HTTPException(404, "no such hit")
    return view
