import os
import signal
import socket
import threading
from datetime import UTC, datetime

import pytest

from edge.clock import ManualClock
from edge.services.systemd import Notifier, stop_event


@pytest.fixture
def manager(tmp_path):
    """A service manager's end of the notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(5.0)
        yield receiver


def notifier(manager, **environment):
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    environment = {"NOTIFY_SOCKET": manager.getsockname(), **environment}
    return clock, Notifier(clock, environment)


def test_ready_and_stopping_reach_the_manager(manager):
    _, told = notifier(manager)
    told.ready()
    told.status("two\nlines")
    told.stopping()
    received = [manager.recv(100) for _ in range(3)]
    assert received == [b"READY=1", b"STATUS=two lines", b"STOPPING=1"]


def test_a_start_that_takes_long_asks_for_more_time(manager):
    _, told = notifier(manager)
    told.starting("indexing: 40%")
    received = [manager.recv(100) for _ in range(2)]
    assert received == [b"STATUS=indexing: 40%", b"EXTEND_TIMEOUT_USEC=120000000"]


def test_the_watchdog_is_patted_twice_in_its_period(manager):
    clock, told = notifier(manager, WATCHDOG_USEC="10000000")
    for _ in range(11):
        told.alive()
        clock.advance(1.0)
    told.ready()
    received = [manager.recv(100) for _ in range(4)]
    assert received == [b"WATCHDOG=1"] * 3 + [b"READY=1"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"},
    ],
)
def test_no_watchdog_for_this_process_means_no_beat(manager, environment):
    _, told = notifier(manager, **environment)
    told.alive()
    told.ready()
    assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket", "@nobody"])
def test_a_manager_that_is_not_there_changes_nothing(address):
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    told = Notifier(clock, {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"})
    told.ready()
    told.alive()
    told.stopping()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_stop_event_and_the_old_handler_returns(number):
    before = signal.getsignal(number)
    with stop_event() as stopping:
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        assert stopping.wait(5.0)
    assert signal.getsignal(number) is before


def test_off_the_main_thread_the_callers_event_is_used():
    given = threading.Event()
    seen = []

    def run():
        with stop_event(given) as stopping:
            seen.append(stopping)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5.0)
    assert seen == [given]
