"""What a service owes systemd: readiness, watchdog, orderly end.

The protocol of sd_notify(3): one datagram to the socket in $NOTIFY_SOCKET. Without
that variable every call does nothing, so that the same process runs in a shell.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from edge.clock import Clock

STEP_S = 120


class Notifier:
    """Tells the service manager how this process is. Never raises, never blocks."""

    def __init__(
        self, clock: Clock, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._clock = clock
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._beat_s = _beat_s(environment)
        self._next_beat_s = clock.monotonic_s()

    def starting(self, text: str) -> None:
        """Say what takes long before READY, and ask for STEP_S more from now on."""
        self.status(text)
        self._send(f"EXTEND_TIMEOUT_USEC={STEP_S * 1_000_000}")

    def ready(self) -> None:
        self._send("READY=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send("STATUS=" + text.replace("\n", " "))

    def alive(self) -> None:
        """Pat the watchdog, at most twice in its period. Call from the main loop."""
        now_s = self._clock.monotonic_s()
        if self._beat_s is not None and now_s >= self._next_beat_s:
            self._next_beat_s = now_s + self._beat_s
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError:
            # A manager that does not listen must not stop the work it watches.
            return


@contextmanager
def stop_event(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set; the old handlers come back after.

    Off the main thread, where signals cannot be caught, it is a plain event.
    """
    event = stop if stop is not None else threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        event.set()

    caught = (signal.SIGTERM, signal.SIGINT)
    previous = {number: signal.signal(number, request_stop) for number in caught}
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _address(name: str) -> str | None:
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _beat_s(environment: Mapping[str, str]) -> float | None:
    """Return half the watchdog period, if the watchdog watches this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 2e6 if text.isascii() and text.isdecimal() else None
