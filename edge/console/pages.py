"""The pages of the console; what they show, they ask of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse  # noqa: TC002  FastAPI reads it

from edge.console.access import (
    ACTING,
    AUDITING,
    KEEPING_ACCOUNTS,
    LEADING,
    SEEING_BIOMETRICS,
    Auditor,
    Keeper,
    Person,
    Viewer,
)
from edge.records.accounts import HUB_ROLES

if TYPE_CHECKING:
    from edge.web.pages import Pages


@dataclass(frozen=True)
class Item:
    """One item of the navigation, for these roles."""

    name: str
    path: str
    text: str
    icon: str
    roles: frozenset[str]


NAVIGATION: Final = (
    Item("cases", "/", "Cases", "list", HUB_ROLES),
    Item("posts", "/posts", "Posts", "map", HUB_ROLES),
    Item("watchlist", "/watchlist", "Watchlist", "search", HUB_ROLES),
    Item("accounts", "/accounts", "Accounts", "people", KEEPING_ACCOUNTS),
    Item("audit", "/audit", "Audit", "shield", AUDITING),
)
# What the common script says; the console speaks English.
TEXTS: Final = {
    "web.close": "Close",
    "web.unreachable": "The console cannot be reached.",
    "web.refused": "The console has refused this.",
}


def page_routes(pages: Pages) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    def page(request: Request, person: Person, name: str, **more: Any) -> HTMLResponse:  # noqa: ANN401  whatever a template shows
        return pages.render(
            request,
            f"{name}.html",
            page=name,
            heading=name.capitalize(),
            script=f"{name}.js",
            navigation=[item for item in NAVIGATION if person.role in item.roles],
            me=_me(person),
            texts=TEXTS,
            **more,
        )

    @router.get("/")
    def show_cases(request: Request, person: Viewer) -> HTMLResponse:
        return page(request, person, "cases", selected="")

    @router.get("/cases/{hit_id}")
    def show_case(request: Request, hit_id: str, person: Viewer) -> HTMLResponse:
        return page(request, person, "cases", selected=hit_id)

    @router.get("/posts")
    def show_posts(request: Request, person: Viewer) -> HTMLResponse:
        return page(request, person, "posts")

    @router.get("/watchlist")
    def show_watchlist(request: Request, person: Viewer) -> HTMLResponse:
        return page(request, person, "watchlist")

    @router.get("/accounts")
    def show_accounts(request: Request, person: Keeper) -> HTMLResponse:
        return page(request, person, "accounts")

    @router.get("/audit")
    def show_audit(request: Request, person: Auditor) -> HTMLResponse:
        return page(request, person, "audit")

    return router


def _me(person: Person) -> dict[str, str | bool]:
    return {
        "name": person.name,
        "role": person.role,
        "may_act": person.role in ACTING,
        "may_lead": person.role in LEADING,
        "may_see": person.role in SEEING_BIOMETRICS,
    }
