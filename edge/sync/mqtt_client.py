"""The link over MQTT: connects, negotiates the version, comes back after a loss.

No thread: the network loop runs inside poll, so that everything happens in the caller's
thread. Every connection is a new paho client with a clean session, so that nothing that
paho or the broker had queued is ever sent twice behind our back; the outbox is the
queue. Every connection also reads the certificates anew: a renewed one is used without
a restart, and half of a renewal is a failed attempt among others.
"""

from __future__ import annotations

import ssl
import time
from random import Random
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, LinkError
from edge.logs import safe_label
from edge.sync.credentials import read_password, tls_context
from edge.sync.link import Disconnected
from edge.sync.mqtt_reasons import explain_tls
from edge.sync.mqtt_session import MqttSession, make_paho_client
from edge.sync.reconnecting import Backoff, ProtocolChoice
from edge.sync.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.clock import Clock
    from edge.sync.link import Arrived, LinkEvent, Will

__all__ = ["BrokerSettings", "MqttClient"]

# A connection that lasted less counts as failed: two clients of one name, or a message
# that breaks the line, must not make the attempts follow each other without a pause.
STABLE_S = 10.0


class MqttClient:
    """A Link to a broker. See edge.sync.link.Link for the contract of the methods.

    An attempt to connect holds up poll beyond its timeout: until the broker's machine
    and its TLS have answered, each at most connect_timeout_s.

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
        tls_context(settings)
        read_password(settings)
        self._choice = ProtocolChoice(settings.protocol)
        self._backoff = Backoff(
            first_s=settings.backoff_first_s,
            limit_s=settings.backoff_limit_s,
            random=random if random is not None else Random(),  # noqa: S311  jitter only
        )
        self._connection = 0
        self._next_attempt_s = 0.0
        self._session: MqttSession | None = None

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

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> int:
        if self._session is None or not self._session.is_ready:
            raise LinkError(f"{self._broker}: not connected")
        return self._session.publish(topic, payload, retain=retain, expiry_s=expiry_s)

    @property
    def backlog_bytes(self) -> int:
        return self._session.backlog_bytes if self._session is not None else 0

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
        try:
            session = self._new_session(now_s)
        except ConfigurationError as error:
            self._lost(str(error), events)
            return
        try:
            session.open()
        except (OSError, ValueError) as error:
            # ValueError: paho lets certificate and host name problems out as such.
            session.close()
            self._lost(_connect_problem(error), events)
        else:
            self._session = session

    def _new_session(self, now_s: float) -> MqttSession:
        is_probe = self._choice.is_probe(now_s)
        client = make_paho_client(
            self._settings,
            client_id=self._client_id,
            version=self._choice.version(now_s),
            will=None if is_probe else self._will,
            tls=tls_context(self._settings),
            password=read_password(self._settings),
        )
        return MqttSession(
            client,
            self._connection,
            () if is_probe else self._subscriptions,
            began_s=now_s,
            settings=self._settings,
        )

    def _exchange(self, timeout_s: float, events: list[LinkEvent]) -> None:
        session = self._session
        assert session is not None  # noqa: S101  the caller has looked
        session.exchange(timeout_s, self._clock.monotonic_s())
        events += session.take_events()
        now_s = self._clock.monotonic_s()
        failure = session.failure or session.overdue(now_s)
        if failure is not None:
            session.failure = failure
            self._end(session, failure, now_s, events)
        elif session.is_probe_done:
            self._choice.accepted(session.version)
            session.close()
            self._session = None

    def _end(
        self, session: MqttSession, reason: str, now_s: float, events: list[LinkEvent]
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


def _connect_problem(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return explain_tls(error)
    return f"cannot connect: {error}"
