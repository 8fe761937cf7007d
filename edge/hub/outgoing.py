"""What the hub sends: messages, and how much of it may be under way at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import LinkError

if TYPE_CHECKING:
    from edge.sync.link import Link

WINDOW_BYTES = 8 * 1024 * 1024
WINDOW_MESSAGES = 256


@dataclass(frozen=True)
class Outgoing:
    topic: str
    payload: bytes
    is_retained: bool = False
    expiry_s: int | None = None


class Outbound:
    """The link, with a window: what the broker has not confirmed is bounded.

    Receipts and commands may pass the window, answers wait for it (has_room).
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._under_way: dict[int, int] = {}
        self._bytes = 0
        self.is_connected = False

    @property
    def has_room(self) -> bool:
        return (
            self.is_connected
            and self._bytes < WINDOW_BYTES
            and len(self._under_way) < WINDOW_MESSAGES
        )

    def send(self, message: Outgoing) -> int:
        """Hand a message over; return the link's token for it.

        Raises:
            LinkError: not connected.
            MessageError: larger than the broker takes.
        """
        if not self.is_connected:
            raise LinkError(f"{message.topic}: not connected")
        token = self._link.publish(
            message.topic, message.payload, retain=message.is_retained
        )
        self._under_way[token] = len(message.payload)
        self._bytes += len(message.payload)
        return token

    def settled(self, token: int) -> None:
        """Note that the broker has taken or refused a message."""
        self._bytes -= self._under_way.pop(token, 0)

    def connected(self) -> None:
        self.disconnected()
        self.is_connected = True

    def disconnected(self) -> None:
        self._under_way.clear()
        self._bytes = 0
        self.is_connected = False
