"""One connection through a bad line: what waits, what may go, how it ends."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import deque
from dataclasses import dataclass, field

BUFFER_BYTES = 32 * 1024
_READ_BYTES = 16 * 1024
_BURST_S = 0.02


@dataclass(frozen=True)
class LineState:
    """What the line does to bytes.

    delay_s: each way. bytes_per_s: each way, None for no limit. is_silent: nothing
    moves either way, new connections are taken, nobody is told. is_down: connections
    are cut, new ones are cut at once.
    """

    delay_s: float = 0.0
    bytes_per_s: float | None = None
    is_silent: bool = False
    is_down: bool = False


GOOD_LINE = LineState()


@dataclass
class Direction:
    """Bytes on their way from source to sink."""

    source: socket.socket
    sink: socket.socket
    passed_bytes: int = 0
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    waiting_bytes: int = 0
    credit_bytes: float = 0.0
    credited_at_s: float = 0.0
    is_ended: bool = False
    is_closed: bool = False

    def read(self, now_s: float, delay_s: float) -> None:
        try:
            data = self.source.recv(_READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self.waiting.append((now_s + delay_s, data))
            self.waiting_bytes += len(data)
        else:
            self.is_ended = True

    def allowance(self, now_s: float, bytes_per_s: float | None) -> int:
        """Return how many bytes may go now."""
        if bytes_per_s is None:
            self.credit_bytes = BUFFER_BYTES
            return BUFFER_BYTES
        earned = (now_s - self.credited_at_s) * bytes_per_s
        most = max(1.0, bytes_per_s * _BURST_S)
        self.credit_bytes = min(most, self.credit_bytes + earned)
        self.credited_at_s = now_s
        return int(self.credit_bytes)

    def write(self, count: int) -> int:
        """Send at most count bytes of the oldest piece; return how many went."""
        due_s, data = self.waiting.popleft()
        try:
            sent = self.sink.send(data[:count])
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self.waiting.appendleft((due_s, data[sent:]))
        self.waiting_bytes -= sent
        self.passed_bytes += sent
        self.credit_bytes -= sent
        return sent

    def finish(self) -> None:
        """Pass the end on when everything before it has gone."""
        if self.is_ended and not self.waiting and not self.is_closed:
            self.is_closed = True
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)


class ProxiedConnection:
    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.ends = (client, server)
        self.directions = (Direction(client, server), Direction(server, client))
        self.is_lost = False

    def close(self, *, abruptly: bool = False) -> None:
        for end in self.ends:
            if abruptly:
                # Lingering for no time is what makes the kernel send RST.
                linger = struct.pack("ii", 1, 0)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            end.close()
