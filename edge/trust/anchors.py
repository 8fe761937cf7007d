"""The trust document: which keys may say what, signed by the root keys.

After The Update Framework (TUF): root keys are kept away from the network and sign
nothing but this document, so that every working key can be replaced without a visit. A
successor is believed if enough roots of the document before it and enough of its own
have signed it; none can be skipped.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import cbor2
from pydantic import Field

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.records.message_map import Instant, MessageMap, PublicKey, Sequence
from edge.trust.cose import read_signed_by_many, sign_by_many
from edge.trust.keys import SealingPublicKey, VerifyingKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Sequence as Many
    from datetime import datetime

    from edge.trust.cose import ManySigned
    from edge.trust.keys import SigningKey

MAX_KEYS = 8
MAX_DOCUMENTS = 32
DOCUMENT_LIMIT = 16_384
CHAIN_LIMIT = MAX_DOCUMENTS * (DOCUMENT_LIMIT + 16)
Keys = Annotated[list[PublicKey], Field(min_length=1, max_length=MAX_KEYS)]


class TrustDocument(MessageMap):
    """sealing: the first is the one to seal to. ca: certificate authority, PEM."""

    type_name = "trust"
    log: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    version: Sequence
    issued_at: Instant
    expires_at: Instant
    threshold: Annotated[int, Field(ge=1, le=MAX_KEYS)]
    roots: Keys
    watchlist: Keys
    operations: Keys
    sealing: Keys
    ca: Annotated[bytes, Field(max_length=8192)]


@dataclass(frozen=True)
class TrustAnchors:
    """An accepted trust document, and the signed objects that led to it.

    documents: the last of them, oldest first. *_keys: by key id.
    """

    document: TrustDocument
    documents: tuple[bytes, ...]
    watchlist_keys: Mapping[bytes, VerifyingKey]
    operations_keys: Mapping[bytes, VerifyingKey]
    sealing_key: SealingPublicKey

    @property
    def log(self) -> str:
        return self.document.log

    @property
    def version(self) -> int:
        return self.document.version

    @property
    def expires_at(self) -> datetime:
        return self.document.expires_at

    @property
    def fingerprint(self) -> str:
        return root_fingerprint(self.document.roots)

    def encode(self) -> bytes:
        """Return the array that travels and is stored; decode_chain reads it."""
        return encode_chain(self.documents)


def root_fingerprint(roots: Collection[bytes]) -> str:
    """Return SHA-256 over the sorted root keys, as groups of four hex digits."""
    digest = hashlib.sha256(b"".join(sorted(roots))).hexdigest()
    return "-".join(digest[i : i + 4] for i in range(0, len(digest), 4))


def sign_document(document: TrustDocument, roots: Many[SigningKey]) -> bytes:
    """Return the document signed by root keys: of its predecessor and its own."""
    return sign_by_many(document.encode(), roots)


def encode_chain(documents: Many[bytes]) -> bytes:
    return cbor2.dumps(list(documents[-MAX_DOCUMENTS:]), canonical=True)


def decode_chain(data: bytes) -> list[bytes]:
    """Return the signed documents of an array.

    Raises:
        MessageError: too long, or no array of byte strings.
    """
    if len(data) > CHAIN_LIMIT:
        message = f"trust documents: {len(data)} bytes, {CHAIN_LIMIT} allowed"
        raise MessageError(message)
    try:
        value = cbor2.loads(data, max_depth=2, allow_indefinite=False)
    except Exception as error:  # noqa: BLE001  the decoder's tag handlers raise anything
        message = f"trust documents: no CBOR ({type(error).__name__})"
        raise MessageError(message) from None
    is_array = isinstance(value, list) and all(type(item) is bytes for item in value)
    if not is_array or not 1 <= len(value) <= MAX_DOCUMENTS:
        message = f"trust documents: an array of 1 to {MAX_DOCUMENTS} expected"
        raise MessageError(message)
    return list(value)


def first_anchors(data: bytes, *, fingerprint: str, now: datetime) -> TrustAnchors:
    """Return the anchors of an array of documents, the first time.

    fingerprint: of the roots of one of the documents, as a person has read it from the
    hub; hyphens, spaces and case do not matter. What stands before it counts for
    nothing.

    Raises:
        RefusalError: WRONG_SIGNER: other roots, or not signed by them; and as
            later_anchors.
        MessageError: no trust documents.
    """
    documents = decode_chain(data)
    start, first = _pinned(documents, fingerprint)
    document = TrustDocument.decode(first.payload)
    _require_signatures(first, document, document)
    anchors = _anchors(document, (documents[start],))
    return _following(anchors, documents[start + 1 :], now)


def later_anchors(anchors: TrustAnchors, data: bytes, *, now: datetime) -> TrustAnchors:
    """Return the anchors after the successors in an array; the same if there is none.

    Raises:
        RefusalError: GAP: a version is missing; WRONG_SIGNER: too few roots, before or
            after, have signed; EXPIRED: the last document is over; ROLLBACK: all
            documents are older than what is held.
        MessageError: no trust documents.
    """
    return _following(anchors, decode_chain(data), now)


def kept_anchors(data: bytes) -> TrustAnchors:
    """Return the anchors that this machine has accepted and stored before.

    Raises:
        MessageError: the stored documents are damaged.
    """
    documents = decode_chain(data)
    last = read_signed_by_many(documents[-1], limit=DOCUMENT_LIMIT)
    document = TrustDocument.decode(last.payload)
    _require_signatures(last, document, document)
    return _anchors(document, tuple(documents))


def _pinned(documents: Many[bytes], fingerprint: str) -> tuple[int, ManySigned]:
    """Return the newest document with roots of this fingerprint, and its place."""
    shown = ""
    for index in reversed(range(len(documents))):
        item = read_signed_by_many(documents[index], limit=DOCUMENT_LIMIT)
        found = root_fingerprint(TrustDocument.decode(item.payload).roots)
        if _plain(found) == _plain(fingerprint):
            return index, item
        shown = shown or found
    raise RefusalError(
        RefusalReason.WRONG_SIGNER,
        f"trust document: its roots have the fingerprint {shown}, not the one that was "
        "given",
    )


def _following(
    anchors: TrustAnchors, documents: Many[bytes], now: datetime
) -> TrustAnchors:
    newest = 0
    for data in documents:
        item = read_signed_by_many(data, limit=DOCUMENT_LIMIT)
        document = TrustDocument.decode(item.payload)
        newest = max(newest, document.version)
        if document.version <= anchors.version:
            continue
        if document.version > anchors.version + 1:
            raise RefusalError(
                RefusalReason.GAP,
                f"trust document {document.version} follows {anchors.version}",
            )
        _require_signatures(item, anchors.document, document)
        anchors = _anchors(document, (*anchors.documents, data)[-MAX_DOCUMENTS:])
    if documents and newest < anchors.version:
        raise RefusalError(
            RefusalReason.ROLLBACK,
            f"trust document {newest}, this machine knows {anchors.version}",
        )
    if anchors.expires_at <= now:
        raise RefusalError(
            RefusalReason.EXPIRED,
            f"trust document {anchors.version} was valid until {anchors.expires_at}",
        )
    return anchors


def _require_signatures(
    item: ManySigned, before: TrustDocument, document: TrustDocument
) -> None:
    for which in (before, document):
        keys = [VerifyingKey(raw) for raw in which.roots]
        if len(item.signers(keys)) < which.threshold:
            raise RefusalError(
                RefusalReason.WRONG_SIGNER,
                f"trust document {document.version}: not signed by "
                f"{which.threshold} roots of version {which.version}",
            )


def _anchors(document: TrustDocument, documents: tuple[bytes, ...]) -> TrustAnchors:
    return TrustAnchors(
        document=document,
        documents=documents,
        watchlist_keys=_by_id(document.watchlist),
        operations_keys=_by_id(document.operations),
        sealing_key=SealingPublicKey(document.sealing[0]),
    )


def _by_id(keys: Many[bytes]) -> dict[bytes, VerifyingKey]:
    found = [VerifyingKey(raw) for raw in keys]
    return {key.key_id: key for key in found}


def _plain(fingerprint: str) -> str:
    return "".join(c for c in fingerprint.lower() if c.isalnum())
