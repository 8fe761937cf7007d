"""Switch on that a finger on the scanner begins a check, and off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from edge.booth.check_routes import CheckOrder
from edge.booth.deciders import DECIDERS
from edge.web.access import current_session, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.booth.automatic_start import AutomaticStart
    from edge.web.sessions import Sessions

    Presence: TypeAlias = Callable[[Request], Callable[[], bool]]


class AutomaticOrder(BaseModel):
    """order: what each check is of."""

    model_config = ConfigDict(extra="forbid")

    is_on: bool
    order: CheckOrder = CheckOrder()


def automatic_start_routes(
    automatic: AutomaticStart,
    officer: Callable[[Request], str],
    presence: Presence,
) -> APIRouter:
    """officer: returns the name of the account that sends a request.

    presence: returns what tells whether that officer is still signed in.
    """
    router = APIRouter(
        prefix="/api/automatic-start", dependencies=[Depends(require(*DECIDERS))]
    )

    @router.get("")
    def read_state() -> dict[str, Any]:
        return automatic.view()

    @router.put("")
    def switch(wish: AutomaticOrder, http: Request) -> dict[str, Any]:
        if wish.is_on:
            automatic.switch_on(wish.order.request(officer(http)), presence(http))
        else:
            automatic.switch_off()
        return automatic.view()

    return router


def presence_at(sessions: Sessions) -> Presence:
    """Return what tells of a request whether its session goes on."""

    def presence(request: Request) -> Callable[[], bool]:
        session = current_session(request)
        return lambda: sessions.is_live(session)

    return presence
