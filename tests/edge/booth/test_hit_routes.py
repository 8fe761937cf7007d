"""An officer looks at a hit and decides; a second one signs in for one verdict."""

import asyncio
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from edge.booth.hit_desk import HitBook, HitDesk
from edge.booth.hit_routes import HitPeople, hit_routes
from edge.clock import ManualClock
from edge.simulate.hit_source import invented_hit
from edge.store.audit import lines_after
from edge.store.booth_hits import BoothHits
from edge.store.checks import CheckStore
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.outbox import StoredOutbox
from edge.store.reference_images import BoothReferenceImages, ExpectedImage
from edge.store.watchlist import BoothWatchlist
from edge.terms import (
    DRILL_CATEGORY,
    ChangeOperation,
    CheckRecord,
    DraftChange,
    Evidence,
    FingerPosition,
    Modality,
    Outcome,
    WatchlistEntry,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORDS = {"officer-2": "right", "officer-1": "own"}
FIRST = {"verdict": "confirm", "reason": "faces_agree"}
SECOND = {"name": "officer-2", "password": "right", **FIRST}


class Site:
    """The routes over real stores; who is signed in is the header X-Officer."""

    def __init__(self, folder):
        self.clock = ManualClock(NOON)
        self.events = []
        self.paths = folder / "booth.db", folder / "watchlist.db"
        self.needs_second = True
        picture = Evidence(
            Modality.FACE, FingerPosition.UNKNOWN, "image/png", b"\x89PNG captured"
        )
        invented = invented_hit("booth-1", NOON, evidence_bytes=50)
        self.hit = replace(invented, entry_id="e1", evidence=(picture,))
        with self.book() as book:
            check = CheckRecord(self.hit.check_id, NOON, NOON, Outcome.REFER, 1, (), 1)
            CheckStore(book.hits._database).record(check, self.hit)
            self.list_entry(book, "e1", "wanted")

    @contextmanager
    def book(self):
        booth = open_database(self.paths[0], "booth")
        watchlist = open_database(self.paths[1], "watchlist")
        with closing(booth.conn), closing(watchlist.conn):
            yield HitBook(
                BoothHits(booth),
                BoothReferenceImages(booth),
                StoredCommands(booth),
                BoothWatchlist(watchlist),
            )

    def list_entry(self, book, entry_id, category):
        entry = WatchlistEntry(
            *(entry_id, 1, category, "north", "A", "act", "Refer."),
            NOON,
            None,
            "Nobody",
        )
        add = DraftChange(ChangeOperation.ADD, entry_id, entry)
        book.watchlist.apply_local([add], at=NOON)

    def app(self):
        def reader(request):
            name = request.headers.get("x-officer", "officer-1")
            if name == "nobody":
                raise HTTPException(401, "sign in first")
            return name

        def decider(request):
            name = reader(request)
            if name.startswith("engineer"):
                raise HTTPException(403, "only for officers")
            return name

        def second(name, password):
            if PASSWORDS.get(name) != password:
                raise HTTPException(401, "wrong name or password")
            return name

        desk = HitDesk(
            self.book,
            self.events.append,
            self.clock,
            booth_id="booth-1",
            needs_second=self.needs_second,
        )
        app = FastAPI()
        app.include_router(hit_routes(desk, HitPeople(reader, decider, second)))
        return app

    def ask(self, method, path="", *, officer="officer-1", **options):
        async def exchange():
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(
                    method,
                    f"http://booth/api/hits{path}",
                    headers={"X-Officer": officer},
                    **options,
                )

        return asyncio.run(exchange())

    def get(self, path="", **options):
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def view(self):
        return self.get(f"/{self.hit.hit_id}")

    def decide(self, order=None, **options):
        path = f"/{self.hit.hit_id}/decision"
        return self.ask("POST", path, json=order or FIRST, **options)

    def decide_second(self, **changes):
        path = f"/{self.hit.hit_id}/second"
        return self.ask("POST", path, json={**SECOND, **changes})


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    site._app = site.app()
    return site


def test_a_hit_is_shown_with_all_that_helps_to_decide(site):
    view = site.view()
    assert view["entry"]["legal_basis"] == "act"
    assert view["entry"]["instruction"] == "Refer."
    assert (view["is_drill"], view["delivered"]) == (False, False)
    assert view["reference_images"] == "waiting"
    decision = view["decision"]
    assert (decision["state"], decision["needs_second"]) == ("undecided", True)
    assert decision["first"] is decision["second"] is None
    assert "faces_agree" in decision["reasons"]["confirm"]
    [candidate] = view["candidates"]
    rate = candidate["false_match_rate"]
    assert candidate["one_in_comparisons"] == round(1 / rate)
    # One entry is listed: as many travellers as comparisons.
    assert candidate["one_in"] == candidate["one_in_comparisons"]


def test_more_entries_mean_more_false_alarms(site):
    before = site.view()["candidates"][0]["one_in"]
    with site.book() as book:
        site.list_entry(book, "e2", "wanted")
    assert site.view()["candidates"][0]["one_in"] == pytest.approx(before / 2, abs=1)


def test_two_officers_decide(site):
    answer = site.decide()
    assert answer.status_code == 200
    assert answer.json()["state"] == "awaiting_second"
    assert site.get()[0]["state"] == "awaiting_second"
    assert site.decide_second().json()["state"] == "confirmed"
    decision = site.view()["decision"]
    assert decision["first"]["officer"] == "officer-1"
    assert decision["second"]["officer"] == "officer-2"
    assert site.get() == []
    assert site.get("?state=all")[0]["state"] == "confirmed"
    changed = {"event": "hit_changed", "hit_id": site.hit.hit_id}
    assert site.events == [changed, changed]
    with site.book() as book:
        waiting = StoredOutbox(book.hits._database).next_rows(limit=9, besides=())
    assert [row.kind for row in waiting] == ["hit", "decision", "decision"]


def test_one_officer_is_enough_where_policy_says_so(tmp_path):
    site = Site(tmp_path)
    site.needs_second = False
    site._app = site.app()
    assert site.decide().json()["state"] == "confirmed"
    assert site.decide_second().status_code == 409


def test_a_policy_that_changes_meanwhile_does_not_end_a_hit_early(site):
    site.decide()
    site.needs_second = False
    site._app = site.app()
    assert site.view()["decision"]["state"] == "awaiting_second"


def test_two_who_differ_dispute(site):
    site.decide()
    other = site.decide_second(verdict="refute", reason="faces_differ")
    assert other.json()["state"] == "disputed"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": "guess"}, 401),
        ({"name": "stranger"}, 401),
        ({"name": "officer-1", "password": "own"}, 409),
        ({"verdict": "perhaps"}, 422),
        ({"note": "n" * 1001}, 422),
        ({"surplus": 1}, 422),
    ],
)
def test_a_second_verdict_that_must_not_be_changes_nothing(site, changes, status):
    site.decide()
    assert site.decide_second(**changes).status_code == status
    assert site.view()["decision"]["state"] == "awaiting_second"


def test_nobody_decides_twice_or_before_the_first(site):
    assert site.decide_second().status_code == 409
    site.decide()
    assert site.decide(officer="officer-3").status_code == 409
    assert len(site.events) == 1


def test_who_may_not_decide_or_is_not_signed_in_is_refused(site):
    assert site.decide(officer="engineer-1").status_code == 403
    assert site.decide(officer="nobody").status_code == 401
    for path in ("", f"/{site.hit.hit_id}", f"/{site.hit.hit_id}/images/probe/0"):
        assert site.ask("GET", path, officer="nobody").status_code == 401


def test_what_is_not_there_is_not_found(site):
    assert site.ask("GET", "/hit-9").status_code == 404
    assert site.ask("POST", "/hit-9/decision", json=FIRST).status_code == 404
    assert site.ask("POST", "/hit-9/second", json=SECOND).status_code == 404
    for path in ("probe/9", "reference/0"):
        where = f"/{site.hit.hit_id}/images/{path}"
        assert site.ask("GET", where).status_code == 404


def test_captured_images_are_shown_and_never_cached(site):
    [image] = site.view()["images"]["probe"]
    answer = site.ask("GET", image["url"].removeprefix("/api/hits"))
    assert answer.content == site.hit.evidence[0].data
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "image/png"


def test_the_images_of_the_entry_appear_when_they_have_come(site):
    import hashlib  # noqa: PLC0415  only here

    data = b"\x89PNG reference"
    expected = ExpectedImage(
        *("r1", Modality.FINGERPRINT, FingerPosition.RIGHT_INDEX, len(data)),
        hashlib.sha256(data).digest(),
    )
    hit_id = site.hit.hit_id
    with site.book() as book:
        book.images.expect(hit_id, [expected], at=NOON)
    assert site.view()["reference_images"] == "waiting"
    assert site.view()["images"]["reference"] == []
    with site.book() as book:
        book.images.add_part(hit_id, "r1", 0, data, at=NOON)
    view = site.view()
    assert view["reference_images"] == "here"
    [image] = view["images"]["reference"]
    assert image["position"] == 2
    answer = site.ask("GET", image["url"].removeprefix("/api/hits"))
    assert answer.content == data


def test_no_images_come_when_the_hub_has_had_the_hit_for_a_while(site):
    with site.book() as book:
        outbox = StoredOutbox(book.hits._database)
        outbox.clear_many([site.hit.hit_id], at=site.clock.now())
    view = site.view()
    assert (view["delivered"], view["reference_images"]) == (True, "waiting")
    site.clock.advance(61)
    assert site.view()["reference_images"] == "none"


def test_what_the_hub_says_appears_with_the_hit(site):
    with site.book() as book:
        book.commands.add_instruction(site.hit.hit_id, "Hold.", "c1", at=NOON)
    assert [item["text"] for item in site.view()["instructions"]] == ["Hold."]


def test_each_officers_first_look_is_audited(site):
    for officer in ("officer-1", "officer-1", "officer-2"):
        site.get(f"/{site.hit.hit_id}", officer=officer)
    with site.book() as book:
        lines = lines_after(book.hits._database, 0, limit=100)
    looks = [line.actor for line in lines if line.action == "read hit"]
    assert looks == ["officer-1", "officer-2"]


def test_a_drill_is_marked_by_its_entry_and_by_the_hit(site):
    drill = replace(
        site.hit, hit_id="drill-hit", check_id="c9", entry_id="gone", is_drill=True
    )
    listed = replace(site.hit, hit_id="listed-hit", check_id="c8", entry_id="e9")
    with site.book() as book:
        site.list_entry(book, "e9", DRILL_CATEGORY)
        for hit in (drill, listed):
            check = CheckRecord(hit.check_id, NOON, NOON, Outcome.REFER, 1, (), 1)
            CheckStore(book.hits._database).record(check, hit)
    marks = {line["hit_id"]: line["is_drill"] for line in site.get("?state=all")}
    assert marks == {site.hit.hit_id: False, "drill-hit": True, "listed-hit": True}
    for hit_id, is_drill in marks.items():
        assert site.get(f"/{hit_id}")["is_drill"] is is_drill
