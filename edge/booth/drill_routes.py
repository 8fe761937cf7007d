"""Arm a drill, as a supervisor; read whether one is armed and what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from edge.errors import DrillError

if TYPE_CHECKING:
    from collections.abc import Callable


class Drilling(Protocol):
    """Methods raise StoreError where the store fails."""

    def view(self) -> dict[str, Any]:
        """Return the armed drill, who can be presented, and the last results."""
        ...

    def arm(self, officer: str, entry_id: str | None) -> dict[str, Any]:
        """Let the next check be a drill; return the view.

        Raises:
            DrillError: nobody can be presented, or a drill waits.
        """
        ...

    def disarm(self, officer: str) -> bool:
        """Take the armed drill back; False if none waits."""
        ...


class DrillOrder(BaseModel):
    """entry_id: which synthetic person; left out: the newest on the list."""

    model_config = ConfigDict(extra="forbid")

    entry_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None


def drill_routes(
    drilling: Drilling,
    reader: Callable[[Request], object],
    supervisor: Callable[[Request], str],
) -> APIRouter:
    """Build the routes.

    reader: raises HTTPException for who may not even look; an officer may, whose next
    check it is. supervisor: the name of who asks, or raises HTTPException.
    """
    router = APIRouter(prefix="/api/drills")

    @router.get("")
    def read_drills(request: Request) -> dict[str, Any]:
        reader(request)
        return drilling.view()

    @router.post("", status_code=201)
    def arm(request: Request, order: DrillOrder) -> dict[str, Any]:
        try:
            return drilling.arm(supervisor(request), order.entry_id)
        except DrillError as error:
            raise HTTPException(409, str(error)) from error

    @router.delete("/armed")
    def disarm(request: Request) -> dict[str, Any]:
        if not drilling.disarm(supervisor(request)):
            raise HTTPException(404, "no drill is armed")
        return drilling.view()

    return router
