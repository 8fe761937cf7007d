"""The scanner's cable is pulled at any moment of a check, and put back.

The check ends in a clear state, the next one works, and no process was restarted.
"""

import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from edge.config import default_cache_dir, load_config
from edge.services.enrolment import publish_person
from edge.services.system import LocalSystem
from edge.services.wiring import enrolment_engines
from edge.simulate.cast import invented_cast
from edge.simulate.scenario import demo_scenario
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from firmware_bridge.device_client import DeviceClient
from firmware_bridge.emulator import ScannerEmulator
from firmware_bridge.faults import UnplugAtByte, UnplugOnCommand

WAIT_S = 60.0
DEVICE_FAILED = "fingerprint: device_failed"
NOBODY_CAME = "fingerprint: nothing_presented"
GEN_IMG, UP_IMAGE = 0x01, 0x0A

pytestmark = pytest.mark.slow


class Booth:
    """A running booth with one wanted person, and that person's finger."""

    def __init__(self, system: LocalSystem) -> None:
        self.system = system
        self.http = system.booth_client()
        self.finger = invented_cast()[0].finger_presented[0]

    @property
    def scanner(self) -> ScannerEmulator:
        return self.system.scanner

    def enrol_the_wanted(self) -> None:
        person = demo_scenario(invented_cast()).enrolled[0]
        database = open_database(self.system.hub_store, "hub")
        with closing(database.conn):
            publish_person(
                StoredHubLog(database),
                enrolment_engines(load_config()),
                person.entry,
                finger_images=person.finger_images,
                face_images=(),
            )
        eventually(self.searches_one_person)

    def searches_one_person(self):
        health = self.health()
        is_current = health["search"]["sequence"] == health["watchlist_cursor"]
        return health["watchlist_entries"] == 1 and is_current

    def health(self):
        return self.http.get("/api/health").json()

    def start(self):
        order = {"modalities": ["fingerprint"]}
        reply = self.http.post("/api/checks", json=order)
        assert reply.status_code == 202, reply.text
        return reply.json()["ticket"]

    def end_of(self, ticket):
        def state():
            return self.http.get(f"/api/checks/{ticket}").json()

        eventually(lambda: state()["state"] != "running")
        ended = state()
        assert ended["state"] == "finished", ended
        return ended["result"]

    def bridge_state(self):
        socket = self.system.config_path.parent / "scanner.sock"
        with DeviceClient(socket) as client:
            return str(client.status().state)

    def pids(self):
        return {name: p.pid for name, p in self.system.processes.items()}


def eventually(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true within {WAIT_S} s")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def running_booth():
    run_dir = Path(tempfile.mkdtemp(prefix="edge-"))
    cache = default_cache_dir() / "models"
    try:
        with LocalSystem(run_dir, model_cache=cache) as system:
            booth = Booth(system)
            booth.enrol_the_wanted()
            yield booth
            booth.http.close()
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)


@pytest.fixture
def booth(running_booth):
    before = running_booth.pids()
    running_booth.scanner.lift()
    yield running_booth
    put_back(running_booth.scanner)
    assert running_booth.pids() == before
    assert all(p.is_running() for p in running_booth.system.processes.values())


def put_back(scanner):
    if not scanner.is_plugged:
        scanner.replug()


def assert_the_next_check_works(booth):
    put_back(booth.scanner)
    booth.scanner.lift()
    booth.scanner.present(booth.finger)
    result = booth.end_of(booth.start())
    assert result["outcome"] == "refer", result
    assert result["entry_id"] == "demo-1"


def test_a_check_with_the_scanner_absent_is_degraded_and_says_so(booth):
    booth.scanner.unplug()
    result = booth.end_of(booth.start())
    assert result["outcome"] == "degraded"
    assert result["reasons"] == [DEVICE_FAILED]
    assert result["hit_id"] is None
    assert_the_next_check_works(booth)


def test_a_cable_pulled_while_the_booth_waits_for_a_finger_degrades_the_check(booth):
    ticket = booth.start()
    seen = booth.scanner.commands_seen
    eventually(lambda: booth.scanner.commands_seen > seen + 3)
    booth.scanner.unplug()
    result = booth.end_of(ticket)
    assert result["outcome"] == "degraded"
    assert result["reasons"] == [DEVICE_FAILED]
    assert_the_next_check_works(booth)


@pytest.mark.parametrize("at", [0, 11, 12, 5000, 37000])
def test_a_cable_pulled_at_any_byte_of_the_answers_degrades_the_check(booth, at):
    booth.scanner.add_faults(UnplugAtByte(at))
    booth.scanner.present(booth.finger)
    result = booth.end_of(booth.start())
    assert not booth.scanner.is_plugged
    assert result["outcome"] == "degraded"
    assert result["reasons"] == [DEVICE_FAILED]
    assert_the_next_check_works(booth)


@pytest.mark.parametrize("instruction", [GEN_IMG, UP_IMAGE])
def test_a_cable_pulled_on_a_command_degrades_the_check(booth, instruction):
    booth.scanner.add_faults(UnplugOnCommand(instruction))
    booth.scanner.present(booth.finger)
    result = booth.end_of(booth.start())
    assert result["outcome"] == "degraded"
    assert result["reasons"] == [DEVICE_FAILED]
    assert_the_next_check_works(booth)


def test_a_cable_pulled_after_the_capture_does_not_disturb_the_check(booth):
    uploads = booth.scanner.model.uploads
    booth.scanner.present(booth.finger)
    ticket = booth.start()
    eventually(lambda: booth.scanner.model.uploads > uploads)
    booth.scanner.unplug()
    result = booth.end_of(ticket)
    assert result["outcome"] in {"refer", "degraded"}, result
    assert_the_next_check_works(booth)


def test_a_cable_put_back_during_the_check_ends_it_in_a_clear_state(booth):
    ticket = booth.start()
    booth.scanner.unplug()
    booth.scanner.replug()
    booth.scanner.present(booth.finger)
    result = booth.end_of(ticket)
    allowed = {"refer": [], "degraded": [DEVICE_FAILED], "retry": [NOBODY_CAME]}
    assert result["reasons"] == allowed[result["outcome"]]
    assert_the_next_check_works(booth)


def test_the_cable_may_come_and_go_many_times(booth):
    for _ in range(3):
        booth.scanner.unplug()
        assert booth.end_of(booth.start())["outcome"] == "degraded"
        assert_the_next_check_works(booth)
