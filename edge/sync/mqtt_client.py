"""The link over MQTT: paho-mqtt behind the transport port.

No thread: paho's network loop runs inside poll, so its callbacks run in the caller's
thread and only append to a list. Every connection is a new paho client with a clean
session, so that nothing that paho or the broker had queued is ever sent twice behind
our back; the outbox is the queue.

Facts that shaped this, from measurements on Mosquitto 2.0 and amqtt 0.12: paho does
not honour the broker's maximum packet size, and a message above it makes the broker
cut every connection; a forbidden publish is acknowledged and only the reason code
tells; a 3.1.1 broker answers a version 5 CONNECT with "unsupported protocol version".
"""

from __future__ import annotations

import socket
import ssl
import time
from random import Random
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.errors import LinkError, MessageError
from edge.logs import safe_label
from edge.sync.credentials import read_password, tls_context
from edge.sync.link import (
    Arrived,
    Connected,
    Disconnected,
    LinkEvent,
    Published,
    Refused,
    Will,
)
from edge.sync.messages import MAX_MESSAGE_BYTES
from edge.sync.reconnecting import Backoff, ProtocolChoice
from edge.sync.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from edge.clock import Clock

__all__ = ["BrokerSettings", "MqttClient"]

QOS = 1
# A connection that lasted less counts as failed: two clients of one name, or a message
# that breaks the line, must not make the attempts follow each other without a pause.
STABLE_S = 10.0
_NO_SUBSCRIBERS = 0x10
_FAILURE = 0x80
_UNSUPPORTED_VERSION = 0x84
_RECEIVE_MAXIMUM = 32
_PACKET_OVERHEAD_BYTES = 64
_MAX_EVENTS = 64
_MID_RANGE = 1 << 16
_PROTOCOL_NAMES = {4: "3.1.1", 5: "5"}


class MqttClient:
    """A Link to a broker. See edge.sync.link.Link for the contract of the methods.

    Raises:
        ConfigurationError: from the constructor, for unusable credential files.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        subscriptions: Sequence[str],
        will: Will,
        clock: Clock,
        random: Random | None = None,
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._clock = clock
        self._tls = tls_context(settings)
        self._password = read_password(settings)
        self._choice = ProtocolChoice(settings.protocol)
        self._backoff = Backoff(
            first_s=settings.backoff_first_s,
            limit_s=settings.backoff_limit_s,
            random=random if random is not None else Random(),  # noqa: S311  jitter only
        )
        self._connection = 0
        self._next_attempt_s = 0.0
        self._session: _Session | None = None

    def poll(self, timeout_s: float) -> Sequence[LinkEvent]:
        deadline_s = self._clock.monotonic_s() + timeout_s
        events: list[LinkEvent] = []
        while not events:
            now_s = self._clock.monotonic_s()
            if self._session is None:
                if now_s < self._next_attempt_s:
                    if now_s >= deadline_s:
                        break
                    time.sleep(min(deadline_s, self._next_attempt_s) - now_s)
                    continue
                self._connect(now_s, events)
            else:
                self._exchange(max(0.0, deadline_s - now_s), events)
            if now_s >= deadline_s:
                break
        return events

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        if self._session is None or not self._session.is_ready:
            raise LinkError(f"{self._broker}: not connected")
        return self._session.publish(topic, payload, retain=retain)

    def acknowledge(self, arrived: Arrived) -> None:
        if self._session is not None:
            self._session.acknowledge(arrived.ticket)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    @property
    def _broker(self) -> str:
        return f"broker {self._settings.host}:{self._settings.port}"

    def _connect(self, now_s: float, events: list[LinkEvent]) -> None:
        self._connection += 1
        is_probe = self._choice.is_probe(now_s)
        session = _Session(
            self._make_paho_client(
                self._choice.version(now_s), will=None if is_probe else self._will
            ),
            self._connection,
            () if is_probe else self._subscriptions,
            began_s=now_s,
            timeout_s=self._settings.connect_timeout_s,
        )
        try:
            session.open(self._settings)
        except (OSError, ValueError) as error:
            # ValueError: paho lets certificate and host name problems out as such.
            session.close()
            self._lost(_connect_problem(error), events)
        else:
            self._session = session

    def _make_paho_client(self, version: int, *, will: Will | None) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if version == 5 else True,
            protocol=MQTTProtocolVersion(version),
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = self._settings.connect_timeout_s
        if will is not None:
            client.will_set(will.topic, will.payload, qos=QOS, retain=True)
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, self._password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        return client

    def _exchange(self, timeout_s: float, events: list[LinkEvent]) -> None:
        session = self._session
        assert session is not None  # noqa: S101  the caller has looked
        session.exchange(timeout_s)
        events += session.take_events()
        now_s = self._clock.monotonic_s()
        if session.failure is None and session.is_late(now_s):
            session.failure = "no answer to the connection request"
        if session.failure is not None:
            self._end(session, session.failure, now_s, events)
        elif session.is_probe_done:
            self._choice.accepted(session.version)
            session.close()
            self._session = None

    def _end(
        self, session: _Session, reason: str, now_s: float, events: list[LinkEvent]
    ) -> None:
        session.close()
        self._session = None
        if session.is_ready and now_s - session.began_s > STABLE_S:
            self._backoff.succeeded()
        is_other_version_left = session.is_version_refused and self._choice.refused(
            session.version, now_s
        )
        if not is_other_version_left:
            self._lost(reason, events)

    def _lost(self, reason: str, events: list[LinkEvent]) -> None:
        events.append(Disconnected(f"{self._broker}: {safe_label(reason)}"))
        self._next_attempt_s = self._clock.monotonic_s() + self._backoff.failed()


class _Session:
    """One connection, from CONNECT to its end. failure says why it ended.

    Without subscriptions it is a probe, done when the broker has accepted it.
    """

    def __init__(
        self,
        client: paho.Client,
        connection: int,
        subscriptions: Sequence[str],
        *,
        began_s: float,
        timeout_s: float,
    ) -> None:
        self.began_s = began_s
        self.is_ready = False
        self.is_probe_done = False
        self.is_version_refused = False
        self.failure: str | None = None
        self.version = 5 if client.protocol == MQTTProtocolVersion.MQTTv5 else 4
        self._client = client
        self._connection = connection
        self._subscriptions = subscriptions
        self._deadline_s = began_s + timeout_s
        self._maximum_bytes = MAX_MESSAGE_BYTES + _PACKET_OVERHEAD_BYTES
        self._events: list[LinkEvent] = []
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect

    def open(self, settings: BrokerSettings) -> None:
        if self.version != 5:
            self._client.connect(settings.host, settings.port, settings.keepalive_s)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho has no types here
        if self._subscriptions:
            properties.ReceiveMaximum = _RECEIVE_MAXIMUM
            properties.MaximumPacketSize = self._maximum_bytes
        self._client.connect(
            settings.host,
            settings.port,
            settings.keepalive_s,
            clean_start=True,
            properties=properties,
        )

    def exchange(self, timeout_s: float) -> None:
        """Move bytes until something happened or timeout_s passed."""
        self._run_loop(timeout_s)
        for _ in range(_MAX_EVENTS):
            before = len(self._events)
            if self.failure is not None or before == 0:
                return
            self._run_loop(0.0)
            if len(self._events) == before:
                return

    def _run_loop(self, timeout_s: float) -> None:
        code = self._client.loop(timeout_s)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and self.failure is None:
            self.failure = paho.error_string(code)

    def take_events(self) -> list[LinkEvent]:
        taken, self._events = self._events, []
        return taken

    def is_late(self, now_s: float) -> bool:
        return not self.is_ready and now_s >= self._deadline_s

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        size = len(topic) + len(payload) + _PACKET_OVERHEAD_BYTES
        if size > self._maximum_bytes:
            raise MessageError(
                f"{topic}: message of {len(payload)} bytes, "
                f"the broker takes {self._maximum_bytes - _PACKET_OVERHEAD_BYTES}"
            )
        info = self._client.publish(topic, payload, qos=QOS, retain=retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"{topic}: not sent: {paho.error_string(info.rc)}")
        return self._connection * _MID_RANGE + info.mid

    def acknowledge(self, ticket: int) -> None:
        connection, mid = divmod(ticket, _MID_RANGE)
        if mid and connection == self._connection and self.failure is None:
            self._client.ack(mid, QOS)

    def close(self) -> None:
        """Say goodbye if the line still stands, and free the socket."""
        client = self._client
        client.on_disconnect = None
        if self.failure is None and client.is_connected():
            client.disconnect()
            while client.want_write():
                if client.loop(0.2) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
        # paho has no public way to give up a connection that was never acknowledged.
        client._reset_sockets()  # noqa: SLF001
        client.on_connect = client.on_subscribe = None
        client.on_message = client.on_publish = None

    def _on_connect(
        self,
        client: paho.Client,
        _data: Any,  # noqa: ANN401  paho hands over what the constructor was given
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.is_version_refused = reason.value == _UNSUPPORTED_VERSION
            self.failure = f"connection refused: {reason}"
            return
        limit = getattr(properties, "MaximumPacketSize", None)
        if limit is not None:
            self._maximum_bytes = min(self._maximum_bytes, int(limit))
        if not self._subscriptions:
            self.is_probe_done = True
            return
        client.subscribe([(name, QOS) for name in self._subscriptions])

    def _on_subscribe(
        self,
        _client: paho.Client,
        _data: Any,  # noqa: ANN401  as above
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= _FAILURE]
        if refused:
            self.failure = f"subscription refused: {refused[0]}"
            return
        self.is_ready = True
        protocol = _PROTOCOL_NAMES[self.version]
        self._events.append(Connected(self._connection, protocol))

    def _on_message(
        self,
        client: paho.Client,
        _data: Any,  # noqa: ANN401  as above
        message: paho.MQTTMessage,
    ) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            client.ack(message.mid, message.qos)
            return
        ticket = self._connection * _MID_RANGE + (message.mid if message.qos else 0)
        self._events.append(
            Arrived(topic, bytes(message.payload), ticket, bool(message.retain))
        )

    def _on_publish(
        self,
        _client: paho.Client,
        _data: Any,  # noqa: ANN401  as above
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        token = self._connection * _MID_RANGE + mid
        if reason.value >= _FAILURE:
            self._events.append(Refused(token, str(reason)))
        else:
            heard = reason.value != _NO_SUBSCRIBERS
            self._events.append(Published(token, heard))

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: Any,  # noqa: ANN401  as above
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self.failure is None:
            self.failure = f"connection lost: {reason}"


def _send_at_once(
    _client: paho.Client,
    _data: Any,  # noqa: ANN401  as above
    sock: paho.SocketLike,
) -> None:
    """Switch off Nagle's algorithm: with delayed acknowledgements it costs 40 ms."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _connect_problem(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted: {error.verify_message}"
    return f"cannot connect: {error}"
