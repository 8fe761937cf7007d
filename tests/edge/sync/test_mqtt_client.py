import shutil
import socket
import subprocess
import threading
import time

import pytest

from edge.clock import SystemClock
from edge.errors import ConfigurationError, LinkError, MessageError
from edge.simulate.broker import (
    HOST,
    RunningBroker,
    find_mosquitto,
    free_port,
    start_broker,
)
from edge.sync.link import (
    Arrived,
    Connected,
    Disconnected,
    Published,
    Refused,
    Will,
)
from edge.sync.mqtt_client import BrokerSettings, MqttClient

PATIENCE_S = 15.0
WILL = Will("edge/booth-1/state", b"gone")
needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None, reason="mosquitto is not installed"
)


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request, tmp_path):
    if request.param == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    running = start_broker(tmp_path, free_port(), prefer=request.param)
    yield running
    running.stop()


@pytest.fixture
def make_client():
    clients = []

    def make(port, *subscriptions, name="test", **settings):
        settings = {"backoff_first_s": 0.05, "backoff_limit_s": 0.2, **settings}
        client = MqttClient(
            BrokerSettings(port=port, **settings),
            client_id=name,
            subscriptions=subscriptions or ("nothing",),
            will=WILL,
            clock=SystemClock(),
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def start_mosquitto(tmp_path):
    """Start a Mosquitto with settings of the test's own."""
    started = []

    def start(*lines):
        port = free_port()
        path = tmp_path / "own.conf"
        head = [f"listener {port} {HOST}", "user root"]
        path.write_text("\n".join([*head, *lines]) + "\n")
        command = [find_mosquitto(), "-c", str(path)]
        running = RunningBroker(command, port, "mosquitto", tmp_path / "own.log")
        started.append(running)
        return running

    yield start
    for running in started:
        running.stop()


def wait_for(client, kind, count=1):
    """Poll until so many events of a kind have come; acknowledge what arrives."""
    deadline = time.monotonic() + PATIENCE_S
    found = []
    while len(found) < count:
        assert time.monotonic() < deadline, f"no {kind.__name__} came"
        for event in client.poll(0.1):
            if isinstance(event, Arrived):
                client.acknowledge(event)
            if isinstance(event, kind):
                found.append(event)
    return found


def test_the_newest_protocol_that_the_broker_speaks_is_used(broker, make_client):
    [connected] = wait_for(make_client(broker.port), Connected)
    assert connected.protocol == {"mosquitto": "5", "amqtt": "3.1.1"}[broker.kind]


def test_the_protocol_can_be_fixed(broker, make_client):
    client = make_client(broker.port, protocol="3.1.1")
    assert wait_for(client, Connected)[0].protocol == "3.1.1"


def test_a_message_of_evidence_size_goes_from_one_client_to_another(
    broker, make_client
):
    booth = make_client(broker.port, name="booth")
    hub = make_client(broker.port, "edge/+/up/outbox", name="hub")
    wait_for(hub, Connected)
    wait_for(booth, Connected)
    payload = bytes(range(256)) * 2000
    token = booth.publish("edge/booth-1/up/outbox", payload)
    assert [event.token for event in wait_for(booth, Published)] == [token]
    [arrived] = wait_for(hub, Arrived)
    assert arrived.topic == "edge/booth-1/up/outbox"
    assert arrived.payload == payload


def test_a_retained_message_is_marked_as_old_news(broker, make_client):
    hub = make_client(broker.port, name="hub")
    wait_for(hub, Connected)
    hub.publish("edge/hub/head", b"7", retain=True)
    wait_for(hub, Published)
    booth = make_client(broker.port, "edge/hub/head", name="booth")
    assert wait_for(booth, Arrived)[0].is_retained
    hub.publish("edge/hub/head", b"8", retain=True)
    [live] = wait_for(booth, Arrived)
    assert live.payload == b"8"
    assert not live.is_retained or broker.kind == "amqtt"


def test_a_killed_broker_is_reported_and_found_again(broker, make_client):
    client = make_client(broker.port, "a")
    wait_for(client, Connected)
    broker.kill()
    wait_for(client, Disconnected)
    with pytest.raises(LinkError):
        client.publish("a", b"lost")
    broker.restart()
    wait_for(client, Connected)
    client.publish("a", b"found")
    assert wait_for(client, Arrived)[0].payload == b"found"


def test_a_vanished_client_leaves_its_will(broker, make_client):
    watcher = make_client(broker.port, WILL.topic, name="watcher")
    wait_for(watcher, Connected)
    victim = make_client(broker.port, name="victim")
    wait_for(victim, Connected)
    victim._session._client.socket().shutdown(socket.SHUT_RDWR)
    assert wait_for(watcher, Arrived)[0].payload == WILL.payload


def test_a_closed_client_leaves_no_will(broker, make_client):
    watcher = make_client(broker.port, WILL.topic, "end", name="watcher")
    wait_for(watcher, Connected)
    leaver = make_client(broker.port, name="leaver")
    wait_for(leaver, Connected)
    leaver.close()
    watcher.publish("end", b"")
    assert wait_for(watcher, Arrived)[0].topic == "end"


def test_nobody_at_the_port_is_a_disconnected_event_each_time(make_client):
    client = make_client(free_port())
    for event in wait_for(client, Disconnected, count=3):
        assert "cannot connect" in event.reason


def test_publishing_before_the_connection_is_a_link_error(make_client):
    with pytest.raises(LinkError, match="not connected"):
        make_client(free_port()).publish("a", b"")


@pytest.mark.parametrize("reply", [b"", b"\xff" * 64, b"HTTP/1.1 400\r\n\r\n"])
def test_a_server_that_is_no_broker_is_a_disconnected_event(make_client, reply):
    with socket.create_server((HOST, 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall(reply)
                connection.recv(100)

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        client = make_client(port, connect_timeout_s=0.3)
        wait_for(client, Disconnected)
        client.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@needs_mosquitto
def test_a_publication_that_nobody_hears_is_told(make_client, start_mosquitto):
    client = make_client(start_mosquitto("allow_anonymous true").port)
    wait_for(client, Connected)
    client.publish("nobody/listens", b"")
    assert not wait_for(client, Published)[0].heard


@needs_mosquitto
def test_a_message_over_the_brokers_limit_is_refused_and_the_link_stands(
    make_client, start_mosquitto
):
    running = start_mosquitto("allow_anonymous true", "max_packet_size 2000")
    client = make_client(running.port, "a")
    wait_for(client, Connected)
    with pytest.raises(MessageError, match="the broker takes"):
        client.publish("a", bytes(3000))
    client.publish("a", bytes(1000))
    assert len(wait_for(client, Arrived)[0].payload) == 1000


@needs_mosquitto
def test_a_forbidden_publication_is_refused_by_its_reason_code(
    make_client, start_mosquitto, tmp_path
):
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite allowed\n")
    running = start_mosquitto("allow_anonymous true", f"acl_file {rules}")
    client = make_client(running.port, "allowed")
    wait_for(client, Connected)
    client.publish("forbidden", b"")
    assert "authorized" in wait_for(client, Refused)[0].reason.lower()


@needs_mosquitto
def test_a_wrong_password_is_a_disconnected_event_with_the_reason(
    make_client, start_mosquitto, tmp_path
):
    password = tmp_path / "password"
    password.write_text("wrong\n")
    client = make_client(
        start_mosquitto("allow_anonymous false").port,
        username="booth",
        password_file=password,
    )
    assert "refused" in wait_for(client, Disconnected)[0].reason


@needs_mosquitto
def test_a_second_client_of_the_same_name_takes_over(make_client, start_mosquitto):
    port = start_mosquitto("allow_anonymous true").port
    first = make_client(port, name="same")
    wait_for(first, Connected)
    wait_for(make_client(port, name="same"), Connected)
    wait_for(first, Disconnected)


def make_certificates(folder):
    """Make a CA and a server certificate for 127.0.0.1, short-lived, in folder."""

    def openssl(*arguments):
        subprocess.run(
            ["openssl", *arguments], cwd=folder, check=True, capture_output=True
        )

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "other"):
        openssl(
            *("req", "-x509", *key, "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )
    openssl(
        *("req", *key, "-subj", "/CN=broker", "-keyout", "srv.key", "-out", "srv.csr")
    )
    (folder / "srv.ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        *("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-days", "2", "-extfile", "srv.ext", "-out", "srv.pem"),
    )


@needs_mosquitto
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_tls_connects_to_the_broker_of_our_ca_and_to_no_other(
    make_client, start_mosquitto, tmp_path
):
    make_certificates(tmp_path)
    running = start_mosquitto(
        "allow_anonymous true",
        f"certfile {tmp_path / 'srv.pem'}",
        f"keyfile {tmp_path / 'srv.key'}",
    )
    client = make_client(running.port, "a", cafile=tmp_path / "ca.pem")
    wait_for(client, Connected)
    client.publish("a", bytes(100_000))
    assert len(wait_for(client, Arrived)[0].payload) == 100_000
    stranger = make_client(running.port, cafile=tmp_path / "other.pem")
    assert "not trusted" in wait_for(stranger, Disconnected)[0].reason


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"x" * 5000])
def test_an_unusable_password_file_is_a_configuration_error(
    make_client, tmp_path, content
):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="password"):
        make_client(1883, username="u", password_file=path)


def test_an_unusable_certificate_is_a_configuration_error(make_client, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        make_client(8883, cafile=path)
    with pytest.raises(ConfigurationError, match="CA file"):
        make_client(8883, certfile=path)
