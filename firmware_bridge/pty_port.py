"""The device's end of a pseudo-terminal, under a path that survives a replug."""

from __future__ import annotations

import os
import select
import termios
import time
import tty
from pathlib import Path
from typing import Final

from firmware_bridge.errors import DeviceAbsentError

_BAUDS: Final = {
    termios.B9600: 9600,
    termios.B19200: 19200,
    termios.B38400: 38400,
    termios.B57600: 57600,
    termios.B115200: 115200,
}
_WRITE_PATIENCE_S: Final = 5.0


class PtyPort:
    """Makes a pseudo-terminal and points the symbolic link at its host side.

    close() is the unplugging: the host side breaks and the link disappears.
    """

    def __init__(self, link: Path) -> None:
        self._link = link
        self._device_fd, self._host_fd = os.openpty()
        # Raw before the host opens it, or the terminal would echo the device's bytes.
        tty.setraw(self._host_fd)
        os.set_blocking(self._device_fd, False)
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._host_fd))
        fresh.replace(link)
        self._is_open = True

    @property
    def host_baud(self) -> int:
        """The rate that the host has set; 0 if it is none of the usual ones."""
        try:
            return _BAUDS.get(termios.tcgetattr(self._device_fd)[5], 0)
        except termios.error as error:
            raise DeviceAbsentError(f"pty {self._link}: {error}") from error

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        try:
            ready, _, _ = select.select([self._device_fd], [], [], timeout_s)
            return os.read(self._device_fd, max_bytes) if ready else b""
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise DeviceAbsentError(f"pty {self._link}: {error}") from error

    def write(self, data: bytes) -> None:
        deadline_s = time.monotonic() + _WRITE_PATIENCE_S
        try:
            while data:
                _, ready, _ = select.select([], [self._device_fd], [], 0.1)
                if ready:
                    data = data[os.write(self._device_fd, data) :]
                elif time.monotonic() >= deadline_s:
                    # Nobody reads: a UART would lose the bytes as well.
                    return
        except (OSError, ValueError) as error:
            raise DeviceAbsentError(f"pty {self._link}: {error}") from error

    def set_baud(self, baud: int) -> None:
        """Nothing to do: the device's rate is the emulator's own knowledge."""

    def discard_input(self) -> None:
        while self.read(4096, 0.0):
            continue

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self._link.is_symlink() and self._link.readlink() == Path(
            os.ttyname(self._host_fd)
        ):
            self._link.unlink(missing_ok=True)
        os.close(self._device_fd)
        os.close(self._host_fd)
