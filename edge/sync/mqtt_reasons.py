"""What a refusal of MQTT or TLS means, in words that say what to do.

Codes: MQTT 5.0 (OASIS, 2019), section 2.4. A broker of MQTT 3.1.1 has a few codes for
the connection only; paho translates them into these.
"""

from __future__ import annotations

import ssl

NO_SUBSCRIBERS = 0x10
FAILURE = 0x80
UNSUPPORTED_VERSION = 0x84
NOT_AUTHORISED = 0x87
TAKEN_OVER = 0x8E
QUOTA_EXCEEDED = 0x97

_ANY = {
    0x80: "the broker gave no reason",
    0x81: "the broker could not read a packet of ours (malformed)",
    0x82: "the broker says that we broke the protocol",
    0x83: "the broker refuses this for reasons of its own",
    0x84: "the broker does not speak this version of MQTT (unsupported version)",
    0x85: "the broker refuses the client id; it must be the name in the certificate",
    0x86: "bad user name or password",
    0x87: "not authorized: the broker's access list or its list of clients forbids it",
    0x88: "the broker is unavailable",
    0x89: "the broker is busy",
    0x8A: "the broker has banned this client",
    0x8B: "the broker is shutting down",
    0x8C: "the broker knows no such way of authentication",
    0x8D: "the broker heard nothing from us for too long (keep-alive)",
    0x8E: "session taken over: another client came with the same name; is this "
    "machine's key used elsewhere, or the program started twice?",
    0x8F: "the broker refuses the topic filter",
    0x90: "the broker refuses the topic name",
    0x91: "the packet id is in use",
    0x92: "the packet id is unknown to the broker",
    0x93: "more messages in flight than the broker allows (receive maximum)",
    0x94: "the topic alias is not valid",
    0x95: "packet too large: the broker's max_packet_size is smaller than the message",
    0x96: "the broker finds our rate of messages too high",
    0x97: "quota exceeded: the broker's queue or this client's share of it is full",
    0x98: "an administrator ended the connection",
    0x99: "the broker refuses the format of the payload",
    0x9A: "the broker keeps no retained messages; the appliance needs them",
    0x9B: "the broker does not offer QoS 1; the appliance needs it",
    0x9C: "use another server, the broker says; change broker.host",
    0x9D: "the broker has moved for good; change broker.host",
    0x9E: "the broker offers no shared subscriptions",
    0x9F: "the broker limits how often one may connect",
    0xA0: "the broker limits how long one may stay connected",
    0xA1: "the broker offers no subscription identifiers",
    0xA2: "the broker offers no subscriptions with wildcards",
}

_REFUSED = "the broker refused this machine's certificate"
# By what OpenSSL's name of an alert contains; its prefix varies with the version.
_ALERTS = {
    "CERTIFICATE_REQUIRED": "the broker asks for a certificate of this machine and got "
    "none; set broker.certificate_file and broker.key_file",
    "CERTIFICATE_REVOKED": f"{_REFUSED}: it is revoked",
    "CERTIFICATE_EXPIRED": f"{_REFUSED}: it is expired or not yet valid; renew it, and "
    "compare the clocks of the two machines",
    "UNKNOWN_CA": f"{_REFUSED}: it is of a certificate authority that the broker does "
    "not know",
    "BAD_CERTIFICATE": f"{_REFUSED}; is it revoked or expired?",
    "CERTIFICATE_UNKNOWN": f"{_REFUSED}; is it revoked or expired?",
    "PROTOCOL_VERSION": "the broker does not speak TLS 1.3",
    "UNSUPPORTED_PROTOCOL": "the broker does not speak TLS 1.3",
    "WRONG_VERSION_NUMBER": "no TLS at the broker's port; is it the plain one?",
    "RECORD_LAYER_FAILURE": "no TLS at the broker's port; is it the plain one?",
}
# X509_V_ERR_... of OpenSSL.
_NOT_YET_VALID, _EXPIRED, _REVOKED = 9, 10, 23
_OTHER_NAME, _OTHER_ADDRESS = 62, 64


def explain_code(code: int) -> str:
    """Return what a reason code of a failure means; the code stands in the text."""
    words = _ANY.get(code, "the broker gave a reason that no version of MQTT 5 has")
    return f"{words} (0x{code:02X})"


def explain_tls(error: ssl.SSLError) -> str:
    """Return what went wrong between the two ends' certificates."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_broker_certificate(error)
    reason = error.reason or ""
    for part, words in _ALERTS.items():
        if part in reason:
            return words
    return f"TLS failed: {reason or error}"


def _explain_broker_certificate(error: ssl.SSLCertVerificationError) -> str:
    text = f"the broker's certificate is not trusted: {error.verify_message}"
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
        return f"{text}; is this machine's clock right?"
    if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        return f"{text}; broker.host must be a name that stands in it"
    if error.verify_code == _REVOKED:
        return text
    return f"{text}; is broker.ca_file the one of this broker?"
