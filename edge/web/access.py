"""Who may use a route: the session of the request, and its role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import HTTPException, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.records.accounts import Role
    from edge.web.sessions import Session


def current_session(request: Request) -> Session:
    """Return the session of a request that has passed the guard.

    Raises:
        HTTPException: 401, on a path that is open to everybody.
    """
    session: Session | None = getattr(request.state, "session", None)
    if session is None:
        raise HTTPException(401, "sign in first")
    return session


def require(*roles: Role) -> Callable[[Request], Session]:
    """Return a dependency that lets only these roles pass, and gives the session."""

    def check(request: Request) -> Session:
        session = current_session(request)
        if session.account.role not in roles:
            names = ", ".join(sorted(roles))
            raise HTTPException(403, f"only for: {names}")
        return session

    return check


def actor(request: Request) -> str:
    """Return the name of the account that sends a request."""
    return current_session(request).account.name
