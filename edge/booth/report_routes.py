"""How the booth stands now, and how its checks went: for officer and supervisor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import AwareDatetime  # noqa: TC002  FastAPI reads it

from edge.records.accounts import Role
from edge.web.access import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.clock import Clock

LONGEST = timedelta(days=92)


def report_routes(
    statistics: Callable[[datetime, datetime], dict[str, Any]],
    status: Callable[[], dict[str, Any]],
    clock: Clock,
) -> APIRouter:
    """statistics: of the checks that ended in a span. status: of everything, now."""
    router = APIRouter(prefix="/api")
    supervisor = Depends(require(Role.SUPERVISOR))

    @router.get("/status")
    def read_status() -> dict[str, Any]:
        return status()

    @router.get("/statistics", dependencies=[supervisor])
    def read_statistics(
        start: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    ) -> dict[str, Any]:
        last = end or clock.now()
        first = start or last - timedelta(hours=24)
        if not timedelta(0) < last - first <= LONGEST:
            raise HTTPException(422, "from lies before to, at most 92 days")
        return statistics(first, last)

    return router
