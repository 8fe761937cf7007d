"""A bad line: a TCP proxy on loopback whose faults are switched while it runs.

    client <--> FaultProxy.port <--> host:port

One thread moves all bytes. Delay and bandwidth hold for each connection and direction
by itself. What a fault holds back is bounded by small buffers, so that the sender feels
it as it would feel the real line.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

from edge.simulate.broker import HOST
from edge.simulate.fault_line import (
    BUFFER_BYTES,
    GOOD_LINE,
    Direction,
    LineState,
    ProxiedConnection,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_CONNECT_TIMEOUT_S = 2.0
_IDLE_S = 0.5
_STEP_S = 0.005
_JOIN_S = 10.0


class FaultProxy:
    """A context manager; the line begins as a good one.

    port: where clients connect. up_bytes and down_bytes: what has passed, from clients
    and to them. connections: how many have been taken.
    """

    def __init__(self, port: int, host: str = HOST) -> None:
        self.up_bytes = 0
        self.down_bytes = 0
        self.connections = 0
        self._server = (host, port)
        self._line = GOOD_LINE
        self._reset_after_bytes: int | None = None
        self._open: list[ProxiedConnection] = []
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._is_stopping = False
        self._bell, self._bell_rope = socket.socketpair()
        self._bell.setblocking(False)
        self._listener = socket.create_server((HOST, 0), backlog=512)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="fault-proxy")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def heal(self) -> None:
        """Make it a good line again. What was lost by lose_track stays lost."""
        self._order(lambda: self._set(GOOD_LINE, None))

    def delay(self, delay_s: float) -> None:
        self._order(lambda: self._set(replace(self._line, delay_s=delay_s)))

    def limit(self, bits_per_s: float) -> None:
        line = replace(self._line, bytes_per_s=bits_per_s / 8)
        self._order(lambda: self._set(line))

    def trickle(self, bytes_per_s: float = 1.0) -> None:
        """Let one byte through each second, or so many."""
        self.limit(bytes_per_s * 8)

    def fall_silent(self) -> None:
        """Half-open: nothing moves and nobody is told; heal lets it move again."""
        self._order(lambda: self._set(replace(self._line, is_silent=True)))

    def lose_track(self) -> None:
        """Half-open for good: today's connections are dead and are not told.

        New ones work. So does a router that forgot its table.
        """
        self._order(self._forget)

    def go_down(self) -> None:
        """End every connection, and each new one at once, until heal."""
        self._order(self._go_down)

    def cut(self) -> None:
        """End every connection in good order (FIN); new ones work."""
        self._order(lambda: self._close_all(abruptly=False))

    def reset(self) -> None:
        """End every connection with RST; new ones work."""
        self._order(lambda: self._close_all(abruptly=True))

    def reset_after(self, count: int) -> None:
        """Let count more bytes pass, then end that connection with RST, once."""
        self._order(lambda: self._set(self._line, count))

    def stop(self) -> None:
        """End all connections and the thread; harmless when it has been done."""
        self._is_stopping = True
        self._ring()
        self._thread.join(_JOIN_S)

    def _order(self, order: Callable[[], None]) -> None:
        """Have the thread do it, and wait until it has."""
        done = threading.Event()

        def obey() -> None:
            order()
            done.set()

        if self._thread.is_alive():
            self._orders.put(obey)
            self._ring()
            done.wait(_JOIN_S)

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._bell_rope.send(b".")

    def _set(self, line: LineState, reset_after_bytes: int | None = None) -> None:
        self._line = line
        self._reset_after_bytes = reset_after_bytes

    def _go_down(self) -> None:
        self._set(replace(self._line, is_down=True))
        self._close_all(abruptly=False)

    def _forget(self) -> None:
        for connection in self._open:
            connection.is_lost = True

    def _close_all(self, *, abruptly: bool) -> None:
        for connection in self._open:
            connection.close(abruptly=abruptly)
        self._open.clear()

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._wait()
                self._take_orders()
                self._accept()
                now_s = time.monotonic()
                for connection in list(self._open):
                    self._serve(connection, now_s)
        finally:
            self._close_all(abruptly=False)
            for sock in (self._listener, self._bell, self._bell_rope):
                sock.close()

    def _wait(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            timeout_s = _IDLE_S
            for connection in self._open:
                if self._is_still(connection):
                    continue
                for direction in connection.directions:
                    if direction.waiting:
                        timeout_s = _STEP_S
                    elif not direction.is_ended:
                        selector.register(direction.source, selectors.EVENT_READ)
            selector.select(timeout_s)
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)

    def _take_orders(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._orders.get_nowait()()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except BlockingIOError:
                return
            self.connections += 1
            if self._line.is_down:
                client.close()
                continue
            try:
                server = socket.create_connection(self._server, _CONNECT_TIMEOUT_S)
            except OSError:
                client.close()
                continue
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.setblocking(False)
            self._open.append(ProxiedConnection(client, server))

    def _is_still(self, connection: ProxiedConnection) -> bool:
        return self._line.is_silent or connection.is_lost

    def _serve(self, connection: ProxiedConnection, now_s: float) -> None:
        if self._is_still(connection):
            return
        up, down = connection.directions
        before_up, before_down = up.passed_bytes, down.passed_bytes
        try:
            self._pass_on(up, now_s)
            self._pass_on(down, now_s)
        except OSError:
            # One end has gone without a goodbye: so does the other.
            self._drop(connection)
            return
        finally:
            self.up_bytes += up.passed_bytes - before_up
            self.down_bytes += down.passed_bytes - before_down
        if self._reset_after_bytes == 0:
            self._reset_after_bytes = None
            self._drop(connection)
        elif all(direction.is_closed for direction in connection.directions):
            self._drop(connection, abruptly=False)

    def _drop(self, connection: ProxiedConnection, *, abruptly: bool = True) -> None:
        connection.close(abruptly=abruptly)
        self._open.remove(connection)

    def _pass_on(self, direction: Direction, now_s: float) -> None:
        if direction.waiting_bytes < BUFFER_BYTES and not direction.is_ended:
            direction.read(now_s, self._line.delay_s)
        count = direction.allowance(now_s, self._line.bytes_per_s)
        while direction.waiting and direction.waiting[0][0] <= now_s and count > 0:
            if self._reset_after_bytes is not None:
                count = min(count, self._reset_after_bytes)
            sent = direction.write(count) if count else 0
            if sent == 0:
                break
            count -= sent
            if self._reset_after_bytes is not None:
                self._reset_after_bytes -= sent
        direction.finish()
