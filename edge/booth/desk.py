"""One check at a time, run in the background, its result kept for the screen."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from edge.booth.views import event_view, result_view
from edge.errors import EdgeError

if TYPE_CHECKING:
    from edge.booth.events import EventFeed
    from edge.checkpoint.runner import CheckRequest, CheckResult, CheckRunner
    from edge.logs import EventLog

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
    """Runs checks on its own thread and tells the feed what happens.

    A ticket is the desk's name for a started check; it exists before the check has
    an id of its own and is worth nothing after a restart.
    """

    def __init__(self, runner: CheckRunner, feed: EventFeed, log: EventLog) -> None:
        self._runner = runner
        self._feed = feed
        self._log = log
        self._lock = threading.Lock()
        self._states: OrderedDict[str, DeskState] = OrderedDict()
        self._worker: threading.Thread | None = None

    def start(self, request: CheckRequest) -> str:
        """Start a check and return its ticket.

        Raises:
            DeskBusyError: another check is running.
        """
        with self._lock:
            if self._worker is not None and self._worker.is_alive():
                message = "a check is running; wait for its end"
                raise DeskBusyError(message)
            ticket = uuid4().hex
            self._remember(ticket, DeskState("running"))
            self._worker = threading.Thread(
                target=self._run, args=(ticket, request), name="check", daemon=True
            )
            self._worker.start()
        return ticket

    def state(self, ticket: str) -> DeskState | None:
        with self._lock:
            return self._states.get(ticket)

    def is_running(self) -> bool:
        with self._lock:
            return self._worker is not None and self._worker.is_alive()

    def join(self, timeout_s: float) -> None:
        worker = self._worker
        if worker is not None:
            worker.join(timeout_s)

    def _run(self, ticket: str, request: CheckRequest) -> None:
        self._feed.publish({"event": "check_started", "ticket": ticket})
        try:
            result = self._runner.run(
                request,
                on_event=lambda event: self._feed.publish(event_view(event, ticket)),
            )
        except EdgeError as error:
            self._finish(ticket, DeskState("failed", error=str(error)))
            self._log.event("check_failed", error=str(error))
        else:
            self._log_result(result)
            self._finish(ticket, DeskState("finished", result=result_view(result)))

    def _finish(self, ticket: str, state: DeskState) -> None:
        with self._lock:
            self._remember(ticket, state)
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

    def _log_result(self, result: CheckResult) -> None:
        self._log.event(
            "check_finished",
            check_id=result.check_id,
            outcome=str(result.outcome),
            hit_id=result.hit_id,
            duration_ms=round(sum(result.timings_ms.values())),
        )
