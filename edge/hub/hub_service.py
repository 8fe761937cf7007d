"""The hub's loop: one step takes what the link brought and announces what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import EdgeError, LinkError, MessageError, StoreError
from edge.hub.console import Console
from edge.hub.ingest import Ingest
from edge.hub.publisher import Publisher
from edge.sync.link import Arrived, Connected, Disconnected, Refused, Will
from edge.sync.messages import LinkState
from edge.sync.topics import (
    BoothChannel,
    BoothTopic,
    HubChannel,
    HubTopic,
    parse_topic,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.store.hub import HubStore
    from edge.sync.link import Link, LinkEvent

STATE_TOPIC = str(HubTopic(HubChannel.STATE))
HEAD_TOPIC = str(HubTopic(HubChannel.HEAD))


def hub_will(instance: str) -> Will:
    """Return what the broker says of the hub when its link breaks."""
    death = LinkState(online=False, instance=instance, connection=0)
    return Will(STATE_TOPIC, death.encode())


class HubService:
    """Ties the link to the hub's store. Belongs to one thread."""

    def __init__(
        self,
        *,
        instance: str,
        link: Link,
        store: HubStore,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._instance = instance
        self._link = link
        self._log = log
        self._is_connected = False
        self._store = store
        self._clock = clock
        self._ingest = Ingest(store, Console(log), clock, log)
        self._publisher = Publisher(store, clock)

    def step(self, timeout_s: float) -> None:
        """Wait up to timeout_s for the link, then do everything that is due.

        Never raises for what the booths, the link or the store do; it is logged.
        """
        for event in self._link.poll(timeout_s):
            self._handle(event)
        if self._is_connected:
            self._guard(self._announce_head)

    def close(self) -> None:
        """Say goodbye, so that no booth has to wait for the will."""
        if self._is_connected:
            self._guard(lambda: self._announce_state(online=False, connection=0))
        self._link.close()
        self._is_connected = False

    def _handle(self, event: LinkEvent) -> None:
        match event:
            case Connected():
                self._guard(lambda: self._on_connected(event))
            case Disconnected():
                self._is_connected = False
                self._log.event("disconnected", reason=event.reason)
            case Arrived():
                self._guard(lambda: self._on_arrived(event))
                self._link.acknowledge(event)
            case Refused():
                self._log.event("publish_refused", reason=event.reason)

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:
            self._log.event("store_failed", error=str(error))
        except LinkError as error:
            self._log.event("link_failed", error=str(error))
        except EdgeError as error:
            self._log.event("message_refused", error=str(error))

    def _on_connected(self, event: Connected) -> None:
        self._is_connected = True
        self._log.event("connected", protocol=event.protocol, attempt=event.connection)
        self._publisher.forget_announcement()
        self._announce_state(online=True, connection=event.connection)

    def _announce_state(self, *, online: bool, connection: int) -> None:
        state = LinkState(online=online, instance=self._instance, connection=connection)
        self._link.publish(STATE_TOPIC, state.encode(), retain=True)

    def _announce_head(self) -> None:
        head = self._publisher.new_head()
        if head is not None:
            self._link.publish(HEAD_TOPIC, head.encode(), retain=True)
            self._publisher.announced(head)
            self._log.event("head_announced", sequence=head.sequence)

    def _on_arrived(self, event: Arrived) -> None:
        topic = parse_topic(event.topic)
        if isinstance(topic, HubTopic):
            # Our own voice: the filter for the booths' states matches edge/hub/state,
            # and amqtt hands out retained messages more freely than it should.
            return
        match topic.channel:
            case BoothChannel.OUTBOX:
                receipt = self._ingest.receive(topic.booth_id, event.payload)
                self._reply(topic.booth_id, BoothChannel.RECEIPT, receipt.encode())
            case BoothChannel.WATCHLIST_REQUEST:
                batch = self._publisher.answer(topic.booth_id, event.payload)
                self._reply(topic.booth_id, BoothChannel.WATCHLIST, batch.encode())
            case BoothChannel.STATE:
                self._on_booth_state(topic.booth_id, event.payload)
            case _:
                raise MessageError(f"{topic}: not meant for the hub")

    def _reply(self, booth_id: str, channel: BoothChannel, payload: bytes) -> None:
        self._link.publish(str(BoothTopic(booth_id, channel)), payload)

    def _on_booth_state(self, booth_id: str, payload: bytes) -> None:
        state = "online" if LinkState.decode(payload).online else "offline"
        self._store.booth_seen(booth_id, state=state, at=self._clock.now())
        self._log.event("booth_state", booth_id=booth_id, state=state)
