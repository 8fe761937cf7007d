"""The booth's pages: who may see them, in which language, and what they never say."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from edge.booth.pages import STATIC, TRAVELLER_PATHS, pages_router
from edge.clock import ManualClock
from edge.records.accounts import Account, Role
from edge.web.events import EventFeed
from edge.web.pages import Pages
from edge.web.sessions import Sessions
from edge.web.site import Site, furnish

COOKIE = "edge_booth"
INLINE = re.compile(
    r"<script(?![^>]*(src=|application/json))|\sstyle=|\son\w+=", re.IGNORECASE
)


class Browser:
    """Asks an application in this process, with the cookie of a session."""

    def __init__(self, app):
        self._app = app
        self.cookies = {}

    def get(self, path, headers=None):
        return asyncio.run(self._get(path, headers))

    async def _get(self, path, headers):
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", cookies=self.cookies
        ) as client:
            return await client.get(path, headers=headers)


class NoSignIn:
    def use_language(self, *_):
        pass


@pytest.fixture
def site():
    clock = ManualClock(datetime(2026, 1, 2, tzinfo=UTC))
    pages = Pages(["edge.booth", "edge.web"], site="booth-1")
    sessions = Sessions(clock, idle_s=60, longest_s=600)
    return Site(COOKIE, NoSignIn(), sessions, pages, clock)


@pytest.fixture
def client(site):
    app = FastAPI()
    app.include_router(pages_router(site, EventFeed()))
    furnish(app, site, static=STATIC, public=TRAVELLER_PATHS)
    return Browser(app)


def sign_in(client, site, role=Role.OFFICER, language="en"):
    account = Account("maria", "Maria", role, language)
    session = site.sessions.begin(account)
    client.cookies[COOKIE] = session.token


def test_nobody_sees_the_officers_screen_without_signing_in(client):
    page = client.get("/", headers={"accept": "text/html"})

    assert page.status_code == 303
    assert page.headers["location"] == "/sign-in?next=/"


def test_an_officer_sees_the_screen_but_not_the_supervisors(client, site):
    sign_in(client, site)

    assert 'data-testid="start"' in client.get("/").text
    assert client.get("/supervisor").status_code == 403


def test_a_supervisor_sees_charts_and_drills(client, site):
    sign_in(client, site, Role.SUPERVISOR)

    assert 'data-testid="drills"' in client.get("/supervisor").text


def test_arabic_runs_from_right_to_left(client, site):
    sign_in(client, site, language="ar")
    page = client.get("/")

    assert '<html lang="ar" dir="rtl">' in page.text
    assert "ابدأ الفحص" in page.text


def test_the_traveller_chooses_a_language_without_a_session(client):
    page = client.get("/traveller?language=fr")

    assert page.status_code == 200
    assert 'lang="fr" dir="ltr" data-stage="idle"' in page.text
    assert "Veuillez attendre" in page.text


def test_an_unknown_language_falls_back(client):
    page = client.get("/traveller?language=xx")

    assert 'lang="en" dir="ltr" data-stage="idle"' in page.text


@pytest.mark.parametrize("path", ["/", "/supervisor", "/traveller"])
def test_no_page_carries_inline_script_or_style(client, site, path):
    sign_in(client, site, Role.SUPERVISOR)

    assert INLINE.search(client.get(path).text) is None


@pytest.mark.parametrize("path", ["/", "/supervisor", "/traveller", "/sign-in"])
def test_every_file_of_a_page_is_there_and_small(client, site, path):
    if path != "/sign-in":
        sign_in(client, site, Role.SUPERVISOR)
    text = client.get(path).text
    seen, todo = set(), set(re.findall(r'(?:src|href)="(/static/[^"#]+)', text))
    total = len(text.encode())
    while todo:
        file = todo.pop()
        seen.add(file)
        found = client.get(file)
        assert found.status_code == 200, file
        total += len(found.content)
        if file.endswith(".js"):
            folder = file.rpartition("/")[0]
            near = re.findall(r'from "\./([^"]+)"', found.text)
            far = re.findall(r'from "(/static/[^"]+)"', found.text)
            todo |= {f"{folder}/{name}" for name in near} | set(far)
            todo -= seen

    assert total < 300_000
