"""Sees what happens to the cases and tells every browser that listens.

One thread with a connection of its own looks at the store some twenty times a second;
a look at an unchanged store costs microseconds. It makes cases of new hits, follows
answers and decisions, and hands on each new line of the timelines under its number.
A browser that comes back says the last number it saw and is told the rest.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from edge.console.case_views import case_view, event_view
from edge.errors import EdgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.clock import Clock
    from edge.console.desk import ConsoleDesk, Opened
    from edge.console.models import CaseView, EventView
    from edge.logs import EventLog
    from edge.records.console_values import CaseEvent

ACTOR = "edge-console"
LOOK_S = 0.05
AFTER_FAILURE_S = 1.0
PAGE = 500
# A browser that reads nothing is cut off; it comes back and says what it has seen.
BACKLOG = 5000


@dataclass(frozen=True)
class LiveEvent:
    """A line of a timeline, and the case as it stands after it or later."""

    event: EventView
    case: CaseView

    @property
    def number(self) -> int:
        return self.event.number


class Listener:
    """One browser's place in the stream. Used in the event loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[LiveEvent] = deque()
        self._wake = asyncio.Event()
        self._is_over = False

    async def next(self, timeout_s: float) -> list[LiveEvent] | None:
        """Return what has come, empty after timeout_s without; None at the end."""
        try:
            await asyncio.wait_for(self._wake.wait(), timeout_s)
        except TimeoutError:
            return []
        self._wake.clear()
        if self._is_over:
            return None
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def tell(self, events: Sequence[LiveEvent]) -> None:
        """Hand events over; from any thread."""
        self._call(lambda: self._add(events))

    def end(self) -> None:
        """End the stream; from any thread."""
        self._call(self._finish)

    def _call(self, action: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(action)
        except RuntimeError:
            # The loop has ended, and the browser's stream with it.
            return

    def _add(self, events: Sequence[LiveEvent]) -> None:
        self._waiting.extend(events)
        if len(self._waiting) > BACKLOG:
            self._is_over = True
        self._wake.set()

    def _finish(self) -> None:
        self._is_over = True
        self._wake.set()


class LiveEvents:
    """Start with `with`; its end ends every stream."""

    def __init__(
        self, desk: ConsoleDesk, log: EventLog, *, look_s: float = LOOK_S
    ) -> None:
        self._desk = desk
        self._log = log
        self._clock: Clock = desk.clock
        self._look_s = look_s
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
        self._thread.join()

    def close(self) -> None:
        """End every stream, so that the web server can stop."""
        self._stopping.set()
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.end()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def listen(self) -> Listener:
        listener = Listener()
        with self._lock:
            self._listeners.add(listener)
        if self._stopping.is_set():
            listener.end()
        return listener

    def leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def after(self, number: int) -> list[LiveEvent]:
        """Return the next events of the past, at most PAGE.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._desk.opened(ACTOR) as opened:
            return self._with_cases(
                opened, opened.cases.events_after(number, limit=PAGE)
            )

    def last(self) -> int:
        """Return the number of the last event.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._desk.opened(ACTOR) as opened:
            return opened.cases.last_event()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._desk.opened(ACTOR) as opened:
                    self._watch(opened)
            except EdgeError as error:
                self._log.event("store_failed", error=str(error))
                self._stopping.wait(AFTER_FAILURE_S)

    def _watch(self, opened: Opened) -> None:
        last, version = opened.cases.last_event(), -1
        while not self._stopping.is_set():
            found = opened.intake.data_version()
            if found == version:
                self._stopping.wait(self._look_s)
                continue
            version = found
            last = self._follow(opened, last)

    def _follow(self, opened: Opened, last: int) -> int:
        """Do what the store's change asks for; return the last event told."""
        is_more = True
        while is_more and not self._stopping.is_set():
            is_more = bool(opened.intake.take_in())
            is_more |= bool(opened.intake.follow_decisions())
            opened.intake.settle_instructions(at=self._clock.now())
            events = opened.cases.events_after(last, limit=PAGE)
            if events:
                self._tell(self._with_cases(opened, events))
                last = events[-1].number
                is_more = True
        while not self._stopping.is_set() and opened.entries.follow():
            pass
        return last

    def _with_cases(
        self, opened: Opened, events: Sequence[CaseEvent]
    ) -> list[LiveEvent]:
        now, limits = self._clock.now(), self._desk.settings.alarms
        cases = {hit_id: opened.cases.case(hit_id) for hit_id in _hits_of(events)}
        return [
            LiveEvent(event_view(event), case_view(case, now, limits))
            for event in events
            if (case := cases[event.hit_id]) is not None
        ]

    def _tell(self, events: Sequence[LiveEvent]) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.tell(events)


def _hits_of(events: Sequence[CaseEvent]) -> set[str]:
    return {event.hit_id for event in events}
