"""A client behind a bad line: what the line kept back arrives once it is good."""

import contextlib
import time
from collections import deque

import pytest

from edge.clock import SystemClock
from edge.errors import LinkError
from edge.simulate.broker import find_mosquitto, free_port, start_broker
from edge.simulate.fault_proxy import FaultProxy
from edge.simulate.lying_broker import HONEST, LyingBroker, LyingPlan
from edge.sync.link import Arrived, Connected, Disconnected, Will
from edge.sync.mqtt_client import BrokerSettings, MqttClient

PATIENCE_S = 30.0
RETRY_S = 0.5
UP, DOWN = "edge/booth-1/up/outbox", "edge/booth-1/down/receipt"


@pytest.fixture
def broker_port(tmp_path):
    """The real broker where there is one, else the simulated one without its lies."""
    if find_mosquitto() is None:
        with LyingBroker() as stand_in:
            yield stand_in.port
        return
    running = start_broker(tmp_path, free_port())
    yield running.port
    running.stop()


class Sender:
    """Sends each message again until it comes back, as the outbox does."""

    def __init__(self, port, *, keepalive_s=1):
        settings = BrokerSettings(
            port=port,
            protocol="5",
            keepalive_s=keepalive_s,
            connect_timeout_s=0.5,
            backoff_first_s=0.02,
            backoff_limit_s=0.1,
        )
        self.link = make_link(settings, "booth-1", DOWN)
        self.waiting = {}
        self.disconnections = deque()
        self.connections = 0

    def step(self, timeout_s=0.01):
        now_s = time.monotonic()
        for event in self.link.poll(timeout_s):
            if isinstance(event, Arrived):
                self.link.acknowledge(event)
                self.waiting.pop(event.payload, None)
            elif isinstance(event, Connected):
                self.connections += 1
                self.waiting = dict.fromkeys(self.waiting, 0.0)
            elif isinstance(event, Disconnected):
                self.disconnections.append(event.reason)
        for payload, due_s in self.waiting.items():
            if due_s > now_s:
                continue
            try:
                self.link.publish(UP, payload)
            except LinkError:
                break
            # A message in line on a slow one is not helped by a second.
            self.waiting[payload] = now_s + RETRY_S + self.link.backlog_bytes / 1e4


class Echo:
    """The other end, on a good line: sends back what it gets."""

    def __init__(self, port):
        settings = BrokerSettings(port=port, protocol="5", backoff_limit_s=0.1)
        self.link = make_link(settings, "hub", UP)
        self.heard = []

    def step(self):
        for event in self.link.poll(0.01):
            if isinstance(event, Arrived):
                self.heard.append(event.payload)
                self.link.acknowledge(event)
                with contextlib.suppress(LinkError):
                    self.link.publish(DOWN, event.payload)


def make_link(settings, name, *subscriptions):
    return MqttClient(
        settings,
        client_id=name,
        subscriptions=subscriptions,
        will=Will(f"edge/{name}/state", b"gone"),
        clock=SystemClock(),
    )


@pytest.fixture
def line(broker_port):
    with FaultProxy(broker_port) as proxy:
        yield proxy


@pytest.fixture
def sender(line):
    sender = Sender(line.port)
    yield sender
    sender.link.close()


@pytest.fixture
def echo(broker_port):
    echo = Echo(broker_port)
    yield echo
    echo.link.close()


def run_until(condition, *ends):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the line is good, and it did not come"
        for end in ends:
            end.step()


def run_for(seconds, *ends):
    until = time.monotonic() + seconds
    run_until(lambda: time.monotonic() >= until, *ends)


def send(sender, first, count, size=3000):
    for number in range(first, first + count):
        sender.waiting[number.to_bytes(4) + bytes(size)] = 0.0


FAULTS = {
    "delay": (lambda line: line.delay(0.15), 0.3),
    "a cut": (lambda line: line.cut(), 0.05),
    "a line that is down": (lambda line: line.go_down(), 0.3),
    "a reset": (lambda line: line.reset(), 0.05),
    "a reset in mid-packet": (lambda line: line.reset_after(10_000), 0.2),
    "a byte a second": (lambda line: line.trickle(), 0.5),
    "64 kbit/s": (lambda line: line.limit(64_000), 0.5),
    "silence": (lambda line: line.fall_silent(), 0.5),
    "silence that the client notices": (lambda line: line.fall_silent(), 2.5),
    "connections forgotten": (lambda line: line.lose_track(), 0.1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_everything_is_delivered_once_the_fault_ends(sender, echo, line, fault):
    impose, seconds = FAULTS[fault]
    run_until(lambda: sender.connections, sender, echo)
    send(sender, 0, 5)
    run_until(lambda: not sender.waiting, sender, echo)
    impose(line)
    send(sender, 5, 20)
    run_for(seconds, sender, echo)
    line.heal()
    run_until(lambda: not sender.waiting, sender, echo)
    heard = {int.from_bytes(payload[:4]) for payload in echo.heard}
    assert heard == set(range(25))


def test_a_reset_at_any_byte_of_a_connection_is_survived(sender, echo, line):
    run_until(lambda: sender.connections, sender, echo)
    for number, count in enumerate((1, 20, 40, 61, 150, 1200, 3100)):
        line.reset_after(count)
        send(sender, number, 1)
        run_until(lambda: not sender.waiting, sender, echo)
    assert len(sender.disconnections) >= 7
    assert {int.from_bytes(payload[:4]) for payload in echo.heard} == set(range(7))


def test_a_message_that_takes_longer_than_two_keep_alives_arrives(sender, echo, line):
    run_until(lambda: sender.connections, sender, echo)
    line.limit(8 * 150_000)
    send(sender, 0, 1, size=450_000)
    run_until(lambda: echo.heard, sender, echo)
    line.heal()
    run_until(lambda: not sender.waiting, sender, echo)
    assert not sender.disconnections
    assert len(echo.heard) == 1


def test_a_silent_line_is_noticed_by_the_keep_alive(sender, echo, line):
    run_until(lambda: sender.connections, sender, echo)
    line.lose_track()
    run_until(lambda: sender.disconnections, sender, echo)
    assert "Keep alive" in sender.disconnections[0]
    run_until(lambda: sender.connections == 2, sender, echo)


def test_closing_on_a_silent_line_ends(sender, echo, line):
    run_until(lambda: sender.connections, sender, echo)
    line.fall_silent()
    send(sender, 0, 1, size=8_000_000)
    sender.step()
    sender.link.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_broker_that_lies_delays_and_loses_nothing(seed):
    lies = LyingPlan(
        seed,
        redeliver=0.2,
        reorder=0.2,
        drop=0.2,
        flip=0.1,
        cross=0.2,
        replay=0.2,
        unanswered=0.1,
        hang_up=0.05,
    )
    with LyingBroker(plan=lies) as broker:
        sender, echo = Sender(broker.port), Echo(broker.port)
        run_until(lambda: sender.connections, sender, echo)
        send(sender, 0, 30, size=100)
        sent = set(sender.waiting)
        run_for(0.5, sender, echo)
        broker.lose_state()
        run_for(0.5, sender, echo)
        broker.plan = HONEST
        run_until(lambda: not sender.waiting, sender, echo)
        assert sent <= set(echo.heard)
        assert broker.told["drop"]
        sender.link.close()
        echo.link.close()
