"""How a booth comes to the hub: a request out, an answer in; bytes, by any way.

The request is signed by the booth's new key. The first time, a person vouches for it by
carrying it to the hub. Later the old key vouches for the new ones: the request then
holds, as `previous`, the same request without that field signed by the old key.

The booth believes the answer because the trust documents in it lead from the roots
whose fingerprint a person has given it (or from the documents it holds already) to the
key that has signed the answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.records.message_map import (
    BoothId,
    Digest,
    Instant,
    MessageMap,
    PublicKey,
)
from edge.trust.anchors import CHAIN_LIMIT, first_anchors, later_anchors
from edge.trust.certificate_checks import MAX_REQUEST_BYTES, read_request
from edge.trust.cose import OVERHEAD_BYTES, read_signed, sign
from edge.trust.grants import GRANT_LIMIT
from edge.trust.keys import VerifyingKey

if TYPE_CHECKING:
    from datetime import datetime

    from edge.trust.anchors import TrustAnchors
    from edge.trust.keys import SealingKey, SigningKey

TEXT_PREFIX = "EDGE1:"
REQUEST_LIFETIME = timedelta(days=30)
CLOCK_TOLERANCE = timedelta(days=1)
_INNER_LIMIT = MAX_REQUEST_BYTES + 1024
REQUEST_LIMIT = 2 * _INNER_LIMIT + 2 * OVERHEAD_BYTES
CERTIFICATE_LIMIT = 8192
ANSWER_LIMIT = CHAIN_LIMIT + CERTIFICATE_LIMIT + 2 * GRANT_LIMIT + 4096


class EnrolmentRequest(MessageMap):
    """signing, sealing: the booth's new public keys. csr: PKCS #10, DER."""

    type_name = "enrolment-request"
    booth_id: BoothId
    signing: PublicKey
    sealing: PublicKey
    csr: Annotated[bytes, Field(max_length=MAX_REQUEST_BYTES)]
    created_at: Instant
    nonce: Annotated[bytes, Field(min_length=16, max_length=16)]
    previous: Annotated[bytes, Field(max_length=_INNER_LIMIT + 256)] | None


class EnrolmentAnswer(MessageMap):
    """trust: array of trust documents. certificate: PEM. grant: the signed grant."""

    type_name = "enrolment-answer"
    booth_id: BoothId
    request_digest: Digest
    trust: Annotated[bytes, Field(max_length=CHAIN_LIMIT)]
    certificate: Annotated[bytes, Field(max_length=CERTIFICATE_LIMIT)]
    broker_host: Annotated[str, Field(min_length=1, max_length=255)]
    broker_port: Annotated[int, Field(ge=1, le=65535)]
    grant: Annotated[bytes, Field(max_length=2 * GRANT_LIMIT + 256)]


def make_request(
    booth_id: str,
    *,
    signing: SigningKey,
    sealing: SealingKey,
    csr: bytes,
    now: datetime,
    previous: SigningKey | None = None,
) -> bytes:
    """Return the signed request; previous: the key that the hub knows the booth by."""
    request = EnrolmentRequest(
        booth_id=booth_id,
        signing=signing.public.raw,
        sealing=sealing.public.raw,
        csr=csr,
        created_at=now,
        nonce=secrets.token_bytes(16),
        previous=None,
    )
    if previous is not None:
        vouched = sign(request.encode(), previous)
        request = request.model_copy(update={"previous": vouched})
    return sign(request.encode(), signing)


def open_request(data: bytes, *, now: datetime) -> EnrolmentRequest:
    """Return a request that is whole and by its own keys; not yet vouched for.

    Raises:
        RefusalError: EXPIRED, FUTURE: by its date.
        MessageError: no request, or not signed by the key in it.
    """
    item = read_signed(data, limit=REQUEST_LIMIT)
    request = EnrolmentRequest.decode(item.payload, limit=REQUEST_LIMIT)
    item.verified(VerifyingKey(request.signing))
    read_request(request.csr, request.booth_id)
    made = f"enrolment request of {request.booth_id} made {request.created_at:%F %R}"
    if request.created_at > now + CLOCK_TOLERANCE:
        raise RefusalError(
            RefusalReason.FUTURE, f"{made}, which is to come: check both clocks"
        )
    if request.created_at < now - REQUEST_LIFETIME:
        raise RefusalError(
            RefusalReason.EXPIRED,
            f"{made}, more than {REQUEST_LIFETIME.days} days ago: make it anew",
        )
    return request


def require_vouched(request: EnrolmentRequest, key: VerifyingKey) -> None:
    """Check that the booth's key so far vouches for the new ones.

    Raises:
        RefusalError: WRONG_SIGNER: it does not.
    """
    refusal = RefusalError(
        RefusalReason.WRONG_SIGNER,
        f"booth {request.booth_id} is admitted with other keys, and they do not vouch "
        "for these: revoke it first, or use `edge provision renew` at the booth",
    )
    if request.previous is None:
        raise refusal
    try:
        item = read_signed(request.previous, limit=_INNER_LIMIT + OVERHEAD_BYTES)
        vouched = item.verified(key)
    except MessageError:
        raise refusal from None
    if vouched != request.model_copy(update={"previous": None}).encode():
        raise refusal


def open_answer(
    data: bytes,
    request: bytes,
    *,
    now: datetime,
    fingerprint: str | None = None,
    anchors: TrustAnchors | None = None,
) -> tuple[EnrolmentAnswer, TrustAnchors]:
    """Return the hub's answer to a request, and the trust that it brings.

    fingerprint: of the roots, for the first time; anchors: what is trusted already.

    Raises:
        RefusalError: WRONG_SIGNER: not by the hub that is trusted; WRONG_READER: the
            answer to another booth or another request; and as first_anchors and
            later_anchors.
        MessageError: no answer.
    """
    item = read_signed(data, limit=ANSWER_LIMIT)
    answer = EnrolmentAnswer.decode(item.payload, limit=ANSWER_LIMIT)
    if anchors is not None:
        trusted = later_anchors(anchors, answer.trust, now=now)
    elif fingerprint is not None:
        trusted = first_anchors(answer.trust, fingerprint=fingerprint, now=now)
    else:
        message = "enrolment answer: the fingerprint of the hub's roots is needed"
        raise RefusalError(RefusalReason.WRONG_SIGNER, message)
    key = trusted.operations_keys.get(item.key_id)
    if key is None:
        raise RefusalError(
            RefusalReason.WRONG_SIGNER,
            f"enrolment answer: signed by {item.key_id.hex()}, who may not give one",
        )
    item.verified(key)
    asked = EnrolmentRequest.decode(read_signed(request, limit=REQUEST_LIMIT).payload)
    is_ours = answer.request_digest == request_digest(request)
    if answer.booth_id != asked.booth_id or not is_ours:
        raise RefusalError(
            RefusalReason.WRONG_READER,
            f"enrolment answer: for booth {answer.booth_id!r}, and not to the last "
            "request of this machine",
        )
    return answer, trusted


def request_digest(request: bytes) -> bytes:
    return hashlib.sha256(request).digest()


def to_text(data: bytes) -> str:
    """Return data as text that a QR code or a mail carries."""
    return TEXT_PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_text(data: bytes) -> bytes:
    """Return what to_text has wrapped; what is no such text is returned as it is.

    White space does not matter: a mail may have broken the text into lines.

    Raises:
        MessageError: it begins like such a text and is damaged.
    """
    if not data.lstrip().startswith(TEXT_PREFIX.encode()):
        return data
    body = b"".join(data.split()).removeprefix(TEXT_PREFIX.encode())
    try:
        return base64.b64decode(body + b"=" * (-len(body) % 4), b"-_", validate=True)
    except binascii.Error:
        message = f"text that begins with {TEXT_PREFIX}: damaged; copy it again, whole"
        raise MessageError(message) from None
