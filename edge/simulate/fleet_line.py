"""A booth's link to the broker, with its traffic counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.sync.link import Arrived, Connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.sync.link import Link, LinkEvent


@dataclass
class Traffic:
    """Messages, and bytes of their topics and payloads: before MQTT, TLS and TCP."""

    up_messages: int = 0
    up_bytes: int = 0
    down_messages: int = 0
    down_bytes: int = 0
    connections: int = 0

    def add(self, other: Traffic) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class CountingLink:
    """Implements Link over another one."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.traffic = Traffic()

    def poll(self, timeout_s: float) -> Sequence[LinkEvent]:
        events = self._link.poll(timeout_s)
        for event in events:
            if isinstance(event, Arrived):
                self.traffic.down_messages += 1
                self.traffic.down_bytes += len(event.topic) + len(event.payload)
            elif isinstance(event, Connected):
                self.traffic.connections += 1
        return events

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> int:
        token = self._link.publish(topic, payload, retain=retain, expiry_s=expiry_s)
        self.traffic.up_messages += 1
        self.traffic.up_bytes += len(topic) + len(payload)
        return token

    @property
    def backlog_bytes(self) -> int:
        return self._link.backlog_bytes

    def acknowledge(self, arrived: Arrived) -> None:
        self._link.acknowledge(arrived)

    def close(self) -> None:
        self._link.close()
