"""The console's web application: the JSON API, its description, and the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from edge.console.access import Person, Viewer
from edge.console.account_routes import account_routes
from edge.console.audit_routes import audit_routes
from edge.console.case_routes import case_routes
from edge.console.draft_routes import draft_routes
from edge.console.live_routes import live_routes
from edge.console.pages import page_routes
from edge.console.post_routes import post_routes
from edge.console.refusals import add_refusals
from edge.console.watchlist_routes import watchlist_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from edge.console.desk import ConsoleDesk
    from edge.console.live_events import LiveEvents
    from edge.web.site import Site


def create_console(
    desk: ConsoleDesk,
    live: LiveEvents,
    identify: Callable[[Request], Person | None],
    site: Site,
) -> FastAPI:
    """Build the application.

    identify: who is signed in by the session of a request, None for nobody. Guarding
    against other hosts, forged requests and floods is for whoever wraps it.
    """
    app = FastAPI(
        title="Hub console",
        description="Cases, watchlist, posts and audit of a checkpoint hub.",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.identify = identify
    add_refusals(app)
    for router in (
        case_routes(desk),
        live_routes(live),
        post_routes(desk),
        watchlist_routes(desk),
        draft_routes(desk),
        audit_routes(desk),
        account_routes(desk, site.sessions),
        page_routes(site.pages),
    ):
        app.include_router(router)

    @app.get("/api/openapi.json", include_in_schema=False)
    def read_description(person: Viewer) -> dict[str, Any]:
        del person
        return app.openapi()

    return app
