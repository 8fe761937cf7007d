"""Start the appliance's processes as a service manager would, without one.

Each child gets a NOTIFY_SOCKET of its own and counts as started when it has sent
READY=1, exactly as under systemd with Type=notify.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.errors import EdgeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STOP_S = 10.0
POLL_S = 0.02
NOTIFY_BYTES = 4096


class ProcessError(EdgeError):
    """A process of the appliance did not start or ended by itself."""


@dataclass
class ServiceProcess:
    """One child process: start, wait until ready, stop, kill, start again.

    command is what follows the Python interpreter, such as ("-m", "edge", ...). The
    child's output goes to <run_dir>/<name>.log.
    """

    name: str
    command: Sequence[str]
    run_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    _child: subprocess.Popen[bytes] | None = None
    _notify: socket.socket | None = None

    def start(self) -> None:
        """Start the child; does not wait until it is ready."""
        self._close_notify()
        address = self.run_dir / f"{self.name}.notify"
        address.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(address))
        self._notify.settimeout(POLL_S)
        with self.log_path.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  our own programs only
                [sys.executable, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, "NOTIFY_SOCKET": str(address)},
                start_new_session=True,
            )

    @property
    def log_path(self) -> Path:
        return self.run_dir / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_ready(self, timeout_s: float) -> None:
        """Wait for READY=1.

        Raises:
            ProcessError: the child ended, or was not ready in time; names its log.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._has_said_ready():
                return
            if not self.is_running():
                break
        state = "was not ready in time" if self.is_running() else "ended at its start"
        message = f"{self.name} {state}: {self._last_words()} (see {self.log_path})"
        raise ProcessError(message)

    def kill(self) -> None:
        """End the child with SIGKILL, as a power cut or the OOM killer would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def stop(self) -> None:
        """Ask the child to end; kill it when it does not."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close_notify()

    def _has_said_ready(self) -> bool:
        if self._notify is None:
            return False
        try:
            return b"READY=1" in self._notify.recv(NOTIFY_BYTES)
        except TimeoutError:
            return False

    def _close_notify(self) -> None:
        if self._notify is not None:
            self._notify.close()
            self._notify = None

    def _last_words(self) -> str:
        try:
            lines = self.log_path.read_text(errors="replace").strip().splitlines()
        except OSError:
            return "it said nothing"
        return lines[-1][:300] if lines else "it said nothing"


def stop_all(processes: Sequence[ServiceProcess]) -> None:
    """Stop in reverse order of starting."""
    for process in reversed(processes):
        process.stop()
