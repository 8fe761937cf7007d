"""Sign in, lock, sign out, choose a language: the same at booth and hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from edge.web.access import current_session
from edge.web.accounts import SignInError, SignInRefusal
from edge.web.languages import LANGUAGES
from edge.web.pages import LANGUAGE_COOKIE
from edge.web.sessions import Session

if TYPE_CHECKING:
    from edge.web.site import Site

Text = Annotated[str, Field(max_length=512)]
FormText = Annotated[str, Form(max_length=512)]
SIGNED_IN = Annotated[Session, Depends(current_session)]
YEAR_S = 365 * 24 * 3600
PUBLIC_PATHS = frozenset({"/sign-in", "/language", "/api/session", "/api/state"})


class Credentials(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    password: Text


def sign_in_router(site: Site) -> APIRouter:
    """Build the routes over a site."""
    router = APIRouter(include_in_schema=False)
    _add_pages(router, site)
    _add_json(router, site)

    @router.post("/language")
    def choose_language(
        request: Request, language: FormText, target: FormText = "/"
    ) -> Response:
        if language not in LANGUAGES:
            raise HTTPException(422, "no such language")
        session = request.state.session
        if session is not None:
            site.authenticator.use_language(session.account.name, language)
        answer = RedirectResponse(_own(target), 303)
        answer.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=YEAR_S,
            secure=True,
            httponly=True,
            samesite="strict",
        )
        return answer

    return router


def _add_pages(router: APIRouter, site: Site) -> None:
    @router.get("/sign-in")
    def show_sign_in(
        request: Request,
        next: str = "/",  # noqa: A002  the name in the address
        locked: str = "",
    ) -> Response:
        if request.state.session is not None:
            return RedirectResponse(_own(next), 303)
        return _page(site, request, name=locked[:64], target=next, locked=bool(locked))

    @router.post("/sign-in")
    def sign_in(
        request: Request,
        name: FormText,
        password: FormText,
        next: FormText = "/",  # noqa: A002
    ) -> Response:
        try:
            session = _begin(site, request, name, password)
        except SignInError as error:
            return _page(site, request, name=name[:64], target=next, error=error)
        answer = RedirectResponse(_own(next), 303)
        _set_cookie(site, answer, session)
        return answer

    @router.post("/sign-out")
    def sign_out(session: SIGNED_IN) -> Response:
        return _end(site, session, "signed_out", "/sign-in")

    @router.post("/lock")
    def lock(session: SIGNED_IN) -> Response:
        name = session.account.name
        return _end(site, session, "screen_locked", f"/sign-in?locked={name}")


def _add_json(router: APIRouter, site: Site) -> None:
    @router.post("/api/session")
    def begin(request: Request, credentials: Credentials) -> Response:
        try:
            session = _begin(site, request, credentials.name, credentials.password)
        except SignInError as error:
            return JSONResponse(
                {"detail": str(error), "reason": str(error.reason)},
                _status(error),
            )
        answer = JSONResponse(_view(site, session))
        _set_cookie(site, answer, session)
        return answer

    @router.get("/api/session")
    def read(session: SIGNED_IN) -> dict[str, Any]:
        return _view(site, session)

    @router.post("/api/session/active", status_code=204)
    def stay(session: SIGNED_IN) -> None:
        """A person has touched the screen; the guard has noted it."""
        del session

    @router.delete("/api/session")
    def end(session: SIGNED_IN) -> Response:
        return _end(site, session, "signed_out", "/sign-in")


def _begin(site: Site, request: Request, name: str, password: str) -> Session:
    account = site.authenticator.sign_in(name.strip(), password)
    old: Session | None = request.state.session
    if old is not None:
        site.sessions.end(old)
    return site.sessions.begin(account)


def _end(site: Site, session: Session, action: str, target: str) -> Response:
    name = session.account.name
    site.sessions.end(session)
    site.authenticator.note(actor=name, action=action, subject=name)
    answer = RedirectResponse(target, 303)
    answer.delete_cookie(site.cookie, secure=True, httponly=True, samesite="strict")
    return answer


def _page(
    site: Site,
    request: Request,
    *,
    name: str,
    target: str,
    locked: bool = False,
    error: SignInError | None = None,
) -> Response:
    return site.pages.render(
        request,
        "sign_in.html",
        status=200 if error is None else _status(error),
        name=name,
        target=_own(target),
        is_locked=locked,
        refusal=None if error is None else str(error.reason),
        wait_min=0 if error is None else max(1, round(error.wait_s / 60)),
    )


def _status(error: SignInError) -> int:
    return 429 if error.reason is SignInRefusal.LOCKED else 401


def _view(site: Site, session: Session) -> dict[str, Any]:
    account = session.account
    return {
        "name": account.name,
        "display_name": account.display_name,
        "role": str(account.role),
        "language": account.language,
        "csrf": session.csrf,
        "idle_s": site.sessions.idle_s,
    }


def _set_cookie(site: Site, answer: Response, session: Session) -> None:
    # No age: it ends with the browser. Secure holds on loopback too, which browsers
    # take for trustworthy.
    answer.set_cookie(
        site.cookie, session.token, secure=True, httponly=True, samesite="strict"
    )


def _own(target: str) -> str:
    """Return a path of this site; whatever else was asked for is the first page."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_own and target.isprintable() else "/"
