"""The booth's agent: one step moves what the link brought and what the booth owes.

Each step is: take the link's events, act on each, then send what is due. An error in
one message is logged and the next one is handled; an error of the store or the link
ends the step, and the next step starts from what is stored.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from edge.errors import EdgeError, LinkError, MessageError, StoreError
from edge.sync.link import Arrived, Connected, Disconnected, Published, Refused, Will
from edge.sync.messages import Head, LinkState, Receipt, WatchlistBatch
from edge.sync.outbox_sender import OutboxSender, SenderSettings
from edge.sync.topics import (
    BoothChannel,
    BoothTopic,
    HubChannel,
    HubTopic,
    parse_topic,
)
from edge.sync.watchlist_follower import FollowerSettings, WatchlistFollower

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.ports import Outbox, WatchlistReplica
    from edge.sync.link import Link, LinkEvent
    from edge.terms import WatchlistChange


def new_instance() -> str:
    """Return a name for this process that no other has."""
    return secrets.token_hex(8)


def booth_will(booth_id: str, instance: str) -> Will:
    """Return what the broker says of the booth when its link breaks."""
    death = LinkState(online=False, instance=instance, connection=0)
    return Will(str(BoothTopic(booth_id, BoothChannel.STATE)), death.encode())


class SyncAgent:
    """Ties the link to the booth's outbox and watchlist. Belongs to one thread."""

    def __init__(  # noqa: PLR0913  the one place where the parts meet
        self,
        *,
        booth_id: str,
        instance: str,
        link: Link,
        outbox: Outbox,
        watchlist: WatchlistReplica,
        decode_change: Callable[[bytes], WatchlistChange],
        clock: Clock,
        log: EventLog,
        sending: SenderSettings | None = None,
        following: FollowerSettings | None = None,
    ) -> None:
        self._link = link
        self._log = log
        self._instance = instance
        self._state_topic = str(BoothTopic(booth_id, BoothChannel.STATE))
        self._is_connected = False
        self._hub_birth: tuple[str, int] | None = None
        self._sender = OutboxSender(
            booth_id, link, outbox, clock, log, sending or SenderSettings()
        )
        self._follower = WatchlistFollower(
            booth_id,
            link,
            watchlist,
            decode_change,
            clock,
            log,
            following or FollowerSettings(),
        )
        self._handlers: dict[str, Callable[[Arrived], None]] = {
            str(BoothTopic(booth_id, BoothChannel.RECEIPT)): self._on_receipt,
            str(BoothTopic(booth_id, BoothChannel.WATCHLIST)): self._on_batch,
            str(HubTopic(HubChannel.HEAD)): self._on_head,
            str(HubTopic(HubChannel.STATE)): self._on_hub_state,
        }

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    def step(self, timeout_s: float) -> None:
        """Wait up to timeout_s for the link, then do everything that is due.

        Never raises for what the other side or the store does; it is logged.
        """
        for event in self._link.poll(timeout_s):
            self._handle(event)
        if self._is_connected:
            self._guard(self._send_due)

    def close(self) -> None:
        """Say goodbye, so that nobody has to wait for the will."""
        if self._is_connected:
            self._guard(lambda: self._announce(online=False, connection=0))
        self._link.close()
        self._is_connected = False

    def _handle(self, event: LinkEvent) -> None:
        match event:
            case Connected():
                self._guard(lambda: self._on_connected(event))
            case Disconnected():
                self._on_disconnected(event)
            case Arrived():
                self._guard(lambda: self._on_arrived(event))
                self._link.acknowledge(event)
            case Published():
                self._guard(
                    lambda: self._sender.on_published(event.token, heard=event.heard)
                )
            case Refused():
                self._sender.on_refused(event.token, event.reason)

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:
            self._log.event("store_failed", error=str(error))
        except LinkError as error:
            self._log.event("link_failed", error=str(error))
        except EdgeError as error:
            self._log.event("message_refused", error=str(error))

    def _send_due(self) -> None:
        self._follower.ask_if_due()
        self._sender.send_due()

    def _on_connected(self, event: Connected) -> None:
        self._is_connected = True
        self._log.event("connected", protocol=event.protocol, attempt=event.connection)
        self._sender.resend_all()
        self._follower.ask_now()
        self._announce(online=True, connection=event.connection)

    def _on_disconnected(self, event: Disconnected) -> None:
        if self._is_connected:
            self._sender.on_disconnected()
        self._is_connected = False
        self._log.event("disconnected", reason=event.reason)

    def _announce(self, *, online: bool, connection: int) -> None:
        state = LinkState(online=online, instance=self._instance, connection=connection)
        self._link.publish(self._state_topic, state.encode(), retain=True)

    def _on_arrived(self, event: Arrived) -> None:
        if event.topic == self._state_topic:
            return  # our own voice: amqtt hands out retained messages too freely
        handler = self._handlers.get(event.topic)
        if handler is None:
            raise MessageError(f"{parse_topic(event.topic)}: not meant for a booth")
        handler(event)

    def _on_receipt(self, event: Arrived) -> None:
        self._sender.on_receipt(Receipt.decode(event.payload))

    def _on_batch(self, event: Arrived) -> None:
        self._follower.on_batch(WatchlistBatch.decode(event.payload))

    def _on_head(self, event: Arrived) -> None:
        self._follower.on_head(Head.decode(event.payload).sequence)

    def _on_hub_state(self, event: Arrived) -> None:
        state = LinkState.decode(event.payload)
        birth = (state.instance, state.connection) if state.online else None
        if birth == self._hub_birth:
            return
        self._hub_birth = birth
        self._log.event("hub_state", state="online" if state.online else "offline")
        # A retained birth is older than this connection, which has asked already.
        if state.online and not event.is_retained:
            self._sender.resend_all()
            self._follower.ask_now()
