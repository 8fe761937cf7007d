"""When the sender sends again, on a link whose broker answers as the test says."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from edge.clock import ManualClock
from edge.logs import EventLog
from edge.simulate.fleet_stores import MemoryOutbox
from edge.sync.outbox_sender import OutboxSender, SenderSettings

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SlowLink:
    """Takes everything; what has got through is for the test to say."""

    backlog_bytes = 0

    def __init__(self) -> None:
        self.sent = []

    def publish(self, _topic, payload):
        self.sent.append(payload)
        return len(self.sent)


class PlainSealing:
    stream = "ab" * 8

    def sealed(self, row):
        return row.payload, b"digest"


class Sending:
    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.link, self.outbox = SlowLink(), MemoryOutbox()
        trust = SimpleNamespace(booth_id="booth-1")
        log = EventLog(self.clock, "edge-sync", io.StringIO())
        parts = (self.link, self.outbox, trust, PlainSealing(), self.clock, log)
        self.sender = OutboxSender(*parts, SenderSettings())

    def post(self, *bodies):
        for body in bodies:
            self.outbox.post("hit", body, at=START)
        self.sender.send_due()

    def wait(self, seconds):
        self.clock.advance(seconds)
        self.sender.send_due()


@pytest.fixture
def sending():
    return Sending()


def test_what_a_slow_line_still_carries_is_not_sent_twice(sending):
    sending.post(b"one", b"two")
    for _ in range(10):
        sending.wait(100)
    assert sending.link.sent == [b"one", b"two"]


def test_a_message_that_the_broker_has_is_sent_again_without_a_receipt(sending):
    sending.post(b"one")
    sending.wait(100)
    sending.sender.on_published(1, heard=True)
    sending.wait(4)
    assert sending.link.sent == [b"one"]
    sending.wait(2)
    assert sending.link.sent == [b"one", b"one"]


def test_a_message_that_the_broker_passed_over_is_sent_again(sending):
    sending.post(b"one", b"two")
    sending.sender.on_published(2, heard=True)
    sending.wait(6)
    assert sending.link.sent == [b"one", b"two", b"one", b"two"]


def test_after_a_lost_connection_everything_is_sent_again(sending):
    sending.post(b"one", b"two")
    sending.sender.on_disconnected()
    sending.sender.resend_all()
    sending.wait(0)
    assert sending.link.sent == [b"one", b"two", b"one", b"two"]


def test_a_hub_that_comes_back_before_the_broker_answers_does_no_harm(sending):
    sending.post(b"one")
    sending.sender.resend_all()
    sending.sender.on_published(1, heard=True)
    sending.wait(6)
    assert sending.link.sent == [b"one", b"one"]


def _lose_connections(sending, times):
    for _ in range(times):
        sending.sender.on_disconnected()
        sending.sender.resend_all()
        sending.wait(0)


def test_what_loses_connections_waits_a_little_and_longer_each_time(sending):
    sending.post(b"one")
    for pause_s in (15, 30, 60, 120, 240, 300, 300):
        _lose_connections(sending, 3)
        before = len(sending.link.sent)
        sending.wait(pause_s - 1)
        assert len(sending.link.sent) == before
        sending.wait(2)
        assert len(sending.link.sent) == before + 1


def test_what_got_through_is_suspected_no_longer(sending):
    sending.post(b"one")
    _lose_connections(sending, 3)
    sending.wait(16)
    sending.sender.on_published(len(sending.link.sent), heard=True)
    sending.wait(100)
    _lose_connections(sending, 3)
    before = len(sending.link.sent)
    sending.wait(16)
    assert len(sending.link.sent) == before + 1


def test_others_pass_what_is_suspected(sending):
    sending.post(b"one")
    _lose_connections(sending, 3)
    sending.post(b"two")
    assert sending.link.sent[-1] == b"two"
