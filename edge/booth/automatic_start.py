"""Begin a check when a finger is put down, so that a clean traveller costs no click.

Nothing is recorded while nobody comes: the scanner alone is asked whether a finger lies
on it, and a check begins when one does. It goes on like that after a check that ended
clear. After any other the officer looks first: it pauses until a check that the officer
has started ends clear, or until it is switched on again. It is off as soon as the
officer who switched it on is no longer signed in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge.booth.desk import DeskBusyError
from edge.errors import (
    CaptureCancelledError,
    CaptureError,
    CaptureTimeoutError,
    DeviceAbsentError,
)
from edge.terms import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.booth.desk import CheckDesk
    from edge.checkpoint.check import CheckRequest
    from edge.ports import FingerPresence
    from edge.web.events import EventFeed

LOOK_S = 0.1
# A scanner that is away is asked again so often.
ABSENT_S = 1.0
WAIT_S = 20.0
CLOSE_S = 10.0


class AutomaticState(StrEnum):
    """PAUSED: the last check was not clear. The scanner's states keep it waiting."""

    OFF = "off"
    WAITING = "waiting"
    CHECKING = "checking"
    PAUSED = "paused"
    SCANNER_ABSENT = "scanner_absent"
    SCANNER_FAILING = "scanner_failing"


@dataclass(frozen=True)
class _Wish:
    """What was switched on. ended: how many checks had ended then; they do not count.

    is_present: whether the officer is still signed in.
    """

    request: CheckRequest
    is_present: Callable[[], bool]
    ended: int


class AutomaticStart:
    """Waits on a thread of its own. Call start(), and stop() at the end."""

    def __init__(
        self, desk: CheckDesk, scanner: FingerPresence | None, feed: EventFeed
    ) -> None:
        """scanner: None where none is fitted."""
        self._desk = desk
        self._scanner = scanner
        self._feed = feed
        self._lock = threading.Lock()
        self._wish: _Wish | None = None
        self._state = AutomaticState.OFF
        self._detail = ""
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._work, name="automatic-start", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join(CLOSE_S)

    def is_alive(self) -> bool:
        """Return False when the thread has died of a defect: the process must end."""
        return self._thread.is_alive()

    def switch_on(self, request: CheckRequest, is_present: Callable[[], bool]) -> None:
        """Begin such checks as long as the officer is_present."""
        with self._lock:
            self._wish = _Wish(request, is_present, self._desk.ended[0])
        self._wake.set()

    def switch_off(self) -> None:
        with self._lock:
            self._wish = None
        self._wake.set()
        self._become(AutomaticState.OFF)

    def view(self) -> dict[str, Any]:
        with self._lock:
            return {
                "is_on": self._wish is not None,
                "state": str(self._state),
                "detail": self._detail,
            }

    def _work(self) -> None:
        while not self._stopping.is_set():
            wish = self._wished()
            if wish is None:
                self._become(AutomaticState.OFF)
            elif self._desk.is_busy:
                self._become(AutomaticState.CHECKING)
            elif not self._may_begin(wish):
                self._become(AutomaticState.PAUSED)
            else:
                self._wait_for(wish)
                continue
            self._wake.wait(LOOK_S)
            self._wake.clear()

    def _wait_for(self, wish: _Wish) -> None:
        """Wait for a finger a while, and begin a check with it."""
        if self._scanner is None:
            self._rest(AutomaticState.SCANNER_ABSENT, "no scanner is fitted")
            return
        if self._state in (AutomaticState.OFF, AutomaticState.CHECKING):
            self._become(AutomaticState.WAITING)
        try:
            self._scanner.wait_for_finger(
                timeout_s=WAIT_S, is_cancelled=lambda: not self._is_waiting(wish)
            )
        except CaptureTimeoutError:
            self._become(AutomaticState.WAITING)
        except CaptureCancelledError:
            self._stopping.wait(LOOK_S)
        except DeviceAbsentError as error:
            self._rest(AutomaticState.SCANNER_ABSENT, str(error))
        except CaptureError as error:
            self._rest(AutomaticState.SCANNER_FAILING, str(error))
        else:
            self._begin(wish)

    def _begin(self, wish: _Wish) -> None:
        if not self._is_waiting(wish):
            return
        try:
            self._desk.start(wish.request)
        except DeskBusyError:
            # The officer was faster.
            return
        self._become(AutomaticState.CHECKING)

    def _rest(self, state: AutomaticState, detail: str) -> None:
        self._become(state, detail)
        self._wake.wait(ABSENT_S)
        self._wake.clear()

    def _is_waiting(self, wish: _Wish) -> bool:
        return (
            self._wished() is wish
            and not self._desk.is_busy
            and not self._stopping.is_set()
        )

    def _wished(self) -> _Wish | None:
        with self._lock:
            wish = self._wish
        if wish is None or wish.is_present():
            return wish
        with self._lock:
            if self._wish is wish:
                self._wish = None
        return None

    def _may_begin(self, wish: _Wish) -> bool:
        count, last = self._desk.ended
        if count == wish.ended or last is None:
            return True
        result = last.result
        return result is not None and result["outcome"] == str(Outcome.CLEAR)

    def _become(self, state: AutomaticState, detail: str = "") -> None:
        with self._lock:
            if (self._state, self._detail) == (state, detail):
                return
            self._state, self._detail = state, detail
        self._feed.publish({"event": "automatic_start", **self.view()})
