"""One check at a time on a thread of its own, its result kept for the screen."""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from edge.booth.live import LiveView
from edge.booth.views import event_view, result_view
from edge.checkpoint.officer_order import OrderBox
from edge.checkpoint.step import OfficerSide
from edge.errors import EdgeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from edge.checkpoint.check import CheckRequest
    from edge.checkpoint.officer_order import OfficerOrder
    from edge.checkpoint.runner import CheckRunner
    from edge.logs import EventLog
    from edge.web.events import EventFeed

RESULTS_HELD = 50


class DeskBusyError(EdgeError):
    """A check is already running."""


@dataclass(frozen=True)
class DeskState:
    """Progress of one started check: running, finished (with a view) or failed."""

    state: str
    result: dict[str, Any] | None = None
    error: str | None = None


class CheckDesk:
    """Runs checks and tells the feed what happens.

    open_runner is entered on the desk's own thread, because what the runner holds (a
    database connection) belongs to the thread that opened it. A ticket is the desk's
    name for a started check and is worth nothing after a restart.
    """

    def __init__(
        self,
        open_runner: Callable[[], AbstractContextManager[CheckRunner]],
        feed: EventFeed,
        log: EventLog,
        live: LiveView | None = None,
    ) -> None:
        self._open_runner = open_runner
        self._feed = feed
        self._log = log
        self._live = live or LiveView(None)
        self._lock = threading.Lock()
        self._states: OrderedDict[str, DeskState] = OrderedDict()
        self._jobs: queue.Queue[tuple[str, CheckRequest] | None] = queue.Queue(1)
        self._running: str | None = None
        self._picked: tuple[float, float] | None = None
        self._orders = OrderBox()
        self._ended: tuple[int, DeskState | None] = (0, None)
        self._opened = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="checks", daemon=True)

    def open(self) -> None:
        """Start the thread; returns when the runner is ready.

        Raises:
            EdgeError: the runner could not be opened.
        """
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            raise self._failure

    def is_alive(self) -> bool:
        """Return False when the thread has died of a defect: the process must end."""
        return self._thread.is_alive()

    def close(self, timeout_s: float = 5.0) -> None:
        """Let a running check end, then stop."""
        with self._lock:
            self._running = self._running or "closing"
        self._jobs.put(None)
        self._thread.join(timeout_s)

    def start(self, request: CheckRequest) -> str:
        """Start a check and return its ticket.

        Raises:
            DeskBusyError: another check is running, or the desk is closing.
        """
        with self._lock:
            if self._running is not None:
                message = "a check is running; wait for its end"
                raise DeskBusyError(message)
            ticket = uuid4().hex
            self._running = ticket
            self._picked = None
            self._orders = OrderBox()
            self._remember(ticket, DeskState("running"))
        self._jobs.put((ticket, request))
        return ticket

    def pick_face(self, ticket: str, x_px: float, y_px: float) -> bool:
        """Follow the face at this point of the camera's frame; False if it is too late.

        Points that came before the last one are forgotten.
        """
        with self._lock:
            if self._running != ticket:
                return False
            self._picked = (x_px, y_px)
            return True

    def order(self, ticket: str, order: OfficerOrder) -> bool:
        """Give an officer's order to a running check; False if it is too late."""
        with self._lock:
            if self._running != ticket:
                return False
            self._orders.put(order)
            return True

    @property
    def ended(self) -> tuple[int, DeskState | None]:
        """Return how many checks have ended, and how the last one did."""
        with self._lock:
            return self._ended

    @property
    def is_busy(self) -> bool:
        with self._lock:
            return self._running is not None

    def state(self, ticket: str) -> DeskState | None:
        with self._lock:
            return self._states.get(ticket)

    def _work(self) -> None:
        try:
            with self._open_runner() as runner:
                self._opened.set()
                while (job := self._jobs.get()) is not None:
                    self._run(runner, *job)
        except BaseException as error:
            if self._opened.is_set():
                raise
            self._failure = error
            self._opened.set()

    def _take_picked(self) -> tuple[float, float] | None:
        with self._lock:
            picked, self._picked = self._picked, None
            return picked

    def _run(self, runner: CheckRunner, ticket: str, request: CheckRequest) -> None:
        self._feed.publish({"event": "check_started", "ticket": ticket})
        self._live.begin(request.modalities)
        officer = OfficerSide(self._take_picked, self._live.show, self._orders)
        try:
            try:
                result = runner.run(
                    request,
                    on_event=lambda event: self._feed.publish(
                        event_view(event, ticket)
                    ),
                    officer=officer,
                )
            finally:
                self._live.end()
        except EdgeError as error:
            self._log.event("check_failed", error=str(error))
            self._finish(ticket, DeskState("failed", error=str(error)))
        else:
            self._log.event(
                "check_finished",
                check_id=result.check_id,
                outcome=str(result.outcome),
                hit_id=result.hit_id,
                duration_ms=round(sum(result.timings_ms.values())),
            )
            self._finish(ticket, DeskState("finished", result=result_view(result)))

    def _finish(self, ticket: str, state: DeskState) -> None:
        with self._lock:
            self._remember(ticket, state)
            self._ended = (self._ended[0] + 1, state)
            if self._running == ticket:
                self._running = None
        self._feed.publish(
            {
                "event": f"check_{state.state}",
                "ticket": ticket,
                "result": state.result,
                "error": state.error,
            }
        )

    def _remember(self, ticket: str, state: DeskState) -> None:
        self._states[ticket] = state
        while len(self._states) > RESULTS_HELD:
            self._states.popitem(last=False)
