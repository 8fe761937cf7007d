"""The generated broker configuration on the real Mosquitto: who may do what."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from edge.clock import SystemClock
from edge.errors import LinkError, MessageError
from edge.hub.broker_config import BrokerPlan, broker_config
from edge.services.broker_check import knock
from edge.simulate.broker import (
    find_mosquitto,
    free_port,
    start_secure_broker,
)
from edge.simulate.fault_proxy import FaultProxy
from edge.sync.link import (
    Arrived,
    Connected,
    Disconnected,
    Published,
    Refused,
    Will,
)
from edge.sync.mqtt_client import BrokerSettings, MqttClient
from edge.sync.topics import booth_subscriptions, hub_subscriptions
from edge.trust.certificates import (
    Authority,
    KeyAndCertificate,
    make_authority,
    make_request,
)

PATIENCE_S = 10.0
NOW = SystemClock().now()
MAX_PACKET_BYTES = 100_000

pytestmark = pytest.mark.skipif(
    find_mosquitto() is None, reason="mosquitto is not installed"
)


class CheckpointAuthority:
    """The product's own authority, and what it has revoked."""

    def __init__(self):
        pair = make_authority(now=NOW)
        self.certificate = pair.certificate
        self._authority = Authority(pair, origin="test")
        self.revoked = self._authority.revoke([], before=None, now=NOW)

    def issue(self, name, folder, now=NOW):
        """Write <name>.key and <name>.pem."""
        if name == "broker":
            pair = self._authority.issue_for_broker(["127.0.0.1"], now=now)
        elif name == "hub":
            pair = self._authority.issue_for_hub(now=now)
        else:
            key, request = make_request(name)
            certificate = self._authority.issue_for_booth(request, name, now=now)
            pair = KeyAndCertificate(key, certificate)
        (folder / f"{name}.key").write_bytes(pair.key)
        (folder / f"{name}.pem").write_bytes(pair.certificate)

    def revoke(self, name, folder):
        certificate = (folder / f"{name}.pem").read_bytes()
        self.revoked = self._authority.revoke(
            [certificate], before=self.revoked, now=NOW
        )


class Site:
    """A broker with its authority, and clients with certificates."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = CheckpointAuthority()
        for name in ("broker", "hub", "booth-1", "booth-2"):
            self.authority.issue(name, folder)
        self.port = free_port()
        self.broker = start_secure_broker(folder, self.port, self.files())
        self.clients = []

    def files(self):
        plan = BrokerPlan(
            folder=str(self.folder),
            ca=self.authority.certificate.decode(),
            revoked=self.authority.revoked.decode(),
            certificate=(self.folder / "broker.pem").read_text(),
            key=(self.folder / "broker.key").read_text(),
            port=self.port,
            address="127.0.0.1",
            max_packet_bytes=MAX_PACKET_BYTES,
        )
        return broker_config(plan)

    def revoke(self, name):
        """Revoke, and write the broker's files anew; it has not read them yet."""
        self.authority.revoke(name, self.folder)
        (self.folder / "crl.pem").write_text(self.files()["crl.pem"])

    def client(self, name, subscriptions=("nothing",), *, client_id=None, **changes):
        settings = BrokerSettings(
            port=self.port,
            cafile=self.folder / "ca.pem",
            certfile=self.folder / f"{name}.pem",
            keyfile=self.folder / f"{name}.key",
            backoff_first_s=0.05,
            backoff_limit_s=0.1,
            protocol="5",
        )
        client = MqttClient(
            replace(settings, **changes),
            client_id=client_id or name,
            subscriptions=subscriptions,
            will=Will(f"edge/{name}/state", b"gone"),
            clock=SystemClock(),
        )
        self.clients.append(client)
        return client

    def connect(self, name, subscriptions=("nothing",), **changes):
        client = self.client(name, subscriptions, **changes)
        wait_for(client, Connected)
        return client

    def stop(self):
        for client in self.clients:
            client.close()
        self.broker.stop()


@pytest.fixture
def site(tmp_path):
    running = Site(tmp_path)
    yield running
    running.stop()


def wait_for(client, *kinds):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for event in client.poll(0.1):
            if isinstance(event, Arrived):
                client.acknowledge(event)
            if isinstance(event, kinds):
                return event
    pytest.fail(f"no {kinds} came")


def publish(client, topic):
    client.publish(topic, b"x")
    return wait_for(client, Published, Refused)


def test_booth_and_hub_may_do_what_they_need(site):
    booth = site.connect("booth-1", booth_subscriptions("booth-1"))
    hub = site.connect("hub", hub_subscriptions())
    for name in hub_subscriptions():
        topic = name.replace("+", "booth-1")
        assert isinstance(publish(booth, topic), Published)
        assert wait_for(hub, Arrived).topic == topic
    for topic in booth_subscriptions("booth-1"):
        hub.publish(topic, b"x")
        assert wait_for(booth, Arrived).topic == topic


@pytest.mark.parametrize(
    "topic",
    [
        "edge/booth-2/up/outbox",
        "edge/booth-2/state",
        "edge/booth-2/down/receipt",
        "edge/booth-1/down/receipt",
        "edge/hub/head",
        "edge/hub/state",
        "$SYS/broker/uptime",
    ],
)
def test_a_booth_may_not_speak_for_others(site, topic):
    refused = publish(site.connect("booth-1"), topic)
    assert isinstance(refused, Refused)
    assert "access list" in refused.reason


def test_a_booth_hears_nothing_of_another(site):
    everything = ("#", "edge/#", "edge/booth-2/#", "edge/+/up/outbox")
    spy = site.connect("booth-1", everything)
    hub = site.connect("hub", hub_subscriptions())
    other = site.connect("booth-2")
    publish(other, "edge/booth-2/up/outbox")
    hub.publish("edge/booth-2/down/receipt", b"secret")
    hub.publish("edge/booth-1/down/receipt", b"mine")
    assert wait_for(spy, Arrived).payload == b"mine"


def test_no_certificate_is_refused_and_said_so(site):
    stranger = site.client("booth-1", certfile=None, keyfile=None)
    assert "certificate" in wait_for(stranger, Disconnected).reason


def test_a_certificate_of_another_authority_is_refused_and_said_so(site, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    CheckpointAuthority().issue("booth-1", folder)
    stranger = site.client(
        "booth-1", certfile=folder / "booth-1.pem", keyfile=folder / "booth-1.key"
    )
    reason = wait_for(stranger, Disconnected).reason
    assert "refused this machine's certificate" in reason
    assert "does not know" in reason


def test_an_expired_certificate_is_refused_and_said_so(site):
    site.authority.issue("booth-1", site.folder, now=NOW - timedelta(days=1000))
    reason = wait_for(site.client("booth-1"), Disconnected).reason
    assert "expired" in reason


def test_a_revoked_certificate_is_refused_once_the_broker_has_read_the_list(site):
    site.connect("booth-1").close()
    site.revoke("booth-1")
    site.broker.reload()
    deadline = time.monotonic() + PATIENCE_S
    revoked = site.client("booth-1")
    while isinstance(event := wait_for(revoked, Connected, Disconnected), Connected):
        assert time.monotonic() < deadline
        revoked.close()
        revoked = site.client("booth-1")
    assert "revoked" in event.reason
    site.connect("booth-2")


def test_a_renewed_certificate_is_used_without_a_restart(site):
    site.revoke("booth-1")
    site.broker.restart()
    booth = site.client("booth-1")
    assert "revoked" in wait_for(booth, Disconnected).reason
    (site.folder / "booth-1.pem").write_text("half of a renewal")
    assert "certificates" in wait_for(booth, Disconnected).reason
    site.authority.issue("booth-1", site.folder)
    wait_for(booth, Connected)


def test_a_broker_of_another_authority_is_not_trusted(site, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(CheckpointAuthority().certificate)
    booth = site.client("booth-1", cafile=folder / "ca.pem")
    assert "not trusted" in wait_for(booth, Disconnected).reason


def test_a_broker_of_another_name_is_not_trusted(site):
    booth = site.client("booth-1", host="localhost")
    assert "broker.host" in wait_for(booth, Disconnected).reason


def test_anothers_client_id_takes_nobody_over(site):
    victim = site.connect("booth-1", ("edge/booth-1/down/receipt",))
    site.connect("booth-2", client_id="booth-1")
    site.connect("hub").publish("edge/booth-1/down/receipt", b"still here")
    assert wait_for(victim, Arrived, Disconnected).payload == b"still here"


def test_the_same_certificate_twice_says_what_may_be_the_matter(site):
    first = site.connect("booth-1")
    site.connect("booth-1")
    assert "the same name" in wait_for(first, Disconnected).reason


class TestKnock:
    """The doctor looks at the broker while edge-sync is connected."""

    def settings(self, site, name="booth-1"):
        return BrokerSettings(
            host="127.0.0.1",
            port=site.port,
            cafile=site.folder / "ca.pem",
            certfile=site.folder / f"{name}.pem",
            keyfile=site.folder / f"{name}.key",
        )

    def test_a_running_session_is_not_disturbed(self, site):
        running = site.connect("booth-1", ("edge/booth-1/down/receipt",))
        for _ in range(3):
            knock(self.settings(site), SystemClock())
        site.connect("hub").publish("edge/booth-1/down/receipt", b"still here")
        assert wait_for(running, Arrived, Disconnected).payload == b"still here"

    def test_a_refused_certificate_is_told(self, site):
        site.authority.issue("booth-1", site.folder, now=NOW - timedelta(days=1500))
        with pytest.raises(LinkError, match="expired"):
            knock(self.settings(site), SystemClock())

    def test_a_plain_port_is_told(self, site):
        plain = replace(self.settings(site), cafile=None, certfile=None, keyfile=None)
        with pytest.raises(LinkError):
            knock(plain, SystemClock())

    def test_nobody_there_is_told(self, site):
        away = replace(self.settings(site), port=free_port())
        with pytest.raises(LinkError, match="cannot connect"):
            knock(away, SystemClock())


def test_a_too_large_message_is_refused_before_it_cuts_the_line(site):
    booth = site.connect("booth-1")
    with pytest.raises(MessageError, match="the broker takes"):
        booth.publish("edge/booth-1/up/outbox", bytes(MAX_PACKET_BYTES))
    assert isinstance(publish(booth, "edge/booth-1/up/outbox"), Published)


def test_a_line_that_falls_silent_in_the_handshake_is_given_up_and_tried_again(site):
    with FaultProxy(site.port) as line:
        line.trickle(500)
        booth = site.client("booth-1", port=line.port, connect_timeout_s=0.3)
        assert "timed out" in wait_for(booth, Disconnected).reason
        line.heal()
        wait_for(booth, Connected)
        line.reset_after(100)
        booth.publish("edge/booth-1/up/outbox", bytes(1000))
        wait_for(booth, Disconnected)
        wait_for(booth, Connected)
        booth.close()


def test_a_plain_connection_gets_nowhere(site):
    plain = site.client("booth-1", cafile=None, certfile=None, keyfile=None)
    wait_for(plain, Disconnected)
