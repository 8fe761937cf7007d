"""Something small that is done again and again on a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from edge.errors import EdgeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

CLOSE_S = 10.0


class Background:
    """Runs what open_work yields, every interval_s, until it is closed.

    open_work is entered on the thread itself, because what the work holds (a database
    connection) belongs to the thread that opened it.
    """

    def __init__(
        self,
        open_work: Callable[[], AbstractContextManager[Callable[[], None]]],
        interval_s: float,
        name: str,
        tell: Callable[[str, str], None],
    ) -> None:
        """Prepare.

        tell: told the name and the text of an error of the work, once as long as it
        stays the same.
        """
        self._open_work = open_work
        self._interval_s = interval_s
        self._tell = tell
        self._opened, self._stopping = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._last_error = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def open(self) -> None:
        """Start the thread; returns when the work can begin.

        Raises:
            EdgeError: it cannot.
        """
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            raise self._failure

    def is_alive(self) -> bool:
        """Return False when the thread has died of a defect: the process must end."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Let the work in hand end, then stop."""
        self._stopping.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        try:
            with self._open_work() as work:
                self._opened.set()
                while not self._stopping.wait(self._interval_s):
                    self._work(work)
        except BaseException as error:
            if self._opened.is_set():
                raise
            self._failure = error
            self._opened.set()

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except EdgeError as error:
            if str(error) != self._last_error:
                self._tell("background_failed", str(error))
            self._last_error = str(error)
        else:
            self._last_error = ""
