"""What booths send does not fill the hub's memory: it waits on the line."""

from edge.hub.hub_service import BATCH_BYTES, HubService
from edge.logs import EventLog
from edge.sync.link import Arrived

MESSAGE_BYTES = 4 * 1024 * 1024
AT_ONCE = 10


class GreedyLink:
    """Brings large messages as often as it is asked."""

    def __init__(self):
        self.brought = self.acknowledged = 0
        self.most_held = 0
        self._payload = bytes(MESSAGE_BYTES)

    def poll(self, timeout_s):
        del timeout_s
        self.brought += AT_ONCE
        self.most_held = max(self.most_held, self.brought - self.acknowledged)
        topic = "edge/booth-1/up/outbox"
        return [Arrived(topic, self._payload, ticket) for ticket in range(AT_ONCE)]

    def acknowledge(self, arrived):
        del arrived
        self.acknowledged += 1

    def close(self):
        pass

    backlog_bytes = 0


def test_a_flood_of_large_messages_is_read_no_faster_than_it_is_dealt_with(hub):
    link = GreedyLink()
    service = HubService(
        instance="ab",
        link=link,
        stores=hub.stores,
        keys=hub.keys,
        clock=hub.clock,
        log=EventLog(hub.clock, "hub", hub.output),
    )
    for _ in range(40):
        service.step(0)
    assert link.acknowledged >= 100
    assert link.most_held * MESSAGE_BYTES <= BATCH_BYTES + AT_ONCE * MESSAGE_BYTES
