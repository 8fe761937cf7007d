"""What the hub sends, and how much of it may be under way at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import LinkError

if TYPE_CHECKING:
    from edge.sync.link import Link

# Answers wait while so much is with the broker; receipts and commands still go.
WINDOW_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Outgoing:
    """A message. expiry_s: the broker drops it if it cannot pass it on for so long."""

    topic: str
    payload: bytes
    is_retained: bool = False
    expiry_s: int | None = None


class Outbound:
    """The sending half of the link."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.is_connected = False

    @property
    def has_room(self) -> bool:
        return self.is_connected and self._link.backlog_bytes < WINDOW_BYTES

    def send(self, message: Outgoing) -> None:
        """Hand a message over.

        Raises:
            LinkError: not connected, or the link can take no more.
            MessageError: larger than the broker takes.
        """
        if not self.is_connected:
            raise LinkError(f"{message.topic}: not connected")
        self._link.publish(
            message.topic,
            message.payload,
            retain=message.is_retained,
            expiry_s=message.expiry_s,
        )
