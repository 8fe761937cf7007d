"""The console behind its sign-in and its guard: the whole site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.console.access import Person
from edge.console.app import create_console
from edge.console.refusals import add_refusals
from edge.web.site import LOOPBACK_NAMES, furnish

if TYPE_CHECKING:
    from collections.abc import Collection

    from fastapi import FastAPI, Request

    from edge.console.desk import ConsoleDesk
    from edge.console.live_events import LiveEvents
    from edge.web.site import Site

# A draft of twelve images of 8 MiB each, as a form.
LARGEST_DRAFT = 97 * 1024 * 1024


def guarded_console(
    desk: ConsoleDesk,
    live: LiveEvents,
    site: Site,
    *,
    names: Collection[str],
    is_tls: bool,
) -> FastAPI:
    """Return the site; names: under which it is reached, besides loopback's."""
    app = create_console(desk, live, lambda request: _person(site, request), site)
    furnish(
        app,
        site,
        static={"console": "edge.console"},
        hosts=LOOPBACK_NAMES | set(names),
        is_tls=is_tls,
        other_bodies={"/api/drafts": LARGEST_DRAFT},
    )
    add_refusals(app)
    return app


def _person(site: Site, request: Request) -> Person | None:
    """Return who is signed in by the session that the guard found, if it goes on."""
    session = getattr(request.state, "session", None)
    if session is None or not site.sessions.is_live(session):
        return None
    return Person(session.account.name, session.account.role)
