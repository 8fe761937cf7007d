"""When to try again, and with which protocol version: time and chance passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from edge.sync.settings import ProtocolSetting

TRY_MQTT5_AGAIN_S = 600.0


class Backoff:
    """Doubling pause with full jitter between half and the whole of it.

    Jitter keeps a country's booths from returning in the same instant after an outage
    of their broker.
    """

    def __init__(self, *, first_s: float, limit_s: float, random: Random) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._random = random
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> float:
        """Return the seconds to wait before the next attempt."""
        # Capped so that the power stays a small number however long the outage lasts.
        whole_s = min(self._limit_s, self._first_s * (1 << min(self._failures, 20)))
        self._failures += 1
        return whole_s * self._random.uniform(0.5, 1.0)


class ProtocolChoice:
    """MQTT 5 first; 3.1.1 after the broker refused 5, and 5 again now and then.

    A version that is not known to work is probed with a bare connection first: amqtt
    answers a plain version 5 CONNECT with a refusal, but one with a will or properties
    not at all.
    """

    def __init__(self, setting: ProtocolSetting) -> None:
        self._setting = setting
        self._known: int | None = None
        self._refused_at_s = 0.0

    def version(self, now_s: float) -> int:
        """Return 5 or 4 (the protocol level of MQTT 3.1.1)."""
        if self._setting != "auto":
            return 5 if self._setting == "5" else 4
        if self._known == 4 and now_s - self._refused_at_s < TRY_MQTT5_AGAIN_S:
            return 4
        return 5

    def is_probe(self, now_s: float) -> bool:
        return self._setting == "auto" and self._known != self.version(now_s)

    def accepted(self, version: int) -> None:
        self._known = version

    def refused(self, version: int, now_s: float) -> bool:
        """Note that the broker refused a version; True if another may be tried now."""
        if self._setting != "auto" or version != 5:
            return False
        self._known = 4
        self._refused_at_s = now_s
        return True
