import io
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from edge.booth.app import create_app
from edge.booth.automatic_start import AutomaticStart
from edge.booth.automatic_start_routes import automatic_start_routes, presence_at
from edge.booth.check_routes import check_routes
from edge.booth.comparison_routes import comparison_routes
from edge.booth.desk import CheckDesk
from edge.booth.live import LiveView
from edge.booth.live_routes import live_routes
from edge.checkpoint.check import CheckEvent, CheckResult
from edge.clock import ManualClock
from edge.errors import ModelError, StoreError
from edge.logs import EventLog
from edge.records.accounts import Account, Role
from edge.store.accounts import StoredAccounts
from edge.store.database import open_database
from edge.terms import (
    ExemptionKind,
    ExemptionReason,
    FaceBox,
    FaceGuidance,
    FaceInstruction,
    FingerPosition,
    Modality,
    Outcome,
    PresentationDecision,
    PresentationVerdict,
    Quality,
    QualityReason,
    SearchedFace,
)
from edge.web.access import actor
from edge.web.accounts import Authenticator
from edge.web.events import EventFeed
from edge.web.pages import Pages
from edge.web.sessions import Sessions
from edge.web.site import Site

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
BOX = FaceBox(100.26, 80.0, 220.0, 240.0)
GUIDANCE = FaceGuidance(
    instruction=FaceInstruction.CLOSER,
    seen=FaceInstruction.OK,
    face=BOX,
    faces=(BOX, BOX),
    is_picked=False,
    quality=Quality(
        40,
        (QualityReason.FACE_TOO_SMALL,),
        is_sufficient=False,
        measures={"yaw_deg": 3.21, "luminance": 0.4},
    ),
    is_usable=False,
    is_steady=True,
    width_px=640,
    height_px=480,
)


class ScriptedRunner:
    """Stands where CheckRunner stands; ends a check when it is told to."""

    def __init__(self):
        self.may_end = threading.Event()
        self.may_end.set()
        self.error = None
        self.requests = []
        self.picked = []
        self.orders = []
        self.face = None

    def run(self, request, on_event, officer):
        self.requests.append(request)
        on_event(CheckEvent("c1", "assess", Modality.FINGERPRINT, 1, None, Quality(70)))
        on_event(CheckEvent("c1", "assess", Modality.FACE, 1, guidance=GUIDANCE))
        assert self.may_end.wait(10)
        self.picked += [officer.picked(), officer.picked()]
        while officer.orders.is_waiting(Modality.FINGERPRINT):
            self.orders.append(officer.orders.take(Modality.FINGERPRINT))
        if self.error is not None:
            raise self.error
        return CheckResult(
            check_id="c1",
            outcome=Outcome.CLEAR,
            reasons=(),
            candidates=(),
            entry=None,
            hit_id=None,
            attempts={Modality.FINGERPRINT: 1},
            quality={Modality.FINGERPRINT: Quality(70)},
            timings_ms={"decide": 0.1},
            face=self.face,
        )


class NoHits:
    """Stands where the comparisons of hits come from; knows one hit."""

    def view(self, hit_id, *, officer):
        return {"fingers": [], "face": None, "by": officer} if hit_id == "h1" else None

    def face(self, hit_id, side):
        return f"{side} of {hit_id}".encode() if hit_id == "h1" else None


@pytest.fixture
def runner():
    return ScriptedRunner()


@pytest.fixture
def feed():
    return EventFeed()


@pytest.fixture
def desk(runner, feed):
    @contextmanager
    def open_runner():
        yield runner

    log = EventLog(ManualClock(NOON), "edge-booth", io.StringIO())
    desk = CheckDesk(open_runner, feed, log)
    desk.open()
    yield desk
    runner.may_end.set()
    desk.close()


@pytest.fixture
def site(tmp_path):
    @contextmanager
    def opened():
        database = open_database(tmp_path / "booth.db", "booth")
        try:
            yield StoredAccounts(database)
        finally:
            database.conn.close()

    clock = ManualClock(NOON)
    return Site(
        cookie="edge_test",
        authenticator=Authenticator(opened, clock),
        sessions=Sessions(clock, idle_s=600, longest_s=3600),
        pages=Pages(["edge.web"], site="booth-1"),
        clock=clock,
    )


@pytest.fixture
def automatic(desk, feed):
    running = AutomaticStart(desk, None, feed)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def ask(desk, feed, site, automatic):
    """Send one request to the application, in this process."""
    import asyncio  # noqa: PLC0415  only here does a test meet the event loop

    app = create_app(
        feed,
        lambda: {"booth_id": "booth-1"},
        lambda hit_id: [{"hit_id": hit_id}],
        site,
        [
            check_routes(desk, actor),
            live_routes(LiveView(None)),
            automatic_start_routes(automatic, actor, presence_at(site.sessions)),
            comparison_routes(NoHits(), actor),
        ],
    )
    sessions = {
        role: site.sessions.begin(Account(name, name.title(), role))
        for name, role in (("ada", Role.OFFICER), ("eve", Role.ENGINEER))
    }

    def _ask(method, path, role=Role.OFFICER, **options):
        session = sessions[role]
        headers = {"Cookie": f"edge_test={session.token}", "X-CSRF-Token": session.csrf}

        async def exchange():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", headers=headers
            ) as client:
                return await client.request(method, path, **options)

        return asyncio.run(exchange())

    return _ask


def _finished(ask, ticket):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        state = ask("GET", f"/api/checks/{ticket}").json()
        if state["state"] != "running":
            return state
        time.sleep(0.005)
    pytest.fail("the check did not end")


def test_a_check_is_started_and_its_result_read(ask, runner):
    reply = ask("POST", "/api/checks", json={})
    assert reply.status_code == 202
    state = _finished(ask, reply.json()["ticket"])
    assert state["result"]["outcome"] == "clear"
    assert runner.requests[0].modalities == (Modality.FINGERPRINT, Modality.FACE)
    assert runner.requests[0].positions == (FingerPosition.RIGHT_INDEX,)


def test_modalities_and_fingers_can_be_chosen(ask, runner):
    order = {"modalities": ["fingerprint"], "positions": [7, 2, 7]}
    _finished(ask, ask("POST", "/api/checks", json=order).json()["ticket"])
    assert runner.requests[0].modalities == (Modality.FINGERPRINT,)
    assert [int(p) for p in runner.requests[0].positions] == [7, 2]


def test_one_check_at_a_time(ask, runner):
    runner.may_end.clear()
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    assert ask("POST", "/api/checks", json={}).status_code == 409
    runner.may_end.set()
    assert _finished(ask, ticket)["state"] == "finished"
    assert ask("POST", "/api/checks", json={}).status_code == 202


@pytest.mark.parametrize(
    "order",
    [
        {"modality": "face"},
        {"modalities": []},
        {"modalities": ["iris"]},
        {"positions": [0]},
        {"positions": [11]},
        {"positions": "index"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(ask, order):
    assert ask("POST", "/api/checks", json=order).status_code == 422


def test_an_unknown_check_is_not_found(ask):
    assert ask("GET", "/api/checks/nonsense").status_code == 404


def test_a_check_that_cannot_be_recorded_says_so_and_the_next_one_runs(ask, runner):
    runner.error = StoreError("cannot write the store: disk full")
    state = _finished(ask, ask("POST", "/api/checks", json={}).json()["ticket"])
    assert state == {
        "state": "failed",
        "result": None,
        "error": "cannot write the store: disk full",
    }
    runner.error = None
    state = _finished(ask, ask("POST", "/api/checks", json={}).json()["ticket"])
    assert state["state"] == "finished"


def test_the_screen_hears_progress_and_end(ask, feed):
    listener = feed.listen()
    _finished(ask, ask("POST", "/api/checks", json={}).json()["ticket"])
    events = [listener.get(timeout=5) for _ in range(4)]
    names = [event["event"] for event in events]
    assert names == ["check_started", *["check_progress"] * 2, "check_finished"]
    assert events[1]["quality"] == 70


def test_health_comes_from_the_booth(ask):
    assert ask("GET", "/api/health").json() == {"booth_id": "booth-1"}


def test_instructions_are_those_of_a_hit_or_of_all(ask):
    asked = "/api/instructions"
    assert ask("GET", asked).json() == [{"hit_id": None}]
    assert ask("GET", f"{asked}?hit_id=h1").json() == [{"hit_id": "h1"}]
    assert ask("GET", f"{asked}?hit_id={'h' * 65}").status_code == 422


def test_a_runner_that_cannot_be_opened_stops_the_start(feed):
    @contextmanager
    def open_runner():
        raise ModelError("leader: damaged")
        yield

    log = EventLog(ManualClock(NOON), "edge-booth", io.StringIO())
    desk = CheckDesk(open_runner, feed, log)
    with pytest.raises(ModelError, match="leader: damaged"):
        desk.open()
    assert not desk.is_alive()


def test_each_frame_of_the_camera_leads_the_traveller_by_words_and_places(ask, feed):
    listener = feed.listen()
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    _finished(ask, ticket)
    events = iter(listener.get_nowait, None)
    told = next(e["guidance"] for e in events if e.get("guidance"))
    assert told == {
        "instruction": "closer",
        "face": {
            "left_px": 100.3,
            "top_px": 80.0,
            "right_px": 220.0,
            "bottom_px": 240.0,
        },
        "faces": [told["face"], told["face"]],
        "is_picked": False,
        "is_usable": False,
        "is_steady": True,
        "frame": {"width_px": 640, "height_px": 480},
        "measures": {"yaw_deg": 3.2},
    }


def test_the_officer_points_at_one_of_several_faces(ask, runner):
    runner.may_end.clear()
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    for x in (10, 320.5):
        reply = ask("POST", f"/api/checks/{ticket}/face", json={"x_px": x, "y_px": 200})
        assert reply.status_code == 202
    runner.may_end.set()
    _finished(ask, ticket)
    assert runner.picked == [(320.5, 200.0), None]
    late = ask("POST", f"/api/checks/{ticket}/face", json={"x_px": 1, "y_px": 1})
    assert late.status_code == 409


def test_a_face_pointed_at_in_one_check_is_not_followed_in_the_next(ask, runner, desk):
    runner.may_end.clear()
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    runner.may_end.set()
    _finished(ask, ticket)
    assert not desk.pick_face(ticket, 1.0, 1.0)
    _finished(ask, ask("POST", "/api/checks", json={}).json()["ticket"])
    assert runner.picked == [None] * 4


@pytest.mark.parametrize(
    "body",
    [{}, {"x_px": -1, "y_px": 0}, {"x_px": 1e9, "y_px": 0}, {"x_px": "a", "y_px": 1}],
)
def test_a_point_that_is_none_is_refused(ask, body):
    assert ask("POST", "/api/checks/x/face", json=body).status_code == 422


def test_a_point_for_a_check_that_never_was_is_refused(ask):
    reply = ask("POST", "/api/checks/x/face", json={"x_px": 1, "y_px": 1})
    assert reply.status_code == 404


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [
        (None, None),
        (
            PresentationVerdict(),
            {"decision": "not_judged", "bona_fide_score": None, "threshold": None},
        ),
        (
            PresentationVerdict(PresentationDecision.ATTACK, 0.2, 0.5),
            {"decision": "attack", "bona_fide_score": 0.2, "threshold": 0.5},
        ),
    ],
)
def test_the_officer_reads_which_face_it_was_and_how_it_was_presented(
    ask, runner, verdict, shown
):
    runner.face = SearchedFace(BOX, 640, 480, presentation=verdict)
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    face = _finished(ask, ticket)["result"]["face"]
    assert face["presentation"] == shown
    assert face["box"]["right_px"] == pytest.approx(220)
    assert face["frame"] == {"width_px": 640, "height_px": 480}


def test_orders_reach_the_running_check_with_the_officers_name(ask, runner):
    runner.may_end.clear()
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    said = {"reason": "bandaged", "note": "left hand", "instead": 7}
    assert ask("POST", f"/api/checks/{ticket}/skip", json=said).status_code == 202
    said = {"reason": "worn_ridges", "modality": "fingerprint"}
    assert ask("POST", f"/api/checks/{ticket}/override", json=said).status_code == 202
    assert ask("POST", f"/api/checks/{ticket}/cancel").status_code == 202
    runner.may_end.set()
    _finished(ask, ticket)
    kinds = [order.kind for order in runner.orders]
    assert kinds == [
        ExemptionKind.SKIPPED,
        ExemptionKind.OVERRIDDEN,
        ExemptionKind.CANCELLED,
    ]
    assert {order.officer for order in runner.orders} == {"ada"}
    assert runner.orders[0].note == "left hand"
    assert runner.orders[0].instead is FingerPosition.LEFT_INDEX


def test_an_order_for_a_check_that_is_over_or_unknown_is_refused(ask):
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    _finished(ask, ticket)
    assert ask("POST", f"/api/checks/{ticket}/cancel").status_code == 409
    assert ask("POST", "/api/checks/nonsense/cancel").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"reason": "lazy"},
        {"reason": "other"},
        {"reason": "other", "note": "  "},
        {"reason": "missing", "note": "x" * 501},
        {"reason": "missing", "instead": 0},
    ],
)
def test_a_reason_is_typed_and_the_other_one_told(ask, runner, said):
    runner.may_end.clear()
    ticket = ask("POST", "/api/checks", json={}).json()["ticket"]
    assert ask("POST", f"/api/checks/{ticket}/skip", json=said).status_code == 422


def test_what_is_not_there_can_be_said_before(ask, runner):
    gone = [{"modality": "fingerprint", "position": 2, "reason": "missing"}]
    order = {"unavailable": gone}
    _finished(ask, ask("POST", "/api/checks", json=order).json()["ticket"])
    (one,) = runner.requests[0].unavailable
    assert (one.position, one.reason) == (2, ExemptionReason.MISSING)
    assert runner.requests[0].officer == "ada"


def test_between_checks_there_is_no_live_picture(ask):
    for which in ("finger", "face"):
        reply = ask("GET", f"/api/live/{which}?after=0")
        assert (reply.status_code, reply.content) == (204, b"")
        assert reply.headers["cache-control"] == "no-store"


def test_comparisons_and_faces_of_a_hit(ask):
    found = ask("GET", "/api/hits/h1/comparisons").json()
    assert (found["fingers"], found["by"]) == ([], "ada")
    reply = ask("GET", "/api/hits/h1/faces/reference")
    assert reply.content == b"reference of h1"
    assert reply.headers["cache-control"] == "no-store"
    assert ask("GET", "/api/hits/h2/comparisons").status_code == 404
    assert ask("GET", "/api/hits/h2/faces/probe").status_code == 404
    assert ask("GET", "/api/hits/h1/faces/both").status_code == 422


def test_automatic_start_is_switched_on_and_off(ask):
    assert ask("GET", "/api/automatic-start").json()["is_on"] is False
    wish = {"is_on": True, "order": {"positions": [7]}}
    assert ask("PUT", "/api/automatic-start", json=wish).json()["is_on"] is True
    deadline = time.monotonic() + 5
    while ask("GET", "/api/automatic-start").json()["state"] != "scanner_absent":
        assert time.monotonic() < deadline, "no scanner was not told"
    assert ask("PUT", "/api/automatic-start", json={"is_on": False}).json() == {
        "is_on": False,
        "state": "off",
        "detail": "",
    }
    assert ask("PUT", "/api/automatic-start", json={}).status_code == 422


def test_automatic_start_ends_with_the_session(ask, site, automatic):
    ask("PUT", "/api/automatic-start", json={"is_on": True})
    site.sessions.end_all_of("ada")
    deadline = time.monotonic() + 5
    while automatic.view()["is_on"]:
        assert time.monotonic() < deadline, "it went on without an officer"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/live/finger"),
        ("GET", "/api/live/face"),
        ("GET", "/api/hits/h1/comparisons"),
        ("GET", "/api/hits/h1/faces/probe"),
        ("POST", "/api/checks"),
        ("GET", "/api/checks/t1"),
        ("POST", "/api/checks/t1/cancel"),
        ("PUT", "/api/automatic-start"),
    ],
)
def test_an_engineer_sees_no_traveller(ask, method, path):
    assert ask(method, path, role=Role.ENGINEER, json={}).status_code == 403
