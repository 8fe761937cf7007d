"""One bare connection to the broker: no will, no subscription, nothing published."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.errors import LinkError
from edge.sync.credentials import read_password, tls_context
from edge.sync.mqtt_reasons import explain_tls
from edge.sync.mqtt_session import MqttSession, make_paho_client
from edge.sync.reconnecting import ProtocolChoice

if TYPE_CHECKING:
    from edge.clock import Clock
    from edge.sync.settings import BrokerSettings

CONNECT_TIMEOUT_S = 4.0
_NAMES = {4: "3.1.1", 5: "5"}


def negotiate_protocol(
    settings: BrokerSettings, clock: Clock, timeout_s: float = CONNECT_TIMEOUT_S
) -> str:
    """Connect, hang up, and return the MQTT version, "5" or "3.1.1".

    Raises:
        ConfigurationError: a credential file cannot be used.
        LinkError: the broker is away, silent, or refuses this machine; names it.
    """
    settings = replace(settings, connect_timeout_s=timeout_s)
    choice = ProtocolChoice(settings.protocol)
    while True:
        now_s = clock.monotonic_s()
        version = choice.version(now_s)
        session = _try_version(settings, version, clock)
        if session.is_probe_done:
            return _NAMES[version]
        if not (session.is_version_refused and choice.refused(version, now_s)):
            where = f"broker {settings.host}:{settings.port}"
            raise LinkError(f"{where}: {session.failure or 'no answer'}")


def _try_version(settings: BrokerSettings, version: int, clock: Clock) -> MqttSession:
    """Return the session as it ended: accepted, or with its failure."""
    client = make_paho_client(
        settings,
        # A name of its own: a broker cuts the older of two clients of one name.
        client_id=f"edge-doctor-{secrets.token_hex(4)}",
        version=version,
        will=None,
        tls=tls_context(settings),
        password=read_password(settings),
    )
    began_s = clock.monotonic_s()
    timeout_s = settings.connect_timeout_s
    session = MqttSession(client, 1, (), began_s=began_s, settings=settings)
    try:
        session.open()
        while not session.is_probe_done and session.failure is None:
            now_s = clock.monotonic_s()
            if session.overdue(now_s):
                session.failure = f"no answer within {timeout_s:g} s; is it a broker?"
            else:
                session.exchange(0.1, now_s)
    except ssl.SSLError as error:
        session.failure = explain_tls(error)
    except (OSError, ValueError) as error:
        # ValueError: paho lets certificate and host name problems out as such.
        session.failure = f"cannot connect: {error}; is it running and reachable?"
    finally:
        session.close()
    return session
