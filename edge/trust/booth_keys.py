"""The keys of a booth, as its key folder holds them.

    signing.key sealing.key   PEM; what the booth says, what is sealed to it
    tls.key tls.pem ca.pem    PEM; its line to the broker
    trust.cbor                the trust documents it has accepted
    request.cbor answer.cbor  the last enrolment that was completed

In the folder `pending`, keys and request of an enrolment that waits for its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, MessageError
from edge.trust.anchors import kept_anchors
from edge.trust.cose import read_signed
from edge.trust.enrolment import (
    ANSWER_LIMIT,
    REQUEST_LIMIT,
    EnrolmentAnswer,
    EnrolmentRequest,
)
from edge.trust.key_pem import read_sealing_key, read_signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from edge.trust.anchors import TrustAnchors
    from edge.trust.key_folder import KeyFolder
    from edge.trust.keys import SealingKey, SigningKey

SIGNING, SEALING = "signing.key", "sealing.key"
TLS_KEY, CERTIFICATE, AUTHORITY = "tls.key", "tls.pem", "ca.pem"
TRUST, REQUEST, ANSWER = "trust.cbor", "request.cbor", "answer.cbor"
SECRETS = (SIGNING, SEALING, TLS_KEY)


@dataclass(frozen=True)
class BoothKeys:
    """What an enrolled booth has; the paths are files for the TLS library.

    grant: the signed grant of the enrolment; newer ones come over the line.
    """

    booth_id: str
    signing: SigningKey
    sealing: SealingKey
    anchors: TrustAnchors
    grant: bytes
    broker_host: str
    broker_port: int
    tls_key: Path
    certificate: Path
    authority: Path


def load_booth_keys(folder: KeyFolder, booth_id: str) -> BoothKeys:
    """Read the keys of an enrolled booth.

    Raises:
        ConfigurationError: not enrolled, enrolled as another booth, files missing,
            damaged, open to others, or not of the same enrolment.
    """
    folder.open()
    if not folder.has(ANSWER):
        message = (
            f"{folder.path}: this booth is not enrolled: `edge provision request`, "
            "then `edge provision accept`"
        )
        raise ConfigurationError(message)
    signing = read_signing_key(folder.read(SIGNING), origin=str(folder.place(SIGNING)))
    sealing = read_sealing_key(folder.read(SEALING), origin=str(folder.place(SEALING)))
    try:
        request, answer = _enrolment(folder)
        anchors = kept_anchors(folder.read(TRUST))
    except MessageError as error:
        message = f"{folder.path}: damaged ({error}): enrol this booth again"
        raise ConfigurationError(message) from error
    _require_same(folder, booth_id, request, (signing, sealing))
    return BoothKeys(
        booth_id=booth_id,
        signing=signing,
        sealing=sealing,
        anchors=anchors,
        grant=answer.grant,
        broker_host=answer.broker_host,
        broker_port=answer.broker_port,
        tls_key=folder.place(TLS_KEY),
        certificate=folder.place(CERTIFICATE),
        authority=folder.place(AUTHORITY),
    )


def keep_anchors(folder: KeyFolder, anchors: TrustAnchors) -> None:
    """Store accepted trust documents, and the certificate authority that they name.

    Raises:
        ConfigurationError: they cannot be written.
    """
    folder.replace({TRUST: anchors.encode(), AUTHORITY: anchors.document.ca})


def _enrolment(folder: KeyFolder) -> tuple[EnrolmentRequest, EnrolmentAnswer]:
    request = read_signed(folder.read(REQUEST), limit=REQUEST_LIMIT)
    answer = read_signed(folder.read(ANSWER), limit=ANSWER_LIMIT)
    return (
        EnrolmentRequest.decode(request.payload),
        EnrolmentAnswer.decode(answer.payload),
    )


def _require_same(
    folder: KeyFolder,
    booth_id: str,
    request: EnrolmentRequest,
    keys: tuple[SigningKey, SealingKey],
) -> None:
    if request.booth_id != booth_id:
        message = (
            f"{folder.path}: these are the keys of booth {request.booth_id!r}, but "
            f"booth_id = {booth_id!r} in the configuration"
        )
        raise ConfigurationError(message)
    signing, sealing = keys
    is_enrolled = {
        SIGNING: signing.public.raw == request.signing,
        SEALING: sealing.public.raw == request.sealing,
    }
    for name, is_it in is_enrolled.items():
        if not is_it:
            message = (
                f"{folder.place(name)}: not the key of the last enrolment; if keys "
                "are systemd credentials, seal them anew: `edge provision seal`"
            )
            raise ConfigurationError(message)
