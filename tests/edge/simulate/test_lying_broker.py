import threading
import time
from collections import Counter

import pytest

from edge.clock import SystemClock
from edge.simulate.lying_broker import LyingBroker, LyingPlan
from edge.sync.link import Arrived, Connected, Disconnected, Published, Will
from edge.sync.mqtt_client import BrokerSettings, MqttClient

PATIENCE_S = 10.0
UP = "edge/{}/up/outbox"


@pytest.fixture
def start():
    """Start a broker with a plan; return it with two booths' clients and a hub's."""
    running, clients = [], []

    def make(**lies):
        broker = LyingBroker(plan=LyingPlan(**lies))
        running.append(broker)

        def connect(name, *subscriptions):
            client = MqttClient(
                BrokerSettings(
                    port=broker.port, backoff_first_s=0.02, backoff_limit_s=0.05
                ),
                client_id=name,
                subscriptions=subscriptions,
                will=Will(f"edge/{name}/state", b"gone"),
                clock=SystemClock(),
            )
            clients.append(client)
            wait_for(client, Connected)
            return client

        return broker, connect

    yield make
    for client in clients:
        client.close()
    for broker in running:
        broker.stop()


def wait_for(client, kind, count=1):
    """Poll until so many events of a kind have come; the others are kept for later."""
    deadline = time.monotonic() + PATIENCE_S
    found = []
    kept = client.__dict__.setdefault("kept_events", [])
    while len(found) < count:
        assert time.monotonic() < deadline, f"no {kind.__name__} came"
        if not any(isinstance(event, kind) for event in kept):
            events = client.poll(0.1)
            kept += events
            for event in events:
                if isinstance(event, Arrived):
                    client.acknowledge(event)
        found += [event for event in kept if isinstance(event, kind)]
        kept[:] = [event for event in kept if not isinstance(event, kind)]
    return found


def test_an_honest_one_delivers_in_order_and_tells_who_listens(start):
    broker, connect = start()
    booth, hub = connect("booth-1", "nothing"), connect("hub", "edge/+/up/outbox")
    payloads = [bytes([number]) * 1000 for number in range(100)]
    for payload in payloads:
        booth.publish(UP.format("booth-1"), payload)
    assert [event.payload for event in wait_for(hub, Arrived, 100)] == payloads
    assert all(event.heard for event in wait_for(booth, Published, 100))
    assert [seen.payload for seen in broker.seen] == payloads
    booth.publish("nobody/listens", b"")
    assert not wait_for(booth, Published)[0].heard


def test_what_was_retained_comes_at_once_and_is_lost_with_the_disk(start):
    broker, connect = start()
    hub = connect("hub", "nothing")
    hub.publish("edge/hub/head", b"7", retain=True)
    wait_for(hub, Published)
    assert broker.retained() == {"edge/hub/head": b"7"}
    [old] = wait_for(connect("booth-1", "edge/hub/head"), Arrived)
    assert old.is_retained
    broker.lose_state()
    wait_for(hub, Disconnected)
    assert broker.retained() == {}
    wait_for(hub, Connected)


def test_a_cut_connection_leaves_its_will(start):
    broker, connect = start()
    connect("booth-1", "nothing")
    broker.cut()
    assert broker.retained() == {"edge/booth-1/state": b"gone"}


def test_dropped_messages_are_acknowledged_all_the_same(start):
    broker, connect = start(drop=1.0)
    booth, hub = connect("booth-1", "nothing"), connect("hub", "edge/+/up/outbox")
    booth.publish(UP.format("booth-1"), b"1")
    assert wait_for(booth, Published)[0].heard
    broker.inject(UP.format("booth-1"), b"forged")
    assert wait_for(hub, Arrived)[0].payload == b"forged"


def test_redelivery_and_reordering_lose_nothing(start):
    broker, connect = start(redeliver=0.3, reorder=0.3)
    booth, hub = connect("booth-1", "nothing"), connect("hub", "edge/+/up/outbox")
    for number in range(60):
        booth.publish(UP.format("booth-1"), bytes([number]))
    wait_for(booth, Published, 60)
    arrived = wait_for(hub, Arrived, 60 + broker.told["redeliver"])
    counts = Counter(event.payload for event in arrived)
    assert set(counts) == {bytes([number]) for number in range(60)}
    assert list(counts) != sorted(counts)


def test_one_booths_messages_reach_another(start):
    _, connect = start(cross=1.0)
    hub = connect("hub", "nothing")
    connect("booth-1", "nothing").close()
    one = connect("booth-1", "edge/booth-1/down/receipt")
    two = connect("booth-2", "edge/booth-2/down/receipt")
    hub.publish("edge/booth-1/down/receipt", b"for 1")
    assert wait_for(one, Arrived)[0].payload == b"for 1"
    hub.publish("edge/booth-2/down/receipt", b"for 2")
    assert wait_for(one, Arrived)[0].payload == b"for 2"
    assert wait_for(two, Arrived)[0].payload == b"for 2"


def test_a_sender_may_be_cut_before_the_acknowledgement(start):
    broker, connect = start(hang_up=1.0)
    booth, hub = connect("booth-1", "nothing"), connect("hub", "edge/+/up/outbox")
    booth.publish(UP.format("booth-1"), b"1")
    wait_for(booth, Disconnected)
    assert wait_for(hub, Arrived)[0].payload == b"1"
    broker.plan = LyingPlan()
    wait_for(booth, Connected)


def test_a_stopped_one_has_no_thread():
    with LyingBroker() as broker:
        pass
    broker.stop()
    broker.cut()
    assert not any(t.name == "lying-broker" for t in threading.enumerate())
