"""One bare connection to the broker: no will, no subscription, nothing published.

A broker that takes the client id from the certificate ends the running session of a
machine when a second one begins. With a certificate nothing but a knock will do.
"""

from __future__ import annotations

import secrets
import socket
import ssl
from contextlib import suppress
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
# A CONNECT of a version of MQTT that there is not, 127. MQTT 3.1.1, section 3.1.2.2:
# the server answers by a CONNACK, code 1, and closes; no session begins, none ends.
_KNOCK = b"\x10\x17\x00\x04MQTT\x7f\x02\x00\x3c\x00\x0bedge-doctor"
_CONNACK = 0x20
# How long a broker may take to refuse a certificate.
_REFUSAL_S = 0.3


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


def knock(
    settings: BrokerSettings, clock: Clock, timeout_s: float = CONNECT_TIMEOUT_S
) -> None:
    """See that a broker is there and takes this machine's certificate; begin nothing.

    Raises:
        ConfigurationError: a credential file cannot be used.
        LinkError: the broker is away, silent, or refuses this machine; names it.
    """
    context = tls_context(settings)
    where = f"broker {settings.host}:{settings.port}"
    deadline_s = clock.monotonic_s() + timeout_s
    try:
        address = (settings.host, settings.port)
        with socket.create_connection(address, timeout=timeout_s) as line:
            line.settimeout(max(0.1, deadline_s - clock.monotonic_s()))
            answer = _answer(line, context, settings.host)
    except ssl.SSLError as error:
        raise LinkError(f"{where}: {explain_tls(error)}") from None
    except TimeoutError:
        text = f"no answer within {timeout_s:g} s; is it a broker?"
        raise LinkError(f"{where}: {text}") from None
    except (OSError, ValueError) as error:
        text = f"cannot connect: {error}; is it running and reachable?"
        raise LinkError(f"{where}: {text}") from None
    if answer[:1] != bytes([_CONNACK]):
        raise LinkError(f"{where}: hung up without an answer; is it a broker?")


def _answer(line: socket.socket, context: ssl.SSLContext | None, host: str) -> bytes:
    if context is None:
        line.sendall(_KNOCK)
        return line.recv(1)
    with context.wrap_socket(line, server_hostname=host) as secured:
        # With TLS 1.3 a refused certificate shows only now, at the first reading; what
        # is sent into a line that the broker has closed may lose its last words.
        patience_s = secured.gettimeout()
        secured.settimeout(_REFUSAL_S)
        with suppress(TimeoutError):
            return secured.recv(1)
        secured.settimeout(patience_s)
        with suppress(OSError):
            secured.sendall(_KNOCK)
        return secured.recv(1)


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
