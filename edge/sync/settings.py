"""How to reach the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

ProtocolSetting = Literal["auto", "5", "3.1.1"]
BOOTH_RECEIVE_MAXIMUM = 32
# The hub stores what is in flight in one commit, and acknowledges after it.
HUB_RECEIVE_MAXIMUM = 256


@dataclass(frozen=True)
class BrokerSettings:
    """protocol: "auto" tries MQTT 5 and steps down to 3.1.1 if the broker says no.

    cafile set means TLS 1.3; certfile and keyfile are this machine's client
    certificate. receive_maximum: how many messages the broker may send before one of
    them is acknowledged. send_maximum: how many we send, at most, before one of them is
    acknowledged; the broker's own receive maximum lowers it. backlog_bytes: publish
    refuses while so much waits for the broker's acknowledgement. answer_timeout_s: a
    broker that acknowledges nothing for so long, while the line takes bytes or stands
    still, is left.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    cafile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    keepalive_s: int = 30
    protocol: ProtocolSetting = "auto"
    connect_timeout_s: float = 5.0
    backoff_first_s: float = 0.2
    backoff_limit_s: float = 5.0
    receive_maximum: int = BOOTH_RECEIVE_MAXIMUM
    send_maximum: int = 256
    backlog_bytes: int = 64 * 1024 * 1024
    answer_timeout_s: float = 120.0
