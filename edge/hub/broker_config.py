"""The configuration of a Mosquitto broker for the booths and the hub.

Everybody shows a certificate of the appliance's own authority; its common name is the
user name and the client id, so that nobody speaks for another or takes another's
session. A booth writes and reads only below its own name and reads what the hub says to
all. Checked against Mosquitto 2.0.11; tests/edge/hub/test_access_list.py runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.records.message_map import HUB_NAME, MAX_MESSAGE_BYTES
from edge.sync.topics import ROOT

SETTINGS_NAME = "mosquitto.conf"
ACCESS_NAME = "acl"
CA_NAME, REVOKED_NAME = "ca.pem", "crl.pem"
CERTIFICATE_NAME, KEY_NAME = "broker.pem", "broker.key"
# Topic, properties and framing around the largest message.
_MAX_PACKET_BYTES = MAX_MESSAGE_BYTES + 65_536


@dataclass(frozen=True)
class BrokerPlan:
    """folder: where the files will lie on the broker's machine; absolute.

    address: to listen on; None for all. persistence_folder: where the broker keeps what
    is retained, None to keep nothing: the hub retains everything anew when it connects,
    but until then booths would miss it. The PEM texts are written as they are.
    """

    folder: str
    ca: str
    revoked: str
    certificate: str
    key: str
    port: int = 8883
    address: str | None = None
    persistence_folder: str | None = None
    max_packet_bytes: int = _MAX_PACKET_BYTES


def broker_config(plan: BrokerPlan) -> dict[str, str]:
    """Return the text of each file by name; those named *.key are secret."""
    return {
        SETTINGS_NAME: _settings(plan),
        ACCESS_NAME: access_list(),
        CA_NAME: plan.ca,
        REVOKED_NAME: plan.revoked,
        CERTIFICATE_NAME: plan.certificate,
        KEY_NAME: plan.key,
    }


def access_list() -> str:
    """Return who may write and read which topics; %u is the user name."""
    return f"""\
# A booth: its own topics, and what the hub says to all.
pattern write {ROOT}/%u/up/#
pattern write {ROOT}/%u/state
pattern read {ROOT}/%u/down/#
pattern read {ROOT}/{HUB_NAME}/#

user {HUB_NAME}
topic read {ROOT}/+/up/#
topic read {ROOT}/+/state
topic write {ROOT}/+/down/#
topic readwrite {ROOT}/{HUB_NAME}/#
"""


def _settings(plan: BrokerPlan) -> str:
    folder = plan.folder.rstrip("/")
    listener = f"{plan.port} {plan.address}" if plan.address else str(plan.port)
    return f"""\
# Made by `edge hub broker-config`. After a revocation: make it anew, then reload the
# broker (SIGHUP) for new connections, or restart it to end those that stand.
per_listener_settings false
listener {listener}

# TLS 1.3 on both sides; the certificate's common name is user name and client id.
tls_version tlsv1.3
cafile {folder}/{CA_NAME}
crlfile {folder}/{REVOKED_NAME}
certfile {folder}/{CERTIFICATE_NAME}
keyfile {folder}/{KEY_NAME}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
allow_zero_length_clientid false
acl_file {folder}/{ACCESS_NAME}

# Bounds. What is dropped here is asked for or sent again by booth and hub.
max_packet_size {plan.max_packet_bytes}
max_inflight_messages 256
max_queued_messages 10000
max_queued_bytes 268435456
max_keepalive 3600
persistent_client_expiration 1d
set_tcp_nodelay true

{_persistence(plan.persistence_folder)}
log_dest stderr
log_type error
log_type warning
log_type notice
"""


def _persistence(folder: str | None) -> str:
    if folder is None:
        return "persistence false"
    return f"""\
# Only a help: nothing that must not be lost depends on the broker's disk.
persistence true
persistence_location {folder.rstrip("/")}/
autosave_interval 60"""
