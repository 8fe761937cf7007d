"""Getting in without signing in: every route of the processes that run."""

import re
from contextlib import closing

import httpx
import pytest

from edge.clock import SystemClock
from edge.config import load_config
from edge.services.booth_application import BoothParts, booth_application
from edge.web.client import signed_in
from edge.web.events import EventFeed
from edge.web.guard import CONTENT_POLICY

# What is open to everybody; whatever else there is answers 401 or leads to the sign-in.
OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/language"),
    ("POST", "/api/session"),
    ("GET", "/api/state"),
    ("GET", "/traveller"),
    ("GET", "/traveller/events"),
}
COOKIE = "edge_booth"
WRONG = "not the password"


def booth_routes():
    """Return (method, path) of every route, taken from the application itself."""
    nothing = [None] * 3
    parts = BoothParts(SystemClock(), EventFeed(), *nothing, *nothing)
    app = booth_application(load_config(), parts)
    return sorted(routes_of(app))


def routes_of(router):
    found = set()
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            found |= routes_of(inner)
        for method in getattr(route, "methods", None) or ():
            if method != "HEAD":
                found.add((method, re.sub(r"\{[^}]*\}", "1", route.path)))
    return found


@pytest.fixture
def nobody(checkpoint):
    with httpx.Client(base_url=checkpoint.system.booth_url, timeout=10) as client:
        yield client


@pytest.fixture
def officer(checkpoint):
    return checkpoint.client("booth", "officer-1")


def test_the_application_has_routes_to_try():
    routes = booth_routes()
    assert set(routes) >= OPEN - {("GET", "/traveller"), ("GET", "/traveller/events")}
    assert ("POST", "/api/checks") in routes
    assert ("GET", "/api/events") in routes


@pytest.mark.parametrize(
    ("method", "path"),
    [pytest.param(*r, id=" ".join(r)) for r in booth_routes() if r not in OPEN],
)
def test_no_route_answers_whoever_is_not_signed_in(nobody, method, path):
    for cookie in ({}, {COOKIE: "1"}, {COOKIE: "A" * 43}, {"edge_hub": "A" * 43}):
        headers = {"cookie": "; ".join(f"{k}={v}" for k, v in cookie.items())}
        answer = nobody.request(method, path, headers=headers)
        assert answer.status_code == 401, answer.text
        as_page = nobody.request(
            method, path, headers=headers | {"accept": "text/html"}
        )
        assert as_page.status_code in {401, 303}
        assert as_page.headers.get("location", "/sign-in").startswith("/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        "/api/health/",
        "//api/health",
        "/static/../api/health",
        "/static/%2e%2e/api/health",
        "/static/web/..%2f..%2f..%2fapi/health",
        "/%2fapi/health",
        "/api/state/../health",
        "/sign-in/../api/health",
        "/API/health",
        "/openapi.json",
        "/docs",
        "/redoc",
    ],
)
def test_no_other_spelling_of_a_path_leads_past_the_guard(checkpoint, path):
    # Sent as it stands: a client would tidy it up.
    url = httpx.URL(checkpoint.system.booth_url).copy_with(raw_path=path.encode())
    with httpx.Client() as client:
        answer = client.send(httpx.Request("GET", url))
    assert answer.status_code in {303, 400, 401, 404}
    assert "outbox_depth" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/web/%2e%2e/%2e%2e/config.py",
        "/static/web/../__init__.py",
        "/static/web/..%5c..%5cconfig.py",
        "/static/web/%00",
        "/static/web//etc/passwd",
        "/static/",
        "/static/web",
    ],
)
def test_the_static_folders_give_nothing_but_their_files(checkpoint, path):
    url = httpx.URL(checkpoint.system.booth_url).copy_with(raw_path=path.encode())
    with httpx.Client() as client:
        answer = client.send(httpx.Request("GET", url))
    assert answer.status_code in {303, 307, 400, 401, 404, 405}, answer.text


def test_a_page_leads_to_the_sign_in_and_back(nobody):
    answer = nobody.get("/", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/"


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "x:y",
    ],
)
def test_a_sign_in_never_leads_to_another_site(nobody, checkpoint, target):
    name, password = checkpoint.newcomer("booth")
    form = {"name": name, "password": password, "next": target}
    answer = nobody.post("/sign-in", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"


def test_the_cookie_of_a_session_is_kept_from_scripts_and_other_sites(
    nobody, checkpoint
):
    name, password = checkpoint.newcomer("booth")
    before = nobody.get("/sign-in").headers.get("set-cookie", "")
    answer = nobody.post("/api/session", json={"name": name, "password": password})
    cookie = answer.headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= parts
    assert not {part for part in parts if part.startswith(("domain=", "max-age="))}
    token = cookie.split(";")[0].split("=", 1)[1]
    assert len(token) >= 43
    assert token not in before, "a session that was there before the sign-in"


def test_a_session_that_was_ended_is_worth_nothing(checkpoint, nobody):
    name, password = checkpoint.newcomer("booth")
    with closing(signed_in(checkpoint.system.booth_url, name, password)) as client:
        kept = {"cookie": client.headers["cookie"]}
        assert nobody.get("/api/health", headers=kept).status_code == 200
        client.post("/sign-out")
    assert nobody.get("/api/health", headers=kept).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-csrf-token": ""}, 403),
        ({"x-csrf-token": "A" * 43}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.elsewhere.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "elsewhere.example"}, 421),
        ({"host": "127.0.0.1.elsewhere.example"}, 421),
    ],
)
def test_a_forged_request_starts_no_check(officer, headers, status):
    answer = officer.post("/api/checks", json={}, headers=headers)
    assert answer.status_code == status, answer.text


def test_a_form_of_another_site_starts_no_check(officer):
    answer = officer.post(
        "/api/checks", data={"csrf": "A" * 43}, headers={"x-csrf-token": ""}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/sign-in", "/api/health", "/static/web/design.css"])
def test_every_answer_carries_the_headers_that_protect_a_page(officer, nobody, path):
    for client in (officer, nobody):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy == CONTENT_POLICY
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
        expected = "no-cache" if path.startswith("/static/") else "no-store"
        assert headers["cache-control"] == expected


def test_a_body_that_is_too_large_is_refused_unread(nobody):
    answer = nobody.post("/api/session", content=b"x" * 2_000_000)
    assert answer.status_code == 413
    text = b'{"name": "' + b"x" * 100_000 + b'", "password": ""}'
    headers = {"content-type": "application/json"}
    answer = nobody.post("/api/session", content=text, headers=headers)
    assert answer.status_code == 422


def test_a_name_says_nothing_of_whether_it_exists(nobody, checkpoint):
    name, _ = checkpoint.newcomer("booth")
    answers = [
        nobody.post("/api/session", json={"name": who, "password": WRONG})
        for who in (name, "nobody-at-all")
    ]
    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_the_sites_are_on_loopback_only(checkpoint):
    for url in (checkpoint.system.booth_url, checkpoint.system.console_url):
        assert httpx.URL(url).host == "127.0.0.1"
