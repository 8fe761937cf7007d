"""The booth's web application: start a check, follow it, ask for the booth's state.

It is served on loopback only, and behind the guard of edge.web: without a session
nothing but the sign-in and the traveller's view is reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import StreamingResponse  # noqa: TC002  FastAPI reads it

from edge.booth.pages import STATIC, TRAVELLER_PATHS, pages_router
from edge.web.access import current_session
from edge.web.event_stream import event_stream
from edge.web.site import furnish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi import APIRouter

    from edge.web.events import EventFeed
    from edge.web.site import Site


def create_app(
    feed: EventFeed,
    health: Callable[[], dict[str, Any]],
    instructions: Callable[[str | None], list[dict[str, Any]]],
    site: Site,
    routers: Sequence[APIRouter],
) -> FastAPI:
    """Build the application over the routes of the desk and its feed.

    health, instructions: sources of JSON-ready data; instructions of one hit, or of
    all for None, oldest first. routers: of checks,
    live pictures, hits and pages.
    """
    app = FastAPI(title="Edge booth", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/api/health")
    def read_health() -> dict[str, Any]:
        return health()

    @app.get("/api/instructions")
    def read_instructions(
        hit_id: Annotated[str | None, Query(max_length=64)] = None,
    ) -> list[dict[str, Any]]:
        return instructions(hit_id)

    @app.get("/api/events")
    async def read_events(request: Request) -> StreamingResponse:
        session = current_session(request)
        return event_stream(request, feed, lambda: site.sessions.is_live(session))

    app.include_router(pages_router(site, feed))
    for router in routers:
        app.include_router(router)
    return furnish(app, site, static=STATIC, public=TRAVELLER_PATHS)
