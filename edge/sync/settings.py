"""How to reach the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

ProtocolSetting = Literal["auto", "5", "3.1.1"]


@dataclass(frozen=True)
class BrokerSettings:
    """protocol: "auto" tries MQTT 5 and steps down to 3.1.1 if the broker says no.

    cafile set means TLS; certfile and keyfile are this machine's client certificate.
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
