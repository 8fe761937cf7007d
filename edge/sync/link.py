"""The transport port: what the booth's agent and the hub need of a message wire.

A link belongs to one thread. It connects by itself, inside poll, and reports what
happened as events; it delivers at least once while connected and promises nothing
across a lost connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Connected:
    """Connected, and every subscription is in place.

    connection counts from 1 in the life of the link. protocol is "5" or "3.1.1".
    """

    connection: int
    protocol: str


@dataclass(frozen=True)
class Disconnected:
    """The connection ended, or an attempt to make one failed."""

    reason: str


@dataclass(frozen=True)
class Arrived:
    """A message came in. ticket is for Link.acknowledge.

    is_retained: the broker kept it from before; it is not news.
    """

    topic: str
    payload: bytes
    ticket: int
    is_retained: bool = False


@dataclass(frozen=True)
class Published:
    """The broker has the message. heard is False if it said nobody listens."""

    token: int
    heard: bool


@dataclass(frozen=True)
class Refused:
    """The broker refused the message: not authorised, quota, ..."""

    token: int
    reason: str


LinkEvent = Connected | Disconnected | Arrived | Published | Refused


@dataclass(frozen=True)
class Will:
    """What the broker publishes, retained, when this end vanishes."""

    topic: str
    payload: bytes


class Link(Protocol):
    def poll(self, timeout_s: float) -> Sequence[LinkEvent]:
        """Move bytes for up to timeout_s and return what happened, in order.

        Never raises for a broker that is away: that is a Disconnected event.
        """
        ...

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> int:
        """Hand a message over; its Published or Refused event carries the token.

        expiry_s: the broker drops the message if it could not pass it on for so many
        seconds, a retained one included. MQTT 3.1.1 has no such thing; there it is
        ignored, as a broker that lies may ignore it: what must not be believed late
        carries its own time.

        Raises:
            LinkError: not connected, or so much waits for the broker's acknowledgement
                that more would only fill the memory; poll, and try again.
            MessageError: larger than the broker takes; it would cut the connection.
        """
        ...

    @property
    def backlog_bytes(self) -> int:
        """Bytes handed to publish that the broker has not answered yet."""
        ...

    def acknowledge(self, arrived: Arrived) -> None:
        """Tell the broker that the message has been dealt with."""
        ...

    def close(self) -> None:
        """Disconnect in good order: the will is not published."""
        ...
