"""One MQTT connection: the only door to paho-mqtt.

Facts that shaped this, from measurements on Mosquitto 2.0 and amqtt 0.12: paho does
not honour the broker's maximum packet size, and a message above it makes the broker
cut every connection; a forbidden publish is acknowledged and only the reason code
tells; a 3.1.1 broker answers a version 5 CONNECT with "unsupported protocol version".
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.errors import LinkError, MessageError
from edge.sync.link import Arrived, Connected, LinkEvent, Published, Refused
from edge.sync.messages import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from edge.sync.link import Will
    from edge.sync.settings import BrokerSettings

QOS = 1
_NO_SUBSCRIBERS = 0x10
_FAILURE = 0x80
_UNSUPPORTED_VERSION = 0x84
_RECEIVE_MAXIMUM = 32
_PACKET_OVERHEAD_BYTES = 64
_MAX_EVENTS = 64
_MID_RANGE = 1 << 16
_PROTOCOL_NAMES = {4: "3.1.1", 5: "5"}


def make_paho_client(
    settings: BrokerSettings,
    *,
    client_id: str,
    version: int,
    will: Will | None,
    tls: ssl.SSLContext | None,
    password: str | None,
) -> paho.Client:
    """Return a paho client for one connection, not yet connected."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if version == 5 else True,
        protocol=MQTTProtocolVersion(version),
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = settings.connect_timeout_s
    if will is not None:
        client.will_set(will.topic, will.payload, qos=QOS, retain=True)
    if settings.username is not None:
        client.username_pw_set(settings.username, password)
    if tls is not None:
        client.tls_set_context(tls)
    return client


class MqttSession:
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
