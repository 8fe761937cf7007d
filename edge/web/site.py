"""One site: its sign-in, sessions and pages, and an application behind its guard."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from edge.errors import EdgeError, InputError, StoreError
from edge.web.guard import Guard, GuardRules
from edge.web.sign_in import PUBLIC_PATHS, sign_in_router

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

    from edge.clock import Clock
    from edge.web.accounts import Authenticator
    from edge.web.pages import Pages
    from edge.web.sessions import Sessions

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class Site:
    """cookie: the name of its session's cookie, another for each site of a machine."""

    cookie: str
    authenticator: Authenticator
    sessions: Sessions
    pages: Pages
    clock: Clock


def furnish(
    app: FastAPI,
    site: Site,
    *,
    static: Mapping[str, str],
    public: frozenset[str] = frozenset(),
    hosts: frozenset[str] = LOOPBACK_NAMES,
    is_tls: bool = False,
    other_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """Put sign-in, files and the guard around an application, and return it.

    static: name under /static/ -> package with a folder "static". public: further paths
    that are open to everybody. hosts: names under which the site is reached.
    """
    app.include_router(sign_in_router(site))

    @app.get("/api/state", include_in_schema=False)
    def read_state() -> dict[str, str]:
        return {"state": "ok"}

    @app.exception_handler(EdgeError)
    def refuse(_request: Request, error: Exception) -> JSONResponse:
        status = 422 if isinstance(error, InputError) else 503
        text = "the store cannot be used" if isinstance(error, StoreError) else ""
        return JSONResponse({"detail": str(error) or text}, status_code=status)

    for name, package in {"web": "edge.web", **static}.items():
        folder = resources.files(package) / "static"
        app.mount(f"/static/{name}", StaticFiles(directory=str(folder)), name=name)
    app.add_middleware(
        Guard,
        rules=GuardRules(
            cookie=site.cookie,
            hosts=hosts,
            public=PUBLIC_PATHS | public,
            is_tls=is_tls,
            other_bodies=dict(other_bodies or {}),
        ),
        sessions=site.sessions,
        clock=site.clock,
    )
    return app
