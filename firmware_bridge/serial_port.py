"""The only file that imports serial: adapts pyserial to BytePort."""

from __future__ import annotations

import termios
import time
from typing import Final, NoReturn

import serial

from firmware_bridge.errors import DeviceAbsentError, SettingsError

# Short, so that a read returns soon after its caller's deadline whatever it is.
_SLICE_S: Final = 0.02
_WRITE_TIMEOUT_S: Final = 2.0

# termios.error is no OSError; pyserial lets it through when a device goes away.
# TypeError: pyserial polls a file descriptor that another thread has just closed.
_GONE: Final = (serial.SerialException, OSError, termios.error, TypeError)


class SerialPort:
    """A port named by a device path or a pyserial URL (socket://, rfc2217://)."""

    def __init__(self, url: str, baud: int = 57600) -> None:
        """Open the port.

        Raises:
            DeviceAbsentError: it is not there, not permitted or in use.
            SettingsError: the URL or the baud rate is malformed.
        """
        self._url = url
        try:
            self._serial = serial.serial_for_url(
                url,
                baudrate=baud,
                timeout=_SLICE_S,
                write_timeout=_WRITE_TIMEOUT_S,
                exclusive=True,
            )
        except ValueError as error:
            raise SettingsError(
                f"serial port {url!r}: {error}; use a device path, socket://host:port "
                "or rfc2217://host:port"
            ) from error
        except _GONE as error:
            self._gone(error)

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                first: bytes = self._serial.read(1)
                if first:
                    waiting = min(self._serial.in_waiting, max_bytes - 1)
                    rest: bytes = self._serial.read(waiting) if waiting else b""
                    return first + rest
                if time.monotonic() >= deadline:
                    return b""
        except _GONE as error:
            self._gone(error)

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except _GONE as error:
            self._gone(error)

    def set_baud(self, baud: int) -> None:
        try:
            self._serial.baudrate = baud
        except ValueError as error:
            raise SettingsError(
                f"serial port {self._url!r}: baud rate {baud}: {error}"
            ) from error
        except _GONE as error:
            self._gone(error)

    def discard_input(self) -> None:
        try:
            self._serial.reset_input_buffer()
        except _GONE as error:
            self._gone(error)

    def close(self) -> None:
        try:
            self._serial.close()
        except _GONE:
            # Closing what is already gone has reached its goal.
            return

    def _gone(self, error: Exception) -> NoReturn:
        raise DeviceAbsentError(
            f"serial port {self._url!r}: {error}; check cable, path and permissions"
        ) from error
