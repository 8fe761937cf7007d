"""A check begins when a finger is put down; while nobody comes nothing happens."""

from __future__ import annotations

import threading
import time

import pytest

from edge.booth.automatic_start import AutomaticStart, AutomaticState
from edge.booth.desk import DeskBusyError, DeskState
from edge.checkpoint.check import CheckRequest
from edge.errors import (
    CaptureCancelledError,
    CaptureError,
    CaptureTimeoutError,
    DeviceAbsentError,
)
from edge.web.events import EventFeed

REQUEST = CheckRequest()


class Desk:
    """Counts the checks that begin; each ends when the test says how."""

    def __init__(self):
        self.started = []
        self.is_busy = False
        self.ended = (0, None)

    def start(self, request):
        if self.is_busy:
            raise DeskBusyError
        self.is_busy = True
        self.started.append(request)

    def end(self, outcome):
        self.ended = (self.ended[0] + 1, DeskState("finished", {"outcome": outcome}))
        self.is_busy = False


class Scanner:
    """A finger is put down when the test says so; or the scanner fails."""

    def __init__(self):
        self.finger = threading.Event()
        self.error = None
        self.waits = 0

    def wait_for_finger(self, *, timeout_s, is_cancelled):
        self.waits += 1
        deadline = time.monotonic() + min(timeout_s, 0.2)
        while not self.finger.wait(0.002):
            if self.error is not None:
                raise self.error
            if is_cancelled():
                message = "no longer wanted"
                raise CaptureCancelledError(message)
            if time.monotonic() > deadline:
                message = "nobody came"
                raise CaptureTimeoutError(message)
        self.finger.clear()


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def scanner():
    return Scanner()


@pytest.fixture
def feed():
    return EventFeed()


@pytest.fixture
def automatic(desk, scanner, feed):
    running = AutomaticStart(desk, scanner, feed)
    running.start()
    yield running
    running.stop()
    assert not running.is_alive()


def eventually(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.002)


def becomes(automatic, state):
    eventually(lambda: automatic.view()["state"] == str(state))


def there():
    return True


def test_switched_off_no_finger_begins_anything(automatic, desk, scanner):
    scanner.finger.set()
    time.sleep(0.05)
    assert (desk.started, scanner.waits) == ([], 0)
    assert automatic.view() == {"is_on": False, "state": "off", "detail": ""}


def test_each_finger_begins_a_check_as_long_as_all_end_clear(automatic, desk, scanner):
    automatic.switch_on(REQUEST, there)
    becomes(automatic, AutomaticState.WAITING)
    assert desk.started == []
    for number in (1, 2):
        scanner.finger.set()
        eventually(lambda n=number: len(desk.started) == n)
        becomes(automatic, AutomaticState.CHECKING)
        desk.end("clear")
        becomes(automatic, AutomaticState.WAITING)
    assert desk.started == [REQUEST] * 2


@pytest.mark.parametrize("outcome", ["refer", "retry", "degraded"])
def test_what_did_not_end_clear_is_looked_at_first(automatic, desk, scanner, outcome):
    automatic.switch_on(REQUEST, there)
    scanner.finger.set()
    eventually(lambda: desk.is_busy)
    desk.end(outcome)
    becomes(automatic, AutomaticState.PAUSED)
    scanner.finger.set()
    time.sleep(0.05)
    assert len(desk.started) == 1
    desk.start(REQUEST)
    desk.end("clear")
    eventually(lambda: len(desk.started) == 3)


def test_switching_on_again_goes_on(automatic, desk, scanner):
    automatic.switch_on(REQUEST, there)
    scanner.finger.set()
    eventually(lambda: desk.is_busy)
    desk.end("retry")
    becomes(automatic, AutomaticState.PAUSED)
    automatic.switch_on(REQUEST, there)
    becomes(automatic, AutomaticState.WAITING)


def test_a_scanner_that_is_away_is_said_and_found_again(automatic, scanner, feed):
    listener = feed.listen()
    scanner.error = DeviceAbsentError("fingerprint scanner: absent")
    automatic.switch_on(REQUEST, there)
    becomes(automatic, AutomaticState.SCANNER_ABSENT)
    assert "absent" in automatic.view()["detail"]
    scanner.error = None
    becomes(automatic, AutomaticState.WAITING)
    told = [listener.get(timeout=1)["state"] for _ in range(3)]
    assert told == ["waiting", "scanner_absent", "waiting"]


def test_a_scanner_that_fails_is_said(automatic, scanner):
    scanner.error = CaptureError("fingerprint scanner: faulty")
    automatic.switch_on(REQUEST, there)
    becomes(automatic, AutomaticState.SCANNER_FAILING)


def test_without_a_scanner_it_says_so(desk, feed):
    automatic = AutomaticStart(desk, None, feed)
    automatic.start()
    automatic.switch_on(REQUEST, there)
    becomes(automatic, AutomaticState.SCANNER_ABSENT)
    automatic.stop()


def test_it_ends_with_the_officers_session(automatic, desk, scanner):
    signed_in = threading.Event()
    signed_in.set()
    automatic.switch_on(REQUEST, signed_in.is_set)
    becomes(automatic, AutomaticState.WAITING)
    signed_in.clear()
    becomes(automatic, AutomaticState.OFF)
    assert not automatic.view()["is_on"]
    scanner.finger.set()
    time.sleep(0.05)
    assert desk.started == []


def test_an_officer_who_starts_by_hand_is_not_disturbed(automatic, desk):
    automatic.switch_on(REQUEST, there)
    becomes(automatic, AutomaticState.WAITING)
    desk.start(REQUEST)
    becomes(automatic, AutomaticState.CHECKING)
    assert len(desk.started) == 1
