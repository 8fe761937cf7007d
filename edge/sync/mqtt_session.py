"""One MQTT connection, from CONNECT to its end.

Every connection starts clean and its session ends with it (session expiry 0), said
outright. The broker's queue for an absent client would add nothing that holds:
Mosquitto 2.0, killed, lost messages it had acknowledged and repeated old ones, also
when told to save on every change, and its queue drops silently when it is full. The
outbox is the queue, the watchlist is asked for from the cursor, and what the broker
had queued is never in the way of either.

A forbidden publish is acknowledged and only the reason code tells; a subscription that
the access list forbids is granted and stays silent; a 3.1.1 broker answers a version 5
CONNECT with "unsupported protocol version" (measured on Mosquitto 2.0, amqtt 0.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.errors import LinkError, MessageError
from edge.records.message_map import MAX_MESSAGE_BYTES
from edge.sync.link import Arrived, Connected, LinkEvent, Published, Refused
from edge.sync.mqtt_reasons import (
    FAILURE,
    NO_SUBSCRIBERS,
    UNSUPPORTED_VERSION,
    explain_code,
)
from edge.sync.mqtt_wire import CLOSED, QOS, WireClient, make_paho_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from edge.sync.settings import BrokerSettings

__all__ = ["MqttSession", "make_paho_client"]

_PACKET_OVERHEAD_BYTES = 64
_MAX_ARRIVED_BYTES = 16 * 1024 * 1024
_GOODBYE_ROUNDS = 5
_GOODBYE_WAIT_S = 0.2
_MID_RANGE = 1 << 16
# TLS 1.3 tells a client late that its certificate is refused, and a reset can overtake
# the telling.
_CERTIFICATE_HINT = (
    "; before the broker took us in: did it refuse this machine's certificate?"
)
_NAME_HINT = "; did it end, or did another client come with the same name?"
_PROTOCOL_NAMES = {4: "3.1.1", 5: "5"}


class MqttSession:
    """One connection. failure says why it ended.

    Without subscriptions it is a probe, done when the broker has accepted it.
    """

    def __init__(
        self,
        client: WireClient,
        connection: int,
        subscriptions: Sequence[str],
        *,
        began_s: float,
        settings: BrokerSettings,
    ) -> None:
        self.began_s = began_s
        self.is_ready = False
        self.is_probe_done = False
        self.is_version_refused = False
        self.failure: str | None = None
        self.version = 5 if client.protocol == MQTTProtocolVersion.MQTTv5 else 4
        self.backlog_bytes = 0
        self._client = client
        self._connection = connection
        self._subscriptions = subscriptions
        self._settings = settings
        self._maximum_bytes = MAX_MESSAGE_BYTES + _PACKET_OVERHEAD_BYTES
        self._unanswered: dict[int, int] = {}  # packet id -> size of the payload
        self._progress_s = began_s
        self._is_accepted = False
        self._events: list[LinkEvent] = []
        self._arrived_bytes = 0
        client.receive_limit_bytes = self._maximum_bytes
        client.set_window(settings.send_maximum)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect

    def open(self) -> None:
        """Connect and say hello; blocks up to the settings' connect_timeout_s, twice.

        Raises:
            OSError, ValueError: as the socket and TLS have them.
        """
        settings = self._settings
        if self.version != 5:
            self._client.connect(settings.host, settings.port, settings.keepalive_s)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho has no types here
        if self._subscriptions:
            properties.SessionExpiryInterval = 0
            properties.ReceiveMaximum = settings.receive_maximum
            properties.MaximumPacketSize = self._maximum_bytes
        self._client.connect(
            settings.host,
            settings.port,
            settings.keepalive_s,
            clean_start=True,
            properties=properties,
        )

    def exchange(self, timeout_s: float, now_s: float) -> None:
        """Move bytes until something happened or timeout_s passed."""
        self._arrived_bytes = 0
        self._run_loop(timeout_s)
        for _ in range(self._settings.receive_maximum):
            before = len(self._events)
            if self.failure is not None or before == 0:
                break
            if self._arrived_bytes > _MAX_ARRIVED_BYTES:
                break
            self._run_loop(0.0)
            if len(self._events) == before:
                break
        if self._client.keep_alive_while_moving() or self._events:
            self._progress_s = now_s

    def take_events(self) -> list[LinkEvent]:
        taken, self._events = self._events, []
        return taken

    def overdue(self, now_s: float) -> str | None:
        """Return what the broker should have answered by now, None if nothing."""
        if not self.is_ready:
            if now_s - self.began_s < self._settings.connect_timeout_s:
                return None
            return "no answer to the connection request"
        if not self._unanswered:
            self._progress_s = now_s
        if now_s - self._progress_s < self._settings.answer_timeout_s:
            return None
        return f"no acknowledgement of {len(self._unanswered)} messages"

    def publish(
        self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None
    ) -> int:
        size = len(topic) + len(payload) + _PACKET_OVERHEAD_BYTES
        if size > self._maximum_bytes:
            raise MessageError(
                f"{topic}: message of {len(payload)} bytes, "
                f"the broker takes {self._maximum_bytes - _PACKET_OVERHEAD_BYTES}"
            )
        if self.backlog_bytes + len(payload) > self._settings.backlog_bytes:
            raise LinkError(
                f"{topic}: not sent: {len(self._unanswered)} messages of "
                f"{self.backlog_bytes} bytes wait for the broker's acknowledgement"
            )
        properties = None
        if expiry_s is not None and self.version == 5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho has no types here
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(
            topic, payload, qos=QOS, retain=retain, properties=properties
        )
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"{topic}: not sent: {paho.error_string(info.rc)}")
        self._unanswered[info.mid] = len(payload)
        self.backlog_bytes += len(payload)
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
            for _ in range(_GOODBYE_ROUNDS):
                if not client.want_write() or self.failure is not None:
                    break
                self._run_loop(_GOODBYE_WAIT_S)
        client.drop()
        client.on_connect = client.on_subscribe = None
        client.on_message = client.on_publish = None

    def _run_loop(self, timeout_s: float) -> None:
        try:
            code = self._client.move(timeout_s)
        except Exception as error:  # noqa: BLE001  paho's decoder raises anything for hostile bytes
            self._fail(f"the broker sent what is no MQTT ({type(error).__name__})")
            return
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._fail(self._client.line_problem or paho.error_string(code))

    def _fail(self, reason: str) -> None:
        if self.failure is None:
            self.failure = reason

    def _on_connect(
        self,
        client: paho.Client,
        _data: Any,  # noqa: ANN401  paho hands over what the constructor was given
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.is_version_refused = reason.value == UNSUPPORTED_VERSION
            self._fail(f"connection refused: {explain_code(reason.value)}")
            return
        self._is_accepted = True
        if getattr(properties, "MaximumQoS", QOS) < QOS:
            self._fail(f"connection of no use: {explain_code(0x9B)}")
            return
        if not getattr(properties, "RetainAvailable", 1):
            self._fail(f"connection of no use: {explain_code(0x9A)}")
            return
        limit = getattr(properties, "MaximumPacketSize", self._maximum_bytes)
        self._maximum_bytes = min(self._maximum_bytes, limit)
        window = getattr(properties, "ReceiveMaximum", self._settings.send_maximum)
        self._client.set_window(min(self._settings.send_maximum, window))
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
        refused = [reason.value for reason in reasons if reason.value >= FAILURE]
        if refused or len(reasons) != len(self._subscriptions):
            code = refused[0] if refused else FAILURE
            self._fail(f"subscription refused: {explain_code(code)}")
            return
        if self.is_ready:
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
        self._arrived_bytes += len(message.payload)

    def _on_publish(
        self,
        _client: paho.Client,
        _data: Any,  # noqa: ANN401  as above
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.backlog_bytes -= self._unanswered.pop(mid, 0)
        token = self._connection * _MID_RANGE + mid
        if reason.value >= FAILURE:
            self._events.append(Refused(token, explain_code(reason.value)))
        else:
            heard = reason.value != NO_SUBSCRIBERS
            self._events.append(Published(token, heard))

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: Any,  # noqa: ANN401  as above
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._fail(f"the broker hung up: {explain_code(reason.value)}")
        else:
            problem = self._client.line_problem or str(reason)
            self._fail(f"connection lost: {problem}{self._hint(problem)}")

    def _hint(self, problem: str) -> str:
        """Return what a line that ended without a word may mean."""
        if self._is_accepted:
            # Mosquitto 2.0.11 sends no reason code to the client that it drops.
            return _NAME_HINT if problem == CLOSED else ""
        is_told = "certificate" in problem
        return "" if is_told or not self._settings.certfile else _CERTIFICATE_HINT
