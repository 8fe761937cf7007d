"""A small site with one account of each role, and a browser's way to ask it."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import Depends, FastAPI, Request

from edge.clock import ManualClock
from edge.records.accounts import Account, Role
from edge.store.accounts import StoredAccounts
from edge.store.database import open_database
from edge.web.access import require
from edge.web.accounts import Authenticator, LockoutPolicy, add_account
from edge.web.pages import Pages
from edge.web.sessions import Sessions
from edge.web.site import Site, furnish

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105  of accounts made for the test
BASE = "http://127.0.0.1:8710"


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture(scope="session")
def ready_store(tmp_path_factory):
    """Hash each password once: that takes a tenth of a second on purpose."""
    path = tmp_path_factory.mktemp("accounts") / "booth.db"
    database = open_database(path, "booth")
    accounts = StoredAccounts(database)
    for name, role in (("ada", Role.OFFICER), ("sam", Role.SUPERVISOR)):
        account = Account(name, name.title(), role)
        add_account(accounts, account, PASSWORD, actor="test", at=NOON)
    database.conn.execute("pragma wal_checkpoint(truncate)")
    database.conn.close()
    return path.read_bytes()


@pytest.fixture
def store(ready_store, tmp_path):
    path = tmp_path / "booth.db"
    path.write_bytes(ready_store)
    return path


@pytest.fixture
def open_accounts(store):
    @contextmanager
    def opened():
        database = open_database(store, "booth")
        try:
            yield StoredAccounts(database)
        finally:
            database.conn.close()

    return opened


@pytest.fixture
def site(open_accounts, clock):
    return Site(
        cookie="edge_test",
        authenticator=Authenticator(open_accounts, clock, LockoutPolicy(3, 60.0)),
        sessions=Sessions(clock, idle_s=600, longest_s=3600),
        pages=Pages(["edge.web"], site="Test"),
        clock=clock,
    )


@pytest.fixture
def app(site):
    app = FastAPI()
    supervisor = Depends(require(Role.SUPERVISOR))

    @app.get("/")
    def home() -> dict:
        return {"page": "home"}

    @app.get("/api/things")
    def read() -> dict:
        return {"things": []}

    @app.post("/api/things")
    async def write(request: Request) -> dict:
        return {"size": len(await request.body())}

    @app.get("/api/defect")
    def fail() -> dict:
        message = "what nobody has thought of"
        raise RuntimeError(message)

    @app.get("/api/reports", dependencies=[supervisor])
    def reports() -> dict:
        return {"reports": []}

    return furnish(app, site, static={})


class Browser:
    """Sends what a browser sends, keeps its cookie, follows nothing."""

    def __init__(self, app):
        self._app = app
        self.cookie = ""
        self.csrf = ""

    def ask(self, method, path, *, headers=None, base=BASE, **options):
        sent = {"Accept": "text/html", **(headers or {})}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if method != "GET":
            sent.setdefault("Origin", base)
            sent.setdefault("Sec-Fetch-Site", "same-origin")

        async def exchange():
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, headers=sent, **options)

        answer = asyncio.run(exchange())
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def sign_in(self, name="ada", password=PASSWORD):
        credentials = {"name": name, "password": password}
        answer = self.change("/api/session", json=credentials)
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
        return answer

    def change(self, path, **options):
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return self.ask("POST", path, headers=headers, **options)


@pytest.fixture
def browser(app):
    return Browser(app)
