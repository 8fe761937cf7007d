"""A client of a broker that breaks the protocol, or keeps to it and helps nobody."""

import contextlib
import socket
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import SystemClock
from edge.errors import LinkError
from edge.simulate import mqtt5_packets as mqtt
from edge.simulate.broker import HOST
from edge.simulate.lying_broker import LyingBroker, LyingPlan
from edge.sync.link import (
    Arrived,
    Connected,
    Disconnected,
    Refused,
    Will,
)
from edge.sync.mqtt_client import BrokerSettings, MqttClient
from edge.sync.mqtt_reasons import explain_code

PATIENCE_S = 10.0
WELCOME = mqtt.write_connack(0) + mqtt.write_suback(mqtt.SUBACK, 1, [1])


class ScriptedBroker:
    """Sends given bytes at once to whoever connects, and others to a publication."""

    def __init__(self):
        self.script = b""
        self.answer = b""
        self.publications = []
        self._server = socket.create_server((HOST, 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(self.script)
                buffer = bytearray()
                while data := connection.recv(4096):
                    buffer += data
                    while packet := mqtt.take_packet(buffer):
                        if packet.kind == mqtt.PUBLISH:
                            self.publications.append(packet)
                            connection.sendall(self.answer)

    def stop(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def scripted():
    broker = ScriptedBroker()
    yield broker
    broker.stop()


@pytest.fixture
def connect():
    clients = []

    def make(port, **changes):
        options = {"backoff_first_s": 0.02, "backoff_limit_s": 0.05, **changes}
        client = MqttClient(
            BrokerSettings(port=port, protocol="5", **options),
            client_id="booth-1",
            subscriptions=("edge/hub/head",),
            will=Will("edge/booth-1/state", b"gone"),
            clock=SystemClock(),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def wait_for(client, kind):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for event in client.poll(0.1):
            if isinstance(event, kind):
                return event
    pytest.fail(f"no {kind} came")


@given(st.binary(min_size=1, max_size=60))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_after_the_welcome_are_events_and_never_an_error(
    scripted, connect, data
):
    scripted.script = WELCOME + data
    client = connect(scripted.port, connect_timeout_s=0.3)
    for _ in range(3):
        client.poll(0.01)
    client.close()


@given(st.binary(min_size=1, max_size=60))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_for_a_welcome_are_events_and_never_an_error(scripted, connect, data):
    scripted.script = data
    client = connect(scripted.port, connect_timeout_s=0.3)
    for _ in range(3):
        client.poll(0.01)
    client.close()


def test_a_packet_that_claims_too_much_ends_the_connection_unread(scripted, connect):
    scripted.script = WELCOME + b"\x30\xff\xff\xff\x7f" + bytes(1000)
    reason = wait_for(connect(scripted.port), Disconnected).reason
    assert "268435455 bytes" in reason


def test_quality_of_service_2_is_a_breach(scripted, connect):
    scripted.script = WELCOME + b"\x34\x08\x00\x01a\x00\x01\x00xx"
    assert "QoS 2" in wait_for(connect(scripted.port), Disconnected).reason


@pytest.mark.parametrize("code", [0x87, 0x88, 0x8A, 0x97, 0x9D])
def test_a_refused_connection_says_why(scripted, connect, code):
    scripted.script = mqtt.write_connack(code)
    reason = wait_for(connect(scripted.port), Disconnected).reason
    assert explain_code(code) in reason


@pytest.mark.parametrize(
    ("numbers", "words"), [(b"\x24\x00", "QoS 1"), (b"\x25\x00", "retained")]
)
def test_a_broker_that_lacks_what_we_need_is_of_no_use(
    scripted, connect, numbers, words
):
    scripted.script = mqtt.write_connack(0, numbers)
    assert words in wait_for(connect(scripted.port), Disconnected).reason


@pytest.mark.parametrize(
    ("code", "words"),
    [(0x8E, "taken over"), (0x8B, "shutting down"), (0x95, "too large")],
)
def test_a_broker_that_hangs_up_says_why(scripted, connect, code, words):
    scripted.script = WELCOME + mqtt.write_packet(mqtt.DISCONNECT, bytes([code, 0]))
    client = connect(scripted.port)
    assert words in wait_for(client, Disconnected).reason


def test_a_refused_subscription_says_why(scripted, connect):
    scripted.script = mqtt.write_connack(0) + mqtt.write_suback(mqtt.SUBACK, 1, [0x8F])
    reason = wait_for(connect(scripted.port), Disconnected).reason
    assert "refuses the topic filter" in reason


@pytest.mark.parametrize(
    ("code", "words"),
    [(0x87, "not authorized"), (0x97, "quota"), (0x99, "format of the payload")],
)
def test_a_refused_message_says_why(scripted, connect, code, words):
    scripted.script = WELCOME
    # The first message on a connection has the packet id 2: the subscription took 1.
    scripted.answer = mqtt.write_puback(2, code)
    client = connect(scripted.port)
    wait_for(client, Connected)
    token = client.publish("a", b"")
    refused = wait_for(client, Refused)
    assert refused.token == token
    assert words in refused.reason


def test_a_code_that_no_standard_has_is_explained_as_such():
    assert "0xEE" in explain_code(0xEE)


def test_a_broker_that_acknowledges_nothing_is_left(connect):
    with LyingBroker(plan=LyingPlan(unanswered=1.0)) as broker:
        client = connect(broker.port, answer_timeout_s=0.3)
        wait_for(client, Connected)
        client.publish("a", b"1")
        reason = wait_for(client, Disconnected).reason
        assert "no acknowledgement of 1 messages" in reason
        wait_for(client, Connected)
        assert client.backlog_bytes == 0
        client.close()


def test_what_waits_for_acknowledgement_is_bounded(connect):
    with LyingBroker(plan=LyingPlan(unanswered=1.0)) as broker:
        client = connect(broker.port, backlog_bytes=3000)
        wait_for(client, Connected)
        for _ in range(3):
            client.publish("a", bytes(1000))
        assert client.backlog_bytes == 3000
        with pytest.raises(LinkError, match="3 messages"):
            client.publish("a", b"1")
        client.close()


def test_a_message_carries_its_expiry(connect):
    with LyingBroker() as broker:
        client = connect(broker.port)
        wait_for(client, Connected)
        for expiry_s in (3600, None):
            client.publish("edge/hub/head", b"", expiry_s=expiry_s)
            wait_for(client, Arrived)
        properties = [mqtt.read_numbers(seen.properties) for seen in broker.seen]
        assert properties == [{0x02: 3600}, {}]
        client.close()


def test_the_broker_sends_no_more_than_the_receive_maximum_unacknowledged(connect):
    with LyingBroker() as broker:
        client = connect(broker.port, receive_maximum=4)
        wait_for(client, Connected)
        for number in range(10):
            broker.inject("edge/hub/head", bytes([number]))
        arrived = []
        while len(arrived) < 4:
            arrived += client.poll(0.1)
        assert client.poll(0.05) == []
        client.acknowledge(arrived[0])
        while len(arrived) < 5:
            arrived += client.poll(0.1)
        assert client.poll(0.05) == []
        assert [event.payload for event in arrived] == [bytes([n]) for n in range(5)]
        client.close()


def test_no_more_is_sent_than_the_brokers_receive_maximum(scripted, connect):
    receive_maximum_3 = b"\x21\x00\x03"
    scripted.script = mqtt.write_connack(0, receive_maximum_3) + mqtt.write_suback(
        mqtt.SUBACK, 1, [1]
    )
    scripted.answer = b""
    scripted.publications.clear()
    client = connect(scripted.port)
    wait_for(client, Connected)
    for _ in range(10):
        client.publish("a", b"x")
    deadline = time.monotonic() + PATIENCE_S
    while len(scripted.publications) < 3:
        assert time.monotonic() < deadline
        client.poll(0.01)
    client.poll(0.1)
    assert len(scripted.publications) == 3
    assert client.backlog_bytes == 10
