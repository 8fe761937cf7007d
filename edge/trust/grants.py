"""Grants: the content keys of the epochs, for one booth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import cbor2
from pydantic import Field

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.records.message_map import BoothId, Instant, MapPart, MessageMap, Sequence
from edge.trust.cose import OVERHEAD_BYTES, read_signed, sign
from edge.trust.keys import KEY_BYTES, ContentKey, SealingKey, SealingPublicKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Many
    from datetime import datetime

    from edge.trust.keys import SigningKey, VerifyingKey

MAX_EPOCHS = 16
GRANT_LIMIT = 4096


class Grant(MessageMap):
    """serial: only rises, so that an older grant is not taken for a newer one."""

    type_name = "grant"
    booth_id: BoothId
    serial: Sequence
    issued_at: Instant
    sealed: Annotated[bytes, Field(max_length=GRANT_LIMIT)]


class EpochKey(MapPart):
    epoch: Sequence
    secret: Annotated[bytes, Field(min_length=KEY_BYTES, max_length=KEY_BYTES)]


class Epochs(MessageMap):
    """What is sealed in a grant; the newest last."""

    type_name = "epochs"
    epochs: Annotated[list[EpochKey], Field(min_length=1, max_length=MAX_EPOCHS)]


def make_grant(
    booth_id: str,
    reader: SealingPublicKey,
    keys: Many[ContentKey],
    *,
    serial: int,
    issued_at: datetime,
    key: SigningKey,
) -> bytes:
    """Return the signed grant of the newest keys."""
    chosen = sorted(keys, key=lambda item: item.epoch)[-MAX_EPOCHS:]
    epochs = Epochs(epochs=[EpochKey(epoch=k.epoch, secret=k.secret) for k in chosen])
    sealed = reader.seal(epochs.encode(), info=_info(booth_id, serial))
    grant = Grant(booth_id=booth_id, serial=serial, issued_at=issued_at, sealed=sealed)
    return sign(grant.encode(), key)


def read_grant(
    data: bytes,
    booth_id: str,
    keys: Mapping[bytes, VerifyingKey],
    *,
    known_serial: int = 0,
) -> Grant:
    """Return the grant if one of the operations keys has signed it for this booth.

    known_serial: of the newest grant that the booth has; it may come again.

    Raises:
        RefusalError: WRONG_SIGNER, WRONG_READER; ROLLBACK: an older grant.
        MessageError: no grant.
    """
    item = read_signed(data, limit=2 * GRANT_LIMIT + OVERHEAD_BYTES)
    key = keys.get(item.key_id)
    if key is None:
        raise RefusalError(
            RefusalReason.WRONG_SIGNER,
            f"grant: signed by {item.key_id.hex()}, who may not give one",
        )
    grant = Grant.decode(item.verified(key))
    if grant.booth_id != booth_id:
        raise RefusalError(
            RefusalReason.WRONG_READER, f"grant for booth {grant.booth_id!r}"
        )
    if grant.serial < known_serial:
        raise RefusalError(
            RefusalReason.ROLLBACK,
            f"grant {grant.serial}, this booth has grant {known_serial}",
        )
    return grant


def open_grant(grant: Grant, key: SealingKey) -> dict[int, ContentKey]:
    """Return the content keys by epoch.

    Raises:
        MessageError: not sealed to this key, or changed.
    """
    info = _info(grant.booth_id, grant.serial)
    epochs = Epochs.decode(key.open(grant.sealed, info=info))
    found = {item.epoch: ContentKey(item.epoch, item.secret) for item in epochs.epochs}
    if len(found) != len(epochs.epochs):
        message = "grant: an epoch is there twice"
        raise MessageError(message)
    return found


def seal_epoch(content: ContentKey, reader: SealingPublicKey) -> bytes:
    """Return the key of an epoch as the hub stores it: sealed to the hub itself."""
    return reader.seal(content.secret, info=_epoch_info(content.epoch))


def open_epoch(epoch: int, sealed: bytes, key: SealingKey) -> ContentKey:
    """Undo seal_epoch.

    Raises:
        MessageError: not sealed to this key, or of another epoch.
    """
    return ContentKey(epoch, key.open(sealed, info=_epoch_info(epoch)))


def _info(booth_id: str, serial: int) -> bytes:
    return cbor2.dumps(["edge-grant", booth_id, serial], canonical=True)


def _epoch_info(epoch: int) -> bytes:
    return cbor2.dumps(["edge-epoch", epoch], canonical=True)
