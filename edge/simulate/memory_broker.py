"""A broker in memory whose links can drop, duplicate and reorder.

For tests of both ends without sockets or time. Retained messages and wills behave as
in MQTT; QoS 1 promises are broken at the configured rates, seeded.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from edge.errors import LinkError, MessageError
from edge.sync.link import Arrived, Connected, Disconnected, LinkEvent, Published, Will

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Faults:
    """Shares of messages, 0 to 1."""

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0


@dataclass
class MemoryBroker:
    faults: Faults = Faults()
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  test chance
    maximum_bytes: int | None = None
    is_up: bool = True
    retained: dict[str, bytes] = field(default_factory=dict)
    links: list[MemoryLink] = field(default_factory=list)

    def link(self, subscriptions: Sequence[str], will: Will) -> MemoryLink:
        link = MemoryLink(self, tuple(subscriptions), will)
        self.links.append(link)
        return link

    def stop(self) -> None:
        """Go down and forget everything, retained messages included."""
        self.is_up = False
        self.retained.clear()
        for link in self.links:
            link.cut()

    def start(self) -> None:
        self.is_up = True

    def deliver(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        """Pass a message on; False if nobody subscribes to it."""
        if retain:
            self.retained[topic] = payload
        listeners = [link for link in self.links if link.hears(topic)]
        for link in listeners:
            for _ in range(self._copies()):
                link.arrive(topic, payload, early=self._chance(self.faults.reorder))
        return bool(listeners)

    def _copies(self) -> int:
        if self._chance(self.faults.drop):
            return 0
        return 2 if self._chance(self.faults.duplicate) else 1

    def _chance(self, share: float) -> bool:
        return self.random.random() < share


class MemoryLink:
    """One end; implements edge.sync.link.Link."""

    def __init__(
        self, broker: MemoryBroker, subscriptions: tuple[str, ...], will: Will
    ) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._will = will
        self._queue: deque[LinkEvent] = deque()
        self._connection = 0
        self._token = 0
        self.is_connected = False
        self.is_closed = False

    def poll(self, timeout_s: float) -> Sequence[LinkEvent]:  # noqa: ARG002  no time passes here
        if not self.is_connected and self._broker.is_up and not self.is_closed:
            self._connect()
        events = list(self._queue)
        self._queue.clear()
        return events

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,  # noqa: ARG002  no time passes here
    ) -> int:
        if not self.is_connected:
            raise LinkError("memory broker: not connected")
        limit = self._broker.maximum_bytes
        if limit is not None and len(payload) > limit:
            raise MessageError(f"{topic}: message of {len(payload)} bytes, {limit} fit")
        self._token += 1
        heard = self._broker.deliver(topic, payload, retain=retain)
        self._queue.append(Published(self._token, heard))
        return self._token

    @property
    def backlog_bytes(self) -> int:
        return 0

    def acknowledge(self, arrived: Arrived) -> None:
        pass

    def close(self) -> None:
        self.is_connected = False
        self.is_closed = True

    def cut(self) -> None:
        """Lose the connection; the will is published if the broker stands."""
        if not self.is_connected:
            return
        self.is_connected = False
        self._queue.append(Disconnected("memory broker: connection lost"))
        if self._broker.is_up:
            self._broker.deliver(self._will.topic, self._will.payload, retain=True)

    def kill(self) -> None:
        """End as a killed process does: no goodbye, never again."""
        self.cut()
        self.is_closed = True
        self._queue.clear()

    def hears(self, topic: str) -> bool:
        return self.is_connected and any(
            _matches(pattern, topic) for pattern in self._subscriptions
        )

    def arrive(
        self, topic: str, payload: bytes, *, early: bool, is_retained: bool = False
    ) -> None:
        event = Arrived(topic, payload, 0, is_retained)
        if early:
            self._queue.appendleft(event)
        else:
            self._queue.append(event)

    def _connect(self) -> None:
        self._connection += 1
        self.is_connected = True
        self._queue.append(Connected(self._connection, "memory"))
        for topic, payload in list(self._broker.retained.items()):
            if self.hears(topic):
                self.arrive(topic, payload, early=False, is_retained=True)


def _matches(pattern: str, topic: str) -> bool:
    ours, theirs = pattern.split("/"), topic.split("/")
    return len(ours) == len(theirs) and all(
        mine in ("+", other) for mine, other in zip(ours, theirs, strict=True)
    )
