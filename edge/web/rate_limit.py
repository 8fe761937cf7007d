"""How often somebody may ask: a bucket that fills at a steady rate."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.clock import Clock

CALLERS_HELD = 2000


@dataclass(frozen=True)
class Rate:
    """burst: at once, after a pause. a_second: in the long run."""

    burst: int
    a_second: float


class RateLimit:
    """Safe to call from any thread."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, caller: str) -> float:
        """Return 0 if the caller may ask now, and count it; else how long to wait."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            left, at_s = self._left.pop(caller, (float(self._rate.burst), now_s))
            left = min(self._rate.burst, left + (now_s - at_s) * self._rate.a_second)
            is_allowed = left >= 1
            self._left[caller] = (left - 1 if is_allowed else left, now_s)
            while len(self._left) > CALLERS_HELD:
                self._left.popitem(last=False)
        return 0.0 if is_allowed else (1 - left) / self._rate.a_second
