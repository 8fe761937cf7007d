"""The hub's loop: take what the link brought, store it, say what is due.

A step takes at most one batch of messages into one commit, gives the receipts, and only
then acknowledges the messages to the broker. It never raises for what the booths, the
link or the store do; it is logged, and the next step starts from what is stored.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from edge.errors import EdgeError, LinkError, MessageError, StoreError
from edge.hub.command_sender import CommandSender
from edge.hub.console import Console
from edge.hub.entitlements import Entitlements
from edge.hub.gap_watcher import GapWatcher
from edge.hub.hub_voice import HubVoice
from edge.hub.ingest import Ingest, OutboxArrival
from edge.hub.opening import Opener
from edge.hub.outgoing import Outbound, Outgoing
from edge.hub.reference_sender import ReferenceSender
from edge.hub.settings import HubSettings
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
    from collections.abc import Callable, Sequence

    from edge.clock import Clock
    from edge.hub.hub_stores import HubStores
    from edge.logs import EventLog
    from edge.sync.link import Link, LinkEvent
    from edge.trust.hub_keys import HubKeys

STATE_TOPIC = str(HubTopic(HubChannel.STATE))
BATCH_MESSAGES = 256
BATCH_BYTES = 16 * 1024 * 1024
CONSOLE_LINES = 256
GAP_LOOK_S = 5.0


def hub_will(instance: str) -> Will:
    """Return what the broker says of the hub when its link breaks."""
    death = LinkState(online=False, instance=instance, connection=0)
    return Will(STATE_TOPIC, death.encode())


class HubService:
    """Ties the link to the hub's store. Belongs to one thread."""

    def __init__(  # noqa: PLR0913  the one place where the parts meet
        self,
        *,
        instance: str,
        link: Link,
        stores: HubStores,
        keys: HubKeys,
        clock: Clock,
        log: EventLog,
        settings: HubSettings | None = None,
        want_snapshot: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin; want_snapshot: called when a booth waits for one that is not there.

        Raises:
            StoreError: the store cannot be read.
            ConfigurationError: the store and the keys do not belong together.
        """
        settings = settings or HubSettings()
        self._instance = instance
        self._link = link
        self._stores = stores
        self._clock = clock
        self._log = log
        self._arrived: deque[Arrived] = deque()
        self._arrived_bytes = 0
        self._states: dict[str, str] = {}
        self._online: set[str] = set()
        self._next_gap_look_s = 0.0
        self._outbound = Outbound(link)
        self._console = Console(log)
        entitlements = Entitlements(stores.registry, keys.sealing, clock)
        commands = CommandSender(
            stores.commands,
            entitlements,
            keys.operations,
            clock,
            log,
            repeat_s=settings.command_repeat_s,
        )
        self._ingest = Ingest(
            Opener(keys.sealing, entitlements),
            stores.messages,
            keys.operations,
            clock,
            log,
            commands.on_answer,
        )
        self._voice = HubVoice(
            stores=stores,
            keys=keys,
            entitlements=entitlements,
            commands=commands,
            outbound=self._outbound,
            clock=clock,
            log=log,
            settings=settings,
            want_snapshot=want_snapshot,
        )
        self._references = (
            None
            if stores.images is None
            else ReferenceSender(stores.images, stores.messages, clock, log)
        )
        self._gaps = GapWatcher(
            stores.messages, stores.commands, clock, log, after_s=settings.gap_after_s
        )

    def step(self, timeout_s: float) -> None:
        """Wait up to timeout_s for the link, then do everything that is due."""
        is_busy = self._arrived or self._voice.is_busy
        # What booths send may not fill the memory: the rest waits on the line.
        if self._arrived_bytes < BATCH_BYTES:
            for event in self._link.poll(0.0 if is_busy else timeout_s):
                self._note(event)
        self._take(self._next_batch())
        self._guard(self._show_hits)
        if self._references is not None:
            self._guard(self._references.look)
        if self._outbound.is_connected:
            self._guard(self._watch_gaps)
            self._guard(self._voice.speak)

    def close(self) -> None:
        """Say goodbye, so that no booth has to wait for the will."""
        if self._outbound.is_connected:
            self._guard(lambda: self._announce_state(online=False, connection=0))
        self._link.close()
        self._outbound.is_connected = False

    def _note(self, event: LinkEvent) -> None:
        match event:
            case Connected():
                self._guard(lambda: self._on_connected(event))
            case Disconnected():
                self._outbound.is_connected = False
                # Not acknowledged: whoever sent them sends them again.
                self._arrived.clear()
                self._arrived_bytes = 0
                self._log.event("disconnected", reason=event.reason)
            case Arrived():
                self._arrived.append(event)
                self._arrived_bytes += len(event.payload)
            case Refused():
                self._log.event("publish_refused", reason=event.reason)

    def _on_connected(self, event: Connected) -> None:
        self._outbound.is_connected = True
        self._log.event("connected", protocol=event.protocol, attempt=event.connection)
        self._voice.forget()
        self._announce_state(online=True, connection=event.connection)

    def _announce_state(self, *, online: bool, connection: int) -> None:
        state = LinkState(online=online, instance=self._instance, connection=connection)
        self._outbound.send(Outgoing(STATE_TOPIC, state.encode(), is_retained=True))

    def _next_batch(self) -> list[Arrived]:
        batch: list[Arrived] = []
        size = 0
        while self._arrived and len(batch) < BATCH_MESSAGES:
            size += len(self._arrived[0].payload)
            if batch and size > BATCH_BYTES:
                break
            batch.append(self._arrived.popleft())
        self._arrived_bytes -= sum(len(event.payload) for event in batch)
        return batch

    def _take(self, batch: Sequence[Arrived]) -> None:
        outbox: list[OutboxArrival] = []
        for event in batch:
            self._guard(partial(self._sort, event, outbox))
        if outbox:
            self._guard(lambda: self._store(outbox))
        if self._states:
            self._guard(self._keep_states)
        for event in batch:
            # Of what could not be stored too: only a receipt ends a booth's trying.
            self._link.acknowledge(event)

    def _sort(self, event: Arrived, outbox: list[OutboxArrival]) -> None:
        topic = parse_topic(event.topic)
        if isinstance(topic, HubTopic):
            # Our own voice: the filter for the booths' states matches edge/hub/state,
            # and amqtt hands out retained messages more freely than it should.
            return
        match topic.channel:
            case BoothChannel.OUTBOX:
                outbox.append(OutboxArrival(topic.booth_id, event.payload))
            case BoothChannel.REQUEST:
                self._voice.on_request(topic.booth_id, event.payload)
            case BoothChannel.STATE:
                self._on_booth_state(topic, event.payload)
            case _:
                raise MessageError(f"{topic}: not meant for the hub")

    def _store(self, outbox: Sequence[OutboxArrival]) -> None:
        for receipt in self._ingest.receive(outbox):
            self._outbound.send(receipt)

    def _on_booth_state(self, topic: BoothTopic, payload: bytes) -> None:
        is_online = LinkState.decode(payload).online
        self._states[topic.booth_id] = "online" if is_online else "offline"
        change = self._online.add if is_online else self._online.discard
        change(topic.booth_id)

    def _keep_states(self) -> None:
        states, self._states = self._states, {}
        self._stores.booths.seen_all(states, at=self._clock.now())
        for booth_id, state in states.items():
            self._log.event("booth_state", booth_id=booth_id, state=state)

    def _show_hits(self) -> None:
        for stored in self._stores.messages.take_new_hits(limit=CONSOLE_LINES):
            self._console.show(stored)

    def _watch_gaps(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s >= self._next_gap_look_s:
            self._next_gap_look_s = now_s + GAP_LOOK_S
            self._gaps.look(self._online)

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:
            self._log.event("store_failed", error=str(error))
        except LinkError as error:
            self._log.event("link_failed", error=str(error))
        except EdgeError as error:
            self._log.event("message_refused", error=str(error))
