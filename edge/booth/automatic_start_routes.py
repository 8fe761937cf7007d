"""Switch on that a finger on the scanner begins a check, and off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from edge.booth.check_routes import CheckOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.booth.automatic_start import AutomaticStart


class AutomaticOrder(BaseModel):
    """order: what each check is of."""

    model_config = ConfigDict(extra="forbid")

    is_on: bool
    order: CheckOrder = CheckOrder()


def automatic_start_routes(
    automatic: AutomaticStart,
    officer: Callable[[Request], str],
    presence: Callable[[Request], Callable[[], bool]],
) -> APIRouter:
    """officer: returns the name of the account that sends a request.

    presence: returns what tells whether that officer is still signed in.
    """
    router = APIRouter(prefix="/api/automatic-start")

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
