"""Six travellers through a whole checkpoint, judged by what the hub then holds."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from edge.errors import EdgeError
from edge.services.enrolment import publish_person
from edge.services.hub import hub_stores
from edge.services.wiring import shown_image
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.hub_images import StoredReferenceImages

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.services.enrolment import EnrolmentEngines
    from edge.services.system import LocalSystem
    from edge.simulate.scenario import Scenario, Traveller, WatchlistPerson

POLL_S = 0.02
LOOK_S = 0.3
REPLICATION_S = 30.0
CHECK_S = 60.0
DELIVERY_S = 30.0
SCENE_CHANGE_S = 0.7


class DemoError(EdgeError):
    """The demonstration could not go on."""


@dataclass
class TravellerReport:
    """What became of one traveller. timings_ms: stage -> milliseconds."""

    name: str
    what: str
    expected: str
    actual: str = "waiting"
    attempts: int = 0
    quality: dict[str, int] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    hit_id: str | None = None
    entry_id: str | None = None
    delivered: bool = False
    delivery: str = ""
    problem: str | None = None

    @property
    def is_as_expected(self) -> bool:
        return self.problem is None and self.actual == self.expected

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "expected": self.expected,
            "actual": self.actual,
            "as_expected": self.is_as_expected,
            "attempts": self.attempts,
            "quality": self.quality,
            "timings_ms": self.timings_ms,
            "hit_id": self.hit_id,
            "delivered": self.delivered,
            "problem": self.problem,
        }


class Demo:
    """Plays a scenario on a running system."""

    def __init__(
        self,
        system: LocalSystem,
        scenario: Scenario,
        engines: EnrolmentEngines,
    ) -> None:
        self._system = system
        self._scenario = scenario
        self._engines = engines
        self._on_change: Callable[[list[TravellerReport]], None] = _ignore
        self._http = system.booth_client()
        self._database = open_database(system.hub_store, "hub")
        self._hub = hub_stores(self._database, actor="demo")
        self._images = StoredReferenceImages(
            self._database, actor="demo", shown=shown_image
        )
        self.reports = [
            TravellerReport(t.name, t.what, str(t.expected))
            for t in scenario.travellers
        ]

    def run(self, on_change: Callable[[list[TravellerReport]], None]) -> bool:
        """Enrol, then play every traveller; True if all went as expected.

        on_change is called with the reports whenever one of them changed.
        """
        self._on_change = on_change
        for person in self._scenario.enrolled:
            self._publish(person)
        self._await_replication()
        for traveller, report in zip(
            self._scenario.travellers, self.reports, strict=True
        ):
            try:
                self._play(traveller, report)
            except (EdgeError, httpx.HTTPError) as error:
                report.problem = f"{type(error).__name__}: {error}"
            self._on_change(self.reports)
        return all(report.is_as_expected for report in self.reports)

    def keep_coming(self, on_traveller: Callable[[str, str], None]) -> NoReturn:
        """Let the travellers come again, one a check, to be checked at the screen.

        on_traveller: told who stands at the booth now, and what is special.
        """
        for traveller in cycle(self._scenario.travellers):
            on_traveller(traveller.name, traveller.what)
            self._system.camera.show(traveller.face_images)
            self._system.scanner.clear()
            self._system.scanner.enqueue(traveller.finger_images)
            before = self._checks()
            while self._checks() == before:
                time.sleep(LOOK_S)
            # The next one steps up once this one has gone.
            self._system.camera.show([])
            time.sleep(SCENE_CHANGE_S)
        raise AssertionError  # cycle() has no end

    def _checks(self) -> int:
        """Return how many checks the booth has ended."""
        database = open_database(self._system.booth_store, "booth")
        with closing(database.conn):
            return sum(CheckStore(database).counts().values())

    def close(self) -> None:
        self._http.close()
        self._database.conn.close()

    def _publish(self, person: WatchlistPerson) -> None:
        publish_person(
            self._hub.log,
            self._engines,
            person.entry,
            finger_images=person.finger_images,
            face_images=person.face_images,
            images=self._images,
        )

    def _play(self, traveller: Traveller, report: TravellerReport) -> None:
        report.actual = "capturing"
        self._on_change(self.reports)
        if traveller.published_before is not None:
            self._publish(traveller.published_before)
            self._await_replication()
        if traveller.is_broker_down:
            self._system.broker.kill()
        self._system.camera.show(traveller.face_images)
        time.sleep(SCENE_CHANGE_S)
        result = self._check(traveller, report)
        self._system.camera.show([])
        self._note(result, report)
        self._on_change(self.reports)
        if traveller.is_broker_down:
            self._restore_broker(report)
        self._judge(traveller, report)

    def _check(self, traveller: Traveller, report: TravellerReport) -> dict[str, Any]:
        started = time.monotonic()
        # The emulator plays the traveller's hand: one image a capture, lifted between.
        self._system.scanner.enqueue(traveller.finger_images)
        try:
            return self._run_check(report, started)
        finally:
            self._system.scanner.clear()

    def _run_check(self, report: TravellerReport, started: float) -> dict[str, Any]:
        reply = self._http.post("/api/checks", json={})
        reply.raise_for_status()
        ticket = reply.json()["ticket"]
        while True:
            state = self._http.get(f"/api/checks/{ticket}").json()
            report.seconds = time.monotonic() - started
            self._on_change(self.reports)
            if state["state"] == "finished":
                result: dict[str, Any] = state["result"]
                return result
            if state["state"] == "failed":
                raise DemoError(state["error"])
            if report.seconds > CHECK_S:
                message = f"no decision within {CHECK_S:.0f} s"
                raise DemoError(message)
            time.sleep(POLL_S)

    def _note(self, result: dict[str, Any], report: TravellerReport) -> None:
        report.actual = result["outcome"]
        report.attempts = result["attempts"].get("fingerprint", 0)
        report.quality = result["quality"]
        report.timings_ms = result["timings_ms"]
        report.hit_id = result["hit_id"]
        report.entry_id = result["entry_id"]

    def _restore_broker(self, report: TravellerReport) -> None:
        if report.hit_id is not None and self._has_hit(report.hit_id):
            report.problem = "the hub has the hit although the broker is down"
        report.delivery = "waits, broker down"
        self._on_change(self.reports)
        self._system.broker.restart()

    def _judge(self, traveller: Traveller, report: TravellerReport) -> None:
        if report.attempts < traveller.min_attempts:
            report.problem = (
                f"{report.attempts} finger captures, "
                f"{traveller.min_attempts} expected: the poor image was accepted"
            )
        if report.hit_id is None:
            return
        if report.entry_id != traveller.entry_id:
            report.problem = f"referred to {report.entry_id}, not {traveller.entry_id}"
        started = time.monotonic()
        report.delivered = self._await_delivery(report.hit_id)
        waited_s = time.monotonic() - started
        if report.delivered:
            report.delivery = f"delivered, {waited_s:.1f} s"
        else:
            report.delivery = "NOT delivered"
            report.problem = f"the hit was not delivered within {DELIVERY_S:.0f} s"

    def _await_delivery(self, hit_id: str) -> bool:
        """Wait until the hub holds the hit and its receipt has cleared the outbox."""
        return _eventually(
            lambda: (
                self._has_hit(hit_id)
                and self._http.get("/api/health").json()["outbox_depth"] == 0
            ),
            DELIVERY_S,
        )

    def _has_hit(self, hit_id: str) -> bool:
        return self._hub.messages.hit(hit_id) is not None

    def _await_replication(self) -> None:
        head = self._hub.log.position().sequence
        if not _eventually(
            lambda: self._http.get("/api/health").json()["watchlist_cursor"] >= head,
            REPLICATION_S,
        ):
            message = f"the booth did not reach watchlist change {head}"
            raise DemoError(message)


def _ignore(_reports: list[TravellerReport]) -> None:
    pass


def _eventually(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(POLL_S)
    return False
