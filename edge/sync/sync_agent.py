"""The booth's agent: one step moves what the link brought and what the booth owes.

Each step is: take the link's events, act on each, then send what is due. An error in
one message is logged and the next one is handled; an error of the store or the link
ends the step, and the next step starts from what is stored.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import (
    EdgeError,
    LinkError,
    MessageError,
    RefusalError,
    RefusalReason,
    StoreError,
)
from edge.sync.link import Arrived, Connected, Disconnected, Published, Refused, Will
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
    from edge.logs import EventLog
    from edge.sync.booth_trust import BoothTrust
    from edge.sync.commands import CommandDesk
    from edge.sync.holdings import HoldingReporter
    from edge.sync.link import Link, LinkEvent
    from edge.sync.outbox_sender import OutboxSender
    from edge.sync.replica_follower import ReplicaFollower


_KEYS_MISSING = (
    RefusalReason.WRONG_SIGNER,
    RefusalReason.NO_KEY,
    RefusalReason.WRONG_LOG,
)


def new_instance() -> str:
    """Return a name for this process that no other has."""
    return secrets.token_hex(8)


def booth_will(booth_id: str, instance: str) -> Will:
    """Return what the broker says of the booth when its link breaks."""
    death = LinkState(online=False, instance=instance, connection=0)
    return Will(str(BoothTopic(booth_id, BoothChannel.STATE)), death.encode())


@dataclass
class Chore:
    """Something to do every period_s; the first time at once."""

    period_s: float
    act: Callable[[], None]
    due_s: float = 0.0


@dataclass(frozen=True)
class AgentParts:
    """The parts that the agent ties to the link."""

    trust: BoothTrust
    sender: OutboxSender
    follower: ReplicaFollower
    commands: CommandDesk
    holdings: HoldingReporter


class SyncAgent:
    """Belongs to one thread. pause() may be called by a part during long work."""

    def __init__(
        self,
        link: Link,
        parts: AgentParts,
        clock: Clock,
        log: EventLog,
        *,
        instance: str,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._link = link
        self._parts = parts
        self._clock = clock
        self._log = log
        self._instance = instance
        self._chores = chores
        self._later: list[LinkEvent] = []
        booth_id = parts.trust.booth_id
        self._state_topic = str(BoothTopic(booth_id, BoothChannel.STATE))
        self._is_connected = False
        self._hub_birth: tuple[str, int] | None = None
        follower = parts.follower
        down: dict[BoothChannel, Callable[[bytes], None]] = {
            BoothChannel.RECEIPT: parts.sender.on_receipt,
            BoothChannel.WATCHLIST: follower.on_answer,
            BoothChannel.CHUNK: follower.on_chunk,
            BoothChannel.COMMAND: self._on_command,
            BoothChannel.GRANT: self._on_grant,
        }
        of_hub: dict[HubChannel, Callable[[bytes], None]] = {
            HubChannel.TRUST: self._on_trust,
            HubChannel.HEAD: follower.on_head,
            HubChannel.CHANGES: follower.on_changes,
        }
        self._handlers = {
            **{str(BoothTopic(booth_id, c)): act for c, act in down.items()},
            **{str(HubTopic(c)): act for c, act in of_hub.items()},
        }

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    @property
    def link_word(self) -> str:
        """Return "up", "hub_silent" (only the broker answers) or "down"."""
        if not self._is_connected:
            return "down"
        return "hub_silent" if self._hub_birth is None else "up"

    def step(self, timeout_s: float) -> None:
        """Wait up to timeout_s for the link, then do everything that is due.

        Never raises for what the other side or the store does; it is logged.
        """
        later, self._later = self._later, []
        for event in (*later, *self._link.poll(0.0 if later else timeout_s)):
            self._handle(event)
        for chore in self._chores:
            self._do_if_due(chore)
        self._guard(self._parts.holdings.report_if_due)
        if self._is_connected:
            self._guard(self._parts.follower.ask_if_due)
        if self._is_connected:
            self._guard(self._parts.sender.send_due)

    def pause(self) -> None:
        """Keep the line alive during long work; what comes is handled later."""
        self._later += self._link.poll(0.0)

    def close(self) -> None:
        """Say goodbye, so that nobody has to wait for the will."""
        if self._is_connected:
            self._guard(lambda: self._announce(online=False, connection=0))
        self._link.close()
        self._is_connected = False

    def _do_if_due(self, chore: Chore) -> None:
        now_s = self._clock.monotonic_s()
        if now_s >= chore.due_s:
            chore.due_s = now_s + chore.period_s
            self._guard(chore.act)

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
                self._parts.sender.on_published(event.token, heard=event.heard)
            case Refused():
                self._parts.sender.on_refused(event.token, event.reason)

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except StoreError as error:
            self._log.event("store_failed", error=str(error))
        except LinkError as error:
            self._log.event("link_failed", error=str(error))
        except RefusalError as error:
            self._log.event(
                "message_refused", reason=str(error.reason), error=str(error)
            )
            if error.reason in _KEYS_MISSING and self._is_connected:
                self._guard(self._parts.follower.ask_for_trust)
        except EdgeError as error:
            self._log.event("message_refused", error=str(error))

    def _on_connected(self, event: Connected) -> None:
        self._is_connected = True
        self._log.event("connected", protocol=event.protocol, attempt=event.connection)
        self._parts.sender.resend_all()
        self._parts.follower.ask_now()
        self._announce(online=True, connection=event.connection)

    def _on_disconnected(self, event: Disconnected) -> None:
        if self._is_connected:
            self._parts.sender.on_disconnected()
        self._is_connected = False
        self._log.event("disconnected", reason=event.reason)

    def _announce(self, *, online: bool, connection: int) -> None:
        state = LinkState(online=online, instance=self._instance, connection=connection)
        self._link.publish(self._state_topic, state.encode(), retain=True)

    def _on_arrived(self, event: Arrived) -> None:
        if event.topic == self._state_topic:
            return  # our own voice: amqtt hands out retained messages too freely
        if not event.payload:
            return  # a retained message that was taken back
        if event.topic == str(HubTopic(HubChannel.STATE)):
            self._on_hub_state(event)
            return
        handler = self._handlers.get(event.topic)
        if handler is None:
            raise MessageError(f"{parse_topic(event.topic)}: not meant for this booth")
        handler(event.payload)

    def _on_trust(self, data: bytes) -> None:
        if self._parts.trust.on_trust(data, self._clock.now()):
            version = self._parts.trust.anchors.version
            self._log.event("trust_changed", version=version)
            self._parts.follower.trust_changed()

    def _on_grant(self, data: bytes) -> None:
        if self._parts.trust.on_grant(data):
            newest = max(self._parts.trust.content_keys)
            self._log.event("keys_changed", sequence=newest)
            self._parts.follower.trust_changed()

    def _on_command(self, data: bytes) -> None:
        replica = self._parts.follower.replica
        now = self._clock.now()
        proved = replica.latest_trusted_at
        latest = now if proved is None else max(now, proved)
        self._parts.commands.on_command(data, now=latest)

    def _on_hub_state(self, event: Arrived) -> None:
        state = LinkState.decode(event.payload)
        birth = (state.instance, state.connection) if state.online else None
        if birth == self._hub_birth:
            return
        self._hub_birth = birth
        self._log.event("hub_state", state="online" if state.online else "offline")
        # A retained birth is older than this connection, which has asked already.
        if state.online and not event.is_retained:
            self._parts.sender.resend_all()
            self._parts.follower.ask_now()
