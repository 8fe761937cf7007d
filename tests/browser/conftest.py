"""A whole checkpoint and a real browser, once for all tests of this folder.

Elements are found by role and name or by data-testid, as a person or a reader of the
screen finds them. Each page that was opened is judged at the end of its test: no error
of a script, nothing that the content policy refused, nothing asked of another host.
"""

import os
import shutil
import tempfile
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.bench.chromium import find_chromium, open_chromium
from edge.clock import SystemClock
from edge.config import default_cache_dir, load_config
from edge.records.accounts import Role
from edge.services.enrolment import publish_person
from edge.services.local_accounts import add_people
from edge.services.system import LocalSystem
from edge.services.wiring import enrolment_engines
from edge.simulate.cast import invented_cast
from edge.simulate.hit_source import check_of, invented_hit
from edge.simulate.scenario import demo_scenario
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.terms import Outcome
from edge.web.client import signed_in

WAIT_S = 60.0
# A machine that runs other tests meanwhile is slow, not broken.
SCREEN_S = 20.0
TOUCH_SCREEN = {"width": 1280, "height": 800}
SCREENSHOTS = "EDGE_SCREENSHOTS"
SCENE_CHANGE_S = 0.7


def eventually(condition, what="it", wait_s=WAIT_S):
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {wait_s} s")
        time.sleep(0.02)


class Checkpoint:
    """The running processes, the people who work there, and who comes."""

    def __init__(self, system):
        self.system = system
        self.scenario = demo_scenario(invented_cast())
        self.travellers = {t.name: t for t in self.scenario.travellers}
        self._clients = {}
        self._numbers = count(1)

    def client(self, place, name):
        """Return a client of somebody's; all are one session: sign-ins are rationed."""
        if (place, name) not in self._clients:
            password = self.system.passwords[place, name]
            self._clients[place, name] = signed_in(self.url(place), name, password)
        return self._clients[place, name]

    def cookie(self, place, name):
        return self.client(place, name).headers["cookie"].partition("=")[2]

    def close(self):
        for client in self._clients.values():
            client.close()

    @property
    def scanner(self):
        return self.system.scanner

    def url(self, place):
        return self.system.booth_url if place == "booth" else self.system.console_url

    def newcomer(self, place, role=Role.OFFICER):
        """Return name and password of an account that no other test knows."""
        name = f"newcomer-{next(self._numbers)}"
        path = self.system.booth_store if place == "booth" else self.system.hub_store
        self.system.passwords.update(add_people(path, place, {name: role}))
        return name, self.system.passwords[place, name]

    def publish(self, person):
        """Put somebody onto the watchlist; returns when the booth searches for him."""
        database = open_database(self.system.hub_store, "hub")
        with closing(database.conn):
            log = StoredHubLog(database)
            publish_person(
                log,
                enrolment_engines(load_config()),
                person.entry,
                finger_images=person.finger_images,
                face_images=person.face_images,
            )
            head = log.position().sequence
        eventually(lambda: self._searches(head), f"search of change {head}")

    def health(self):
        return self.client("booth", "engineer-1").get("/api/health").json()

    def _searches(self, sequence):
        search = self.health()["search"]
        return search is not None and search["sequence"] >= sequence

    def show(self, traveller):
        """Let a traveller stand there: face before the camera, finger at the ready."""
        self.leave()
        self.system.camera.show(traveller.face_images)
        self.scanner.enqueue(traveller.finger_images)
        # What the camera had in its buffers is of the traveller before.
        time.sleep(SCENE_CHANGE_S)

    def ended(self, ticket):
        """Wait until a check is over at the booth, whatever a screen knows of it."""
        client = self.client("booth", "officer-1")

        def is_over():
            return client.get(f"/api/checks/{ticket}").json()["state"] != "running"

        eventually(is_over, "the end of the check")

    def leave(self):
        self.scanner.clear()
        self.scanner.lift()
        self.system.camera.show([])

    def record_hits(self, number):
        """Record hits as fast as the booth's store takes them; return their ids."""
        database = open_database(self.system.booth_store, "booth")
        with closing(database.conn):
            store, found = CheckStore(database), []
            for _ in range(number):
                now = SystemClock().now()
                hit = invented_hit("booth-1", now, evidence_bytes=2000)
                store.record(check_of(hit), hit)
                found.append(hit.hit_id)
        return found

    def at_hub(self, hit_id):
        """Wait until the hub's console knows of a hit."""
        client = self.client("hub", "operator-1")
        path = f"/api/cases/{hit_id}"
        eventually(lambda: client.get(path).status_code == 200, "a case at the hub")

    def delivered(self):
        """Wait until the hub has receipted all that the booth had to say."""
        eventually(lambda: self.health()["outbox_depth"] == 0, "an empty outbox")


class OfficerScreen:
    """The officer's main screen in a page that is open on it."""

    def __init__(self, page):
        self.page = page

    def find(self, name):
        return self.page.get_by_test_id(name)

    def await_view(self, *views):
        """Wait until one of idle, running, verdict and hit is shown."""
        wanted = ", ".join(f'[data-testid=work][data-view="{v}"]' for v in views)
        self.page.locator(wanted).wait_for()
        return self.find("work").get_attribute("data-view")

    def start(self):
        """Press the one button; return the ticket of the check."""
        with self.page.expect_response("**/api/checks") as answer:
            self.find("start").click()
        return answer.value.json()["ticket"]

    def outcome(self):
        """Wait for the decision on the screen, and read it."""
        if self.await_view("verdict", "hit") == "hit":
            self.find("entry").wait_for()
            return Outcome.REFER
        assert self.find("decision-word").is_visible()
        return Outcome(self.find("decision").get_attribute("data-outcome"))

    def leave_hit(self):
        self.find("next-traveller").click()
        self.await_view("idle")

    def decide(self, verdict):
        """Give the first verdict, with the first of its reasons."""
        self.find(f"verdict-{verdict}").click()
        self.find("reason-done").click()

    def state_of_decision(self, state):
        self.page.locator(
            f'[data-testid=hit-decision][data-decision="{state}"]'
        ).wait_for()


class Screens:
    """Opens pages as people do, each in a browser profile of its own."""

    def __init__(self, browser, checkpoint):
        self._browser = browser
        self._checkpoint = checkpoint
        self._contexts = []
        self.problems = []
        self.is_line_cut = False

    def open(self, place, name=None, path="/", *, line=None, **options):
        """Return the page of somebody who is signed in; of nobody for None.

        line: a FaultProxy through which all of it goes.
        """
        context = self.profile(place, name, **options)
        page = context.new_page()
        url = self._checkpoint.url(place)
        page.goto((f"http://127.0.0.1:{line.port}" if line else url) + path)
        return page

    def officer(self, name="officer-1", **options):
        """Return the main screen of an officer, ready for a traveller."""
        screen = OfficerScreen(self.open("booth", name, **options))
        screen.page.locator("[data-testid=say]:not(:empty)").wait_for()
        screen.await_view("idle")
        return screen

    def profile(self, place, name=None, *, size=TOUCH_SCREEN, scheme="light"):
        context = self._browser.new_context(
            viewport=size,
            color_scheme=scheme,
            locale="en-GB",
            base_url=self._checkpoint.url(place),
        )
        context.set_default_timeout(1000 * SCREEN_S)
        context.on("page", self._watch)
        self._contexts.append(context)
        if name is not None:
            cookie = f"edge_{place}"
            context.add_cookies(
                [
                    {
                        "name": cookie,
                        "value": self._checkpoint.cookie(place, name),
                        "url": self._checkpoint.url(place),
                        "secure": True,
                        "httpOnly": True,
                        "sameSite": "Strict",
                    }
                ]
            )
        return context

    def close(self):
        for context in self._contexts:
            context.close()
        assert self.problems == []

    def _watch(self, page):
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._said)
        page.on("request", self._asked)

    def _said(self, message):
        # The browser itself writes a line for each answer that is an error.
        if message.type == "error" and "Failed to load resource" not in message.text:
            if self.is_line_cut and "ERR_" in message.text:
                return
            self.problems.append(message.text)

    def _asked(self, request):
        address = urlsplit(request.url)
        if address.scheme not in {"blob", "data"} and address.hostname != "127.0.0.1":
            self.problems.append(f"asked elsewhere: {request.url}")


@pytest.fixture(scope="package")
def chromium():
    if find_chromium() is None:
        pytest.skip("chromium is not installed")
    pytest.importorskip("playwright", reason="playwright is not installed")
    from playwright.sync_api import expect  # noqa: PLC0415  only where it is there

    expect.set_options(timeout=1000 * SCREEN_S)
    with open_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def checkpoint():
    run_dir = Path(tempfile.mkdtemp(prefix="edge-"))
    cache = default_cache_dir() / "models"
    try:
        with (
            LocalSystem(run_dir, model_cache=cache) as system,
            closing(Checkpoint(system)) as running,
        ):
            for person in running.scenario.enrolled:
                running.publish(person)
            yield running
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)


@pytest.fixture
def screens(chromium, checkpoint):
    opened = Screens(chromium, checkpoint)
    yield opened
    checkpoint.leave()
    opened.close()


@pytest.fixture
def picture():
    """Keep how a page looks, where somebody wants to see it."""
    folder = os.environ.get(SCREENSHOTS)

    def take(page, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")

    return take
