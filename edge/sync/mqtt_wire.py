"""The paho client as a hostile or slow line needs it.

Facts that shaped this, from paho 2.2's source and measurements:

- It allocates what a packet's length field says, up to 256 MiB, whatever maximum we
  announced; here a longer packet ends the connection before a byte of it is read.
- It stores what comes with QoS 2 until it is released; we subscribe with QoS 1 only,
  so QoS 2 is a breach of the protocol here.
- A ping waits in line behind a large message, and without its answer within one
  keep-alive paho hangs up: over 64 kbit/s a message of 500 kB would never arrive. Here
  the line counts as alive while bytes come in, or while the other machine takes bytes.
- Its own loop waits with select(), which knows no file descriptor above 1,023.
- It says "unspecified error" for whatever the socket or TLS said; here it is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge.sync.mqtt_reasons import explain_tls

if TYPE_CHECKING:
    from edge.sync.link import Will
    from edge.sync.settings import BrokerSettings

QOS = 1
CLOSED = "the broker closed the connection"
_PUBLISH, _QOS2 = 0x30, 0x04
_LOOK_EVERY_S = 0.5


class WireClient(paho.Client):
    """A paho client that bounds what it reads and remembers why the line broke.

    receive_limit_bytes: a longer packet ends the connection. line_problem: what the
    socket said at its end, None if nothing.
    """

    receive_limit_bytes = 1 << 20
    line_problem: str | None = None
    _given_bytes = 0
    _taken_bytes = 0
    _looked_at_s = 0.0

    def set_window(self, messages: int) -> None:
        """Allow so many messages in flight; the others wait in line."""
        # paho's setter refuses once the connection stands, which is when the broker
        # has told its receive maximum.
        self._max_inflight_messages = messages

    def move(self, timeout_s: float) -> MQTTErrorCode:
        """Read and write once the line is ready, or after timeout_s without either.

        Raises whatever paho's decoder raises for bytes that are no MQTT.
        """
        sock = self.socket()
        if not isinstance(sock, socket.socket):
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        wanted = select.POLLIN | (select.POLLOUT if self.want_write() else 0)
        is_pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        poller = select.poll()
        poller.register(sock, wanted)
        ready = poller.poll(0 if is_pending else max(0.0, timeout_s * 1000))
        seen = ready[0][1] if ready else 0
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if is_pending or seen & ~select.POLLOUT:
            code = self.loop_read()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and seen & select.POLLOUT:
            code = self.loop_write()
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            code = self.loop_misc()
        return code

    def keep_alive_while_moving(self) -> bool:
        """Put off the hang-up while the other machine takes bytes; True if it does."""
        now_s = time.monotonic()
        sock = self.socket()
        if now_s - self._looked_at_s < _LOOK_EVERY_S or sock is None:
            return False
        self._looked_at_s = now_s
        taken = self._given_bytes - _unsent_bytes(sock)
        is_moving = taken > self._taken_bytes
        self._taken_bytes = max(taken, self._taken_bytes)
        if is_moving:
            self._put_off()
        return is_moving

    def drop(self) -> None:
        """Free the socket without a word to the broker."""
        # paho has no public way to give up a connection that was never acknowledged.
        self._reset_sockets()

    def _put_off(self) -> None:
        if self._ping_t:
            self._ping_t = self._last_bytes_received = time.monotonic()

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > self.receive_limit_bytes:
            self.line_problem = (
                f"the broker sends a packet of {bufsize} bytes, "
                f"{self.receive_limit_bytes} are allowed"
            )
            raise ConnectionError(self.line_problem)
        try:
            data: bytes = super()._sock_recv(bufsize)
        except BlockingIOError:
            raise
        except OSError as error:
            self._note(error)
            raise
        if data:
            self._put_off()
        elif self.line_problem is None:
            self.line_problem = CLOSED
        return data

    def _sock_send(self, buf: bytes | bytearray) -> int:
        try:
            count: int = super()._sock_send(buf)
        except BlockingIOError:
            raise
        except OSError as error:
            self._note(error)
            self._hear_last_words()
            raise
        self._given_bytes += count
        return count

    def _hear_last_words(self) -> None:
        """Read why the other end hung up, if it said so before we came to send."""
        # TLS 1.3 tells a client that its certificate is refused after the handshake
        # has ended for it, so that sending is often what fails first.
        try:
            super()._sock_recv(1)
        except ssl.SSLError as error:
            self._note(error)
        except OSError:
            pass

    def _packet_handle(self) -> MQTTErrorCode:
        command = self._in_packet["command"]
        if command & 0xF0 == _PUBLISH and command & _QOS2:
            self.line_problem = "the broker sends with QoS 2, which nobody asked for"
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        code: MQTTErrorCode = super()._packet_handle()
        return code

    def _note(self, error: OSError) -> None:
        if isinstance(error, ssl.SSLEOFError):
            self.line_problem = CLOSED
        elif isinstance(error, ssl.SSLError):
            self.line_problem = explain_tls(error)
        else:
            self.line_problem = error.strerror or str(error)


def make_paho_client(
    settings: BrokerSettings,
    *,
    client_id: str,
    version: int,
    will: Will | None,
    tls: ssl.SSLContext | None,
    password: str | None,
) -> WireClient:
    """Return a paho client for one connection, not yet connected."""
    client = WireClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if version == 5 else True,
        protocol=MQTTProtocolVersion(version),
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = settings.connect_timeout_s
    client.on_socket_open = _send_at_once
    if will is not None:
        client.will_set(will.topic, will.payload, qos=QOS, retain=True)
    if settings.username is not None:
        client.username_pw_set(settings.username, password)
    if tls is not None:
        client.tls_set_context(tls)
    return client


def _send_at_once(
    _client: paho.Client,
    _data: Any,  # noqa: ANN401  paho hands over what the constructor was given
    sock: paho.SocketLike,
) -> None:
    """Switch off Nagle's algorithm: with delayed acknowledgements it costs 40 ms."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _unsent_bytes(sock: Any) -> int:  # noqa: ANN401  paho's socket may be a wrapper
    """Return how much the other machine has not yet confirmed; 0 if unknown."""
    answer = struct.pack("i", 0)
    with contextlib.suppress(OSError, ValueError):
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, answer)
    count: int = struct.unpack("i", answer)[0]
    return count
