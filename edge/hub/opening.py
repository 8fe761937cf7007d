"""From the bytes of an outbox message to content that a known booth has signed.

What is outside the seal routes and is believed by nobody: it must say the same as what
the booth signed inside. The info of the seal binds both, so that a sealed text moved to
another place does not even open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cbor2

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.sync.messages import Content, OutboxEnvelope, outbox_info
from edge.trust.cose import read_signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.trust.keys import SealingKey, VerifyingKey

MAX_SIGNED_BYTES = 8 * 1024 * 1024


class BoothKeys(Protocol):
    """The part of the registry that says who may speak."""

    def signing_key(self, booth_id: str, key_id: bytes) -> VerifyingKey:
        """Return the key of this id by which a booth may sign now.

        Raises:
            RefusalError: WRONG_SIGNER: the booth is unknown or revoked, or the key is
                not one of its keys.
        """
        ...

    def note_use(self, booth_id: str, key_id: bytes) -> None:
        """Note that a booth has signed by a key."""
        ...


@dataclass(frozen=True)
class Opened:
    """signed: the booth's signed object.

    digest: SHA-256 of the content map in it, as in the receipt; a booth that has a new
    key signs the same content again.
    """

    content: Content
    signed: bytes
    digest: bytes


class Opener:
    def __init__(
        self, sealing_keys: Mapping[bytes, SealingKey], booths: BoothKeys
    ) -> None:
        """sealing_keys: the hub's, old ones included, by key id."""
        self._sealing_keys = sealing_keys
        self._booths = booths

    def open(self, booth_id: str, payload: bytes) -> Opened:
        """Open a message that came on the topic of booth_id.

        Raises:
            RefusalError: of another booth than its topic says, by an unknown or revoked
                booth, by another key, or its inside and outside differ.
            MessageError: unreadable, or sealed to a key that this hub does not have.
        """
        envelope = OutboxEnvelope.decode(payload)
        if envelope.booth_id != booth_id:
            raise _wrong_signer(f"outbox message of {envelope.booth_id}", booth_id)
        signed_bytes = self._unsealed(envelope)
        signed = read_signed(signed_bytes, limit=MAX_SIGNED_BYTES)
        key = self._booths.signing_key(booth_id, signed.key_id)
        content = Content.decode(signed.verified(key))
        self._booths.note_use(booth_id, key.key_id)
        if _place(content) != _place(envelope):
            raise RefusalError(
                RefusalReason.MIXED,
                f"outbox message {envelope.sequence} of {booth_id}: its content is of "
                "another place",
            )
        return Opened(content, signed_bytes, hashlib.sha256(signed.payload).digest())

    def _unsealed(self, envelope: OutboxEnvelope) -> bytes:
        key = self._sealing_keys.get(envelope.key)
        if key is None:
            raise MessageError(
                f"outbox message {envelope.sequence} of {envelope.booth_id}: sealed to "
                f"key {envelope.key.hex()}, which this hub does not have"
            )
        info = outbox_info(*_place(envelope))
        return key.open(envelope.sealed, info=cbor2.dumps(info, canonical=True))


def _place(message: Content | OutboxEnvelope) -> tuple[str, str, int, str]:
    return message.booth_id, message.stream, message.sequence, message.message_id


def _wrong_signer(what: str, booth_id: str) -> RefusalError:
    return RefusalError(
        RefusalReason.WRONG_SIGNER, f"{what} on the topic of {booth_id}"
    )
