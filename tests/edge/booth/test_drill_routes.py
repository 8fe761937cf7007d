"""Supervisors arm drills; nobody else does."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from edge.booth.drill_routes import drill_routes
from edge.errors import DrillError


class Drilling:
    """Implements edge.booth.drill_routes.Drilling."""

    def __init__(self):
        self.armed = None

    def view(self):
        return {"armed": self.armed, "persons": [], "results": []}

    def arm(self, officer, entry_id):
        if self.armed:
            raise DrillError("a drill is armed already")
        self.armed = [officer, entry_id]
        return self.view()

    def disarm(self, officer):
        was_armed, self.armed = self.armed, None
        return was_armed is not None and was_armed[0] == officer


@pytest.fixture
def ask():
    def supervisor(request):
        name = request.headers["x-officer"]
        if not name.startswith("supervisor"):
            raise HTTPException(403, "only for: supervisor")
        return name

    def reader(request):
        if request.headers["x-officer"] == "engineer-1":
            raise HTTPException(403, "only for: officer, supervisor")

    app = FastAPI()
    app.include_router(drill_routes(Drilling(), reader, supervisor))

    def _ask(method, path="", *, officer="supervisor-1", **options):
        async def exchange():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(
                    method,
                    f"http://booth/api/drills{path}",
                    headers={"X-Officer": officer},
                    **options,
                )

        return asyncio.run(exchange())

    return _ask


def test_a_supervisor_arms_once_reads_and_disarms(ask):
    assert ask("GET").json()["armed"] is None
    answer = ask("POST", json={"entry_id": "drill-7"})
    assert answer.status_code == 201
    assert answer.json()["armed"] == ["supervisor-1", "drill-7"]
    assert ask("POST", json={}).status_code == 409
    assert ask("DELETE", "/armed").json()["armed"] is None
    assert ask("DELETE", "/armed").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "officer"),
    [
        ("POST", "", "officer-1"),
        ("DELETE", "/armed", "officer-1"),
        ("GET", "", "engineer-1"),
    ],
)
def test_who_may_not_is_refused(ask, method, path, officer):
    options = {"json": {}} if method == "POST" else {}
    assert ask(method, path, officer=officer, **options).status_code == 403


def test_an_officer_sees_that_a_drill_is_armed(ask):
    ask("POST", json={})
    assert ask("GET", officer="officer-1").json()["armed"]


@pytest.mark.parametrize("order", [{"entry_id": ""}, {"surplus": 1}, []])
def test_what_is_no_order_is_refused(ask, order):
    assert ask("POST", json=order).status_code == 422
