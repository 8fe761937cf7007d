"""What stands before every route: nothing is reached without a session by mistake.

An ASGI middleware, so that a route that forgets to ask is closed all the same. In this
order: the host (against DNS rebinding), how often, how large, where from (Origin and
Fetch Metadata), the session, the token against forged requests. Its answers and those
of the routes carry the same headers: nothing may be stored, framed, or load anything
from elsewhere.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, quote

from edge.web.rate_limit import Rate, RateLimit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from edge.clock import Clock
    from edge.web.sessions import Session, Sessions

    Scope: TypeAlias = MutableMapping[str, Any]
    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPE = "application/x-www-form-urlencoded"
LARGEST_FORM = 65_536
SIGN_IN_PATHS = frozenset({"/sign-in", "/api/session"})
BACKGROUND_HEADER = "x-background"
CSRF_HEADER = "x-csrf-token"
USUAL_RATE = Rate(600, 200.0)
SIGN_IN_RATE = Rate(20, 0.5)
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True)
class GuardRules:
    """public, public_folders: what is open to everybody.

    hosts: names under which the site is reached, without port. is_tls: whether the line
    is encrypted here. largest_body: in bytes; other_bodies: path -> another limit.
    """

    cookie: str
    hosts: frozenset[str]
    public: frozenset[str] = frozenset()
    public_folders: tuple[str, ...] = ("/static/",)
    is_tls: bool = False
    largest_body: int = 262_144
    other_bodies: dict[str, int] = field(default_factory=dict)
    rate: Rate = USUAL_RATE
    sign_in_rate: Rate = SIGN_IN_RATE


@dataclass(frozen=True)
class _Refusal:
    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


class Guard:
    """Wraps an ASGI application; a session stands in scope["state"]["session"]."""

    def __init__(
        self, app: Application, *, rules: GuardRules, sessions: Sessions, clock: Clock
    ) -> None:
        self._app = app
        self._rules = rules
        self._sessions = sessions
        self._all = RateLimit(rules.rate, clock)
        self._sign_in = RateLimit(rules.sign_in_rate, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = _headers_of(scope)
        limited = _Limited(receive, self._limit(scope["path"]))
        answer = _Answer(self._headers(scope["path"]), send)
        refusal = self._look(scope, headers)
        session = scope.setdefault("state", {}).get("session")
        if refusal is None and session and scope["method"] not in SAFE_METHODS:
            refusal, limited = await self._look_at_token(session, headers, limited)
        if refusal is not None:
            await _refuse(answer, refusal)
            return
        if session is not None and BACKGROUND_HEADER not in headers:
            _note_person(scope, self._sessions, session)
        try:
            await self._app(scope, limited, answer)
        except Exception:
            # A defect, which goes on to the log; its answer is guarded like any other.
            if not answer.has_begun:
                await _refuse(answer, _Refusal(500, "this request met a defect"))
            raise

    def _limit(self, path: str) -> int:
        return self._rules.other_bodies.get(path, self._rules.largest_body)

    def _look(self, scope: Scope, headers: dict[str, str]) -> _Refusal | None:
        """Return why the request goes no further; sets the session."""
        method, path = scope["method"], scope["path"]
        if _host_name(headers.get("host", "")) not in self._rules.hosts:
            return _Refusal(421, "this site is not reached under this name")
        caller = (scope.get("client") or ("",))[0]
        wait_s = self._all.wait_s(caller)
        if not wait_s and path in SIGN_IN_PATHS and method not in SAFE_METHODS:
            wait_s = self._sign_in.wait_s(caller)
        if wait_s:
            after = (("retry-after", str(max(1, round(wait_s)))),)
            return _Refusal(429, "too many requests; wait a little", after)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limit(path):
            return _Refusal(413, "the request is too large")
        if method not in SAFE_METHODS and not self._is_own(headers):
            return _Refusal(403, "the request comes from another site")
        session = self._sessions.find(_cookie(headers, self._rules.cookie))
        scope.setdefault("state", {})["session"] = session
        if session is None and not self._is_public(path):
            return _sign_in_first(scope, headers)
        return None

    def _is_public(self, path: str) -> bool:
        return path in self._rules.public or path.startswith(self._rules.public_folders)

    def _is_own(self, headers: dict[str, str]) -> bool:
        """Return whether the request comes from our own pages, or from no browser."""
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        scheme = "https" if self._rules.is_tls else "http"
        return origin is None or origin == f"{scheme}://{headers.get('host', '')}"

    async def _look_at_token(
        self, session: Session, headers: dict[str, str], limited: _Limited
    ) -> tuple[_Refusal | None, _Limited]:
        given = headers.get(CSRF_HEADER, "")
        if not given and headers.get("content-type", "").startswith(FORM_TYPE):
            body = await limited.whole(LARGEST_FORM)
            if body is None:
                return _Refusal(413, "the form is too large"), limited
            given = parse_qs(body.decode("utf-8", "replace")).get("csrf", [""])[0]
            limited = _Limited(_replayed(body, limited), LARGEST_FORM)
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            return _Refusal(403, "the request lacks the token of this session"), limited
        return None, limited

    def _headers(self, path: str) -> dict[str, str]:
        is_file = path.startswith("/static/")
        common = dict(HEADERS)
        common["cache-control"] = "no-cache" if is_file else "no-store"
        if self._rules.is_tls:
            common["strict-transport-security"] = "max-age=31536000"
        return common


class _Answer:
    """Sends an answer with the headers that each has."""

    def __init__(self, headers: dict[str, str], send: Send) -> None:
        self.has_begun = False
        self._headers = headers
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            kept = [h for h in message["headers"] if h[0].decode() not in self._headers]
            ours = [(k.encode(), v.encode()) for k, v in self._headers.items()]
            message["headers"] = [*kept, *ours]
        await self._send(message)


class _Limited:
    """Reads a body up to a limit."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                # The line is ended: who sends more than announced is no browser.
                return {"type": "http.disconnect"}
        return message

    async def whole(self, limit: int) -> bytes | None:
        """Return the whole body, None if it is over the limit."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self()
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


def _replayed(body: bytes, rest: Receive) -> Receive:
    messages: list[Message] = [
        {"type": "http.request", "body": body, "more_body": False}
    ]

    async def receive() -> Message:
        return messages.pop() if messages else await rest()

    return receive


def _note_person(scope: Scope, sessions: Sessions, session: Session) -> None:
    """A page that is opened or a change is a person; what a page polls is not."""
    is_change = scope["method"] not in SAFE_METHODS
    is_page = not scope["path"].startswith("/api/")
    if is_change or is_page:
        sessions.touch(session)


def _sign_in_first(scope: Scope, headers: dict[str, str]) -> _Refusal:
    is_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    if not is_page or scope["path"].startswith("/api/"):
        return _Refusal(401, "sign in first")
    target = "/sign-in?next=" + quote(scope["path"], safe="/")
    return _Refusal(303, "sign in first", (("location", target),))


async def _refuse(send: Send, refusal: _Refusal) -> None:
    body = json.dumps({"detail": refusal.text}).encode()
    headers = [(k.encode(), v.encode()) for k, v in refusal.headers]
    headers += [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    start = {"type": "http.response.start", "status": refusal.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _headers_of(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in scope["headers"]
    }


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] or host


def _cookie(headers: dict[str, str], name: str) -> str:
    for part in headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""
