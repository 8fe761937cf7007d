"""A line that carries bytes, and a pair of them joined in memory."""

from __future__ import annotations

import threading
import time
from typing import Final, Protocol

from firmware_bridge.errors import DeviceAbsentError

_LOOPBACK_CAPACITY_BYTES: Final = 1 << 20


class BytePort(Protocol):
    """One end of a serial line. Every method raises DeviceAbsentError if it is gone."""

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Return what is there, at most max_bytes; wait for the first byte if need be.

        An empty result means that nothing came within timeout_s.
        """
        ...

    def write(self, data: bytes) -> None: ...

    def set_baud(self, baud: int) -> None: ...

    def discard_input(self) -> None: ...

    def close(self) -> None: ...


class _Pipe:
    def __init__(self) -> None:
        self.bytes = bytearray()
        self.changed = threading.Condition()
        self.is_closed = False


class LoopbackPort:
    """One end of a line in memory; make two with loopback_pair()."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self.baud = 57600

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        pipe = self._incoming
        deadline = time.monotonic() + timeout_s
        with pipe.changed:
            while not pipe.bytes:
                if pipe.is_closed:
                    raise DeviceAbsentError("loopback: the other end was closed")
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0:
                    return b""
                pipe.changed.wait(remaining_s)
            data = bytes(pipe.bytes[:max_bytes])
            del pipe.bytes[: len(data)]
            return data

    def write(self, data: bytes) -> None:
        pipe = self._outgoing
        with pipe.changed:
            if pipe.is_closed:
                raise DeviceAbsentError("loopback: the other end was closed")
            # Like a full UART buffer: what nobody reads is lost.
            room = _LOOPBACK_CAPACITY_BYTES - len(pipe.bytes)
            pipe.bytes += data[:room]
            pipe.changed.notify_all()

    def set_baud(self, baud: int) -> None:
        self.baud = baud

    def discard_input(self) -> None:
        with self._incoming.changed:
            self._incoming.bytes.clear()

    def close(self) -> None:
        for pipe in (self._incoming, self._outgoing):
            with pipe.changed:
                pipe.is_closed = True
                pipe.changed.notify_all()


def loopback_pair() -> tuple[LoopbackPort, LoopbackPort]:
    """Return the host's and the device's end of one line."""
    to_host, to_device = _Pipe(), _Pipe()
    return LoopbackPort(to_host, to_device), LoopbackPort(to_device, to_host)
