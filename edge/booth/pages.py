"""The booth's pages: the officer's screen, the supervisor's, and the traveller's view.

A page brings its frame and its texts; what it shows comes from the JSON interface. The
traveller's view is open to everybody and is told instructions alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from edge.booth.texts import officer_texts, traveller_texts
from edge.booth.traveller import traveller_view
from edge.records.accounts import Role
from edge.web.access import current_session, require
from edge.web.event_stream import event_stream
from edge.web.languages import LANGUAGES, RIGHT_TO_LEFT
from edge.web.sessions import Session

if TYPE_CHECKING:
    from edge.web.events import EventFeed
    from edge.web.site import Site

TRAVELLER_PATHS = frozenset({"/traveller", "/traveller/events"})
STATIC = {"booth": "edge.booth"}

Language = Annotated[str | None, Query(max_length=8)]
SIGNED_IN = Annotated[Session, Depends(current_session)]
SUPERVISING = Annotated[Session, Depends(require(Role.SUPERVISOR))]


def pages_router(site: Site, feed: EventFeed) -> APIRouter:
    """Build the pages over a site and the booth's events."""
    router = APIRouter(include_in_schema=False)
    pages = site.pages

    @router.get("/", response_class=HTMLResponse)
    def show_officer(request: Request, _session: SIGNED_IN) -> Response:
        texts = officer_texts(pages.language(request))
        return pages.render(request, "officer.html", texts=texts)

    @router.get("/supervisor", response_class=HTMLResponse)
    def show_supervisor(request: Request, _session: SUPERVISING) -> Response:
        texts = officer_texts(pages.language(request))
        return pages.render(request, "supervisor.html", texts=texts)

    @router.get("/traveller", response_class=HTMLResponse)
    def show_traveller(request: Request, language: Language = None) -> Response:
        # Chosen by the address: the cookie of a language is the officer's.
        chosen = language if language in LANGUAGES else None
        shown = chosen or pages.language(request)
        every = {code: traveller_texts(code) for code in LANGUAGES}
        return pages.render(
            request,
            "traveller.html",
            texts=every[shown],
            every=every,
            shown=shown,
            is_chosen=chosen is not None,
            right_to_left=sorted(RIGHT_TO_LEFT),
        )

    @router.get("/traveller/events")
    async def read_traveller(request: Request) -> StreamingResponse:
        return event_stream(request, feed, lambda: True, traveller_view)

    return router
