"""Live events of the booth, fanned out to every screen that listens."""

from __future__ import annotations

import queue
import threading
from typing import Any

EVENTS_HELD_PER_LISTENER = 256


class EventFeed:
    """Publish from any thread; a listener that does not read loses its oldest events.

    An event is a JSON-ready mapping with the key "event". It carries states and
    qualities, never an image or a template.
    """

    def __init__(self) -> None:
        self._listeners: set[queue.Queue[dict[str, Any] | None]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def listen(self) -> queue.Queue[dict[str, Any] | None]:
        """Return a queue of events; None on it means that the booth is stopping."""
        listener: queue.Queue[dict[str, Any] | None] = queue.Queue(
            EVENTS_HELD_PER_LISTENER
        )
        with self._lock:
            if self._is_closed:
                listener.put_nowait(None)
            else:
                self._listeners.add(listener)
        return listener

    def leave(self, listener: queue.Queue[dict[str, Any] | None]) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def publish(self, event: dict[str, Any]) -> None:
        with self._lock:
            for listener in self._listeners:
                _put_newest(listener, event)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            for listener in self._listeners:
                _put_newest(listener, None)
            self._listeners.clear()


def _put_newest(
    listener: queue.Queue[dict[str, Any] | None], event: dict[str, Any] | None
) -> None:
    while True:
        try:
            listener.put_nowait(event)
        except queue.Full:
            try:
                listener.get_nowait()
            except queue.Empty:
                continue
        else:
            return
