from pathlib import Path

import pytest

import edge.hub
from edge.clock import SystemClock
from edge.simulate.broker import HOST, RunningBroker, find_mosquitto, free_port
from edge.sync.link import Arrived, Connected, Published, Refused, Will
from edge.sync.mqtt_client import BrokerSettings, MqttClient
from edge.sync.topics import booth_subscriptions, hub_subscriptions

ROUNDS = 150


@pytest.fixture
def broker(tmp_path):
    """A Mosquitto that keeps the access list of the README."""
    daemon = find_mosquitto()
    if daemon is None:
        pytest.skip("mosquitto is not installed")
    readme = Path(edge.hub.__file__).with_name("README.md").read_text()
    lines = [line.strip() for line in readme.splitlines() if line.startswith("    ")]
    first = lines.index("pattern write edge/%u/up/#")
    last = lines.index("topic readwrite edge/hub/#")
    rules = tmp_path / "acl"
    rules.write_text("\n".join(lines[first : last + 1]) + "\n")
    port = free_port()
    settings = tmp_path / "own.conf"
    settings.write_text(
        f"listener {port} {HOST}\nallow_anonymous true\nuser root\nacl_file {rules}\n"
    )
    running = RunningBroker(
        [daemon, "-c", str(settings)], port, "mosquitto", tmp_path / "log"
    )
    yield running
    running.stop()


@pytest.fixture
def connect(broker):
    clients = []

    def make(username, subscriptions):
        client = MqttClient(
            BrokerSettings(port=broker.port, username=username),
            client_id=username,
            subscriptions=subscriptions,
            will=Will(f"edge/{username}/state", b""),
            clock=SystemClock(),
        )
        clients.append(client)
        await_event(client, Connected)
        return client

    yield make
    for client in clients:
        client.close()


def await_event(client, *kinds):
    for _ in range(ROUNDS):
        for event in client.poll(0.1):
            if isinstance(event, Arrived):
                client.acknowledge(event)
            if isinstance(event, kinds):
                return event
    pytest.fail(f"no {kinds} came")


def test_booth_and_hub_may_do_what_they_need(connect):
    booth = connect("booth-1", booth_subscriptions("booth-1"))
    hub = connect("hub", hub_subscriptions())
    for name in ("up/outbox", "up/watchlist-request", "state"):
        booth.publish(f"edge/booth-1/{name}", b"x")
        assert isinstance(await_event(booth, Published, Refused), Published)
        assert await_event(hub, Arrived).topic == f"edge/booth-1/{name}"
    for name in ("booth-1/down/receipt", "booth-1/down/watchlist", "hub/head"):
        hub.publish(f"edge/{name}", b"x")
        assert await_event(booth, Arrived).topic == f"edge/{name}"


@pytest.mark.parametrize(
    "topic",
    [
        "edge/booth-2/up/outbox",
        "edge/booth-2/state",
        "edge/booth-1/down/receipt",
        "edge/hub/head",
        "edge/hub/state",
    ],
)
def test_a_booth_may_not_speak_for_others(connect, topic):
    booth = connect("booth-1", booth_subscriptions("booth-1"))
    booth.publish(topic, b"x")
    assert isinstance(await_event(booth, Published, Refused), Refused)
