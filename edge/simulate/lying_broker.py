"""A hostile broker: MQTT 5 as our clients speak it, and lies by a seeded plan.

It takes anyone and forgets every session at its end, as the appliance asks for. The
lies themselves are in edge.simulate.lies.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

from edge.errors import MessageError
from edge.simulate import mqtt5_packets as mqtt
from edge.simulate.broker import HOST
from edge.simulate.lies import HONEST, Delivery, Liar, LyingPlan

__all__ = ["HONEST", "LyingBroker", "LyingPlan"]

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from types import TracebackType

_READ_BYTES = 1 << 18
_MAX_UNSENT_BYTES = 256 * 1024 * 1024
_SEEN = 100_000
_TICK_S = 0.02
_JOIN_S = 10.0
_NO_SUBSCRIBERS, _UNSUPPORTED_VERSION, _SUCCESS = 0x10, 0x84, 0
_PACKET_IDS = 65535


@dataclass
class _Client:
    """One connection."""

    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    name: str = ""
    filters: set[str] = field(default_factory=set)
    will: mqtt.Publication | None = None
    window: int = 65535
    in_flight: set[int] = field(default_factory=set)
    queue: deque[tuple[mqtt.Publication, bool]] = field(default_factory=deque)
    last_id: int = 0
    is_welcome: bool = False
    is_writing: bool = False
    is_gone: bool = False

    def hears(self, topic: str) -> bool:
        return any(mqtt.topic_matches(pattern, topic) for pattern in self.filters)

    def send_queued(self) -> None:
        while self.queue and len(self.in_flight) < self.window:
            publication, is_repeat = self.queue.popleft()
            self.last_id = self.last_id % _PACKET_IDS + 1
            self.in_flight.add(self.last_id)
            numbered = replace(publication, packet_id=self.last_id)
            self.unsent += mqtt.write_publish(numbered, is_repeat=is_repeat)


class LyingBroker:
    """A context manager that listens on a loopback port; 0 lets the system choose.

    seen: the last publications that clients sent, in order, lies not included.
    """

    def __init__(self, port: int = 0, plan: LyingPlan = HONEST) -> None:
        self.seen: deque[mqtt.Publication] = deque(maxlen=_SEEN)
        self._liar = Liar(plan)
        self._clients: dict[int, _Client] = {}
        self._held: list[tuple[float, Delivery]] = []
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._is_stopping = False
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server((HOST, port), backlog=512)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="lying-broker")
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

    def stop(self) -> None:
        """Cut all connections and end the thread; harmless when it has been done."""
        self._is_stopping = True
        self._thread.join(_JOIN_S)

    @property
    def plan(self) -> LyingPlan:
        """May be exchanged at any time; the chance goes on from where it was."""
        return self._liar.plan

    @plan.setter
    def plan(self, plan: LyingPlan) -> None:
        self._liar.plan = plan

    @property
    def told(self) -> Counter[str]:
        """How often each lie has been told."""
        return self._liar.told

    def inject(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish a message that no client sent, without a lie about it."""
        publication = mqtt.Publication(topic, payload, retain=retain)
        self._order(lambda: self._publish(publication))

    def lose_state(self) -> None:
        """Forget all, as with a new disk, and cut every connection."""
        self._order(self._lose_state)

    def cut(self) -> None:
        """Cut every connection; the wills are published."""
        self._order(self._cut)

    def retained(self) -> dict[str, bytes]:
        """Return the newest retained message of each topic."""
        return self._liar.newest_retained()

    def _order(self, order: Callable[[], object]) -> None:
        """Have the thread do it, and wait until it has."""
        done = threading.Event()

        def obey() -> None:
            order()
            done.set()

        if self._thread.is_alive():
            self._orders.put(obey)
            done.wait(_JOIN_S)

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._take_orders()
                for key, _ in self._selector.select(_TICK_S):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif client := self._clients.get(key.fd):
                        self._serve(client)
                self._release_held()
                self._send_all()
        finally:
            for client in self._all():
                client.sock.close()
            self._listener.close()
            self._selector.close()

    def _all(self) -> list[_Client]:
        return list(self._clients.values())

    def _take_orders(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                self._orders.get_nowait()()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            sock, _ = self._listener.accept()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients[sock.fileno()] = _Client(sock)
            self._selector.register(sock, selectors.EVENT_READ)

    def _serve(self, client: _Client) -> None:
        try:
            data = client.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        client.received += data
        try:
            while not client.is_gone and (packet := mqtt.take_packet(client.received)):
                self._handle(client, packet)
        except MessageError:
            self._drop(client)

    def _send_all(self) -> None:
        for client in self._all():
            client.send_queued()
            if client.unsent:
                self._send(client)

    def _send(self, client: _Client) -> None:
        try:
            sent = client.sock.send(client.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return
        del client.unsent[:sent]
        if len(client.unsent) > _MAX_UNSENT_BYTES:
            self._drop(client)
            return
        if bool(client.unsent) != client.is_writing:
            client.is_writing = bool(client.unsent)
            writing = selectors.EVENT_WRITE if client.is_writing else 0
            self._selector.modify(client.sock, selectors.EVENT_READ | writing)

    def _drop(self, client: _Client, *, is_goodbye: bool = False) -> None:
        if self._clients.pop(client.sock.fileno(), None) is None:
            return
        client.is_gone = True
        self._selector.unregister(client.sock)
        client.sock.close()
        if client.will is not None and not is_goodbye:
            self._publish(client.will)

    def _cut(self) -> None:
        for client in self._all():
            self._drop(client)

    def _lose_state(self) -> None:
        for client in self._all():
            client.will = None
            self._drop(client)
        self._held.clear()
        self._liar.forget()

    def _handle(self, client: _Client, packet: mqtt.Packet) -> None:
        if packet.kind == mqtt.CONNECT:
            self._welcome(client, packet)
        elif not client.is_welcome:
            raise MessageError("MQTT: something before CONNECT")
        elif packet.kind == mqtt.PUBLISH:
            self._take(client, mqtt.read_publish(packet))
        elif packet.kind == mqtt.PUBACK:
            client.in_flight.discard(mqtt.read_packet_id(packet.body))
        elif packet.kind in (mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE):
            self._subscribe(client, packet)
        elif packet.kind == mqtt.PINGREQ:
            client.unsent += mqtt.write_packet(mqtt.PINGRESP)
        elif packet.kind == mqtt.DISCONNECT:
            self._drop(client, is_goodbye=True)
        else:
            raise MessageError(f"MQTT: packet kind {packet.kind} is not spoken here")

    def _welcome(self, client: _Client, packet: mqtt.Packet) -> None:
        hello = mqtt.read_connect(packet.body)
        if hello.version != 5:
            client.unsent += mqtt.write_connack(_UNSUPPORTED_VERSION)
            return
        for other in self._all():
            if other is not client and other.name == hello.client_id:
                self._drop(other)
        client.name, client.will = hello.client_id, hello.will
        client.window, client.is_welcome = hello.receive_maximum, True
        client.unsent += mqtt.write_connack(_SUCCESS)

    def _subscribe(self, client: _Client, packet: mqtt.Packet) -> None:
        packet_id, filters = mqtt.read_filters(packet)
        if packet.kind == mqtt.UNSUBSCRIBE:
            client.filters -= set(filters)
            client.unsent += mqtt.write_suback(
                mqtt.UNSUBACK, packet_id, [_SUCCESS] * len(filters)
            )
            return
        client.filters |= set(filters)
        client.unsent += mqtt.write_suback(mqtt.SUBACK, packet_id, [1] * len(filters))
        for publication in self._liar.retained_for(filters):
            client.queue.append((publication, False))

    def _take(self, client: _Client, publication: mqtt.Publication) -> None:
        """Deal with a client's publication: record, acknowledge, pass on, lie."""
        self.seen.append(publication)
        is_heard = any(other.hears(publication.topic) for other in self._all())
        if self._liar.tells("hang_up"):
            self._drop(client)
        elif publication.packet_id and not self._liar.tells("unanswered"):
            reason = _SUCCESS if is_heard else _NO_SUBSCRIBERS
            client.unsent += mqtt.write_puback(publication.packet_id, reason)
        now_s = time.monotonic()
        for delivery in self._liar.deliveries(publication):
            if delivery.delay_s:
                self._held.append((now_s + delivery.delay_s, delivery))
            else:
                self._publish(delivery.publication, is_repeat=delivery.is_repeat)

    def _publish(
        self, publication: mqtt.Publication, *, is_repeat: bool = False
    ) -> None:
        if publication.retain and not is_repeat:
            self._liar.keep(publication)
        live = replace(publication, retain=False)
        for client in self._all():
            if client.hears(publication.topic):
                client.queue.append((live, is_repeat))

    def _release_held(self) -> None:
        now_s = time.monotonic()
        due = [item for item in self._held if item[0] <= now_s]
        self._held = [item for item in self._held if item[0] > now_s]
        for _, delivery in sorted(due, key=lambda item: item[0]):
            self._publish(delivery.publication, is_repeat=delivery.is_repeat)
