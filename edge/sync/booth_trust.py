"""Whom a booth believes, and what it can read: trust documents and grants as they come.

What is accepted is stored before it is used, so that no restart falls back to older
keys.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import cbor2

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.records.message_map import MAX_MESSAGE_BYTES, MessageMap
from edge.trust.anchors import kept_anchors, later_anchors
from edge.trust.cose import read_signed
from edge.trust.grants import Grant, open_grant, read_grant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.trust.anchors import TrustAnchors
    from edge.trust.booth_keys import BoothKeys

TRUST, GRANT = "trust", "grant"
M = TypeVar("M", bound=MessageMap)


class Documents(Protocol):
    """Signed objects that were accepted, by name, kept durably."""

    def document(self, name: str) -> bytes | None: ...

    def save_document(self, name: str, data: bytes) -> None: ...


class BoothTrust:
    """The booth's keys, the accepted trust document, and the keys of the epochs."""

    def __init__(
        self,
        keys: BoothKeys,
        documents: Documents,
        *,
        on_anchors: Callable[[TrustAnchors], None] = lambda _anchors: None,
    ) -> None:
        """Start with what enrolment gave, or what has come since if that is newer.

        on_anchors: told each newly accepted trust document, after it is stored.

        Raises:
            MessageError: what is stored is damaged, or not for this booth.
        """
        self.booth_id = keys.booth_id
        self.signing_key = keys.signing
        self._sealing_key = keys.sealing
        self._documents = documents
        self._on_anchors = on_anchors
        self.anchors = keys.anchors
        kept = documents.document(TRUST)
        if kept is not None and kept_anchors(kept).version > self.anchors.version:
            self.anchors = kept_anchors(kept)
        enrolment = self._kept_grant(keys.grant)
        self._serial = enrolment.serial
        self.content_keys = open_grant(enrolment, self._sealing_key)
        kept = documents.document(GRANT)
        if kept is not None:
            self._take_kept_grant(self._kept_grant(kept))

    def on_trust(self, data: bytes, now: datetime) -> bool:
        """Take successors of the trust document; True if there were any.

        Raises:
            RefusalError: see edge.trust.anchors.later_anchors.
            MessageError: no trust documents.
            StoreError: they cannot be kept; nothing has changed.
        """
        later = later_anchors(self.anchors, data, now=now)
        if later.version == self.anchors.version:
            return False
        self._documents.save_document(TRUST, later.encode())
        self.anchors = later
        self._on_anchors(later)
        return True

    def on_grant(self, data: bytes) -> bool:
        """Take the keys of a newer grant; True if it was one.

        Raises:
            RefusalError: WRONG_SIGNER, WRONG_READER.
            MessageError: no grant, or it does not open.
            StoreError: it cannot be kept; nothing has changed.
        """
        grant = read_grant(data, self.booth_id, self.anchors.operations_keys)
        if grant.serial <= self._serial:
            return False
        keys = open_grant(grant, self._sealing_key)
        self._documents.save_document(GRANT, data)
        self.content_keys, self._serial = keys, grant.serial
        return True

    def from_hub(self, data: bytes, kind: type[M]) -> M:
        """Return a message that an operations key of the hub has signed.

        Raises:
            RefusalError: WRONG_SIGNER.
            MessageError: no such message.
        """
        signed = read_signed(data, limit=MAX_MESSAGE_BYTES)
        key = self.anchors.operations_keys.get(signed.key_id)
        if key is None:
            raise RefusalError(
                RefusalReason.WRONG_SIGNER,
                f"{kind.type_name}: signed by {signed.key_id.hex()}, which is no "
                "operations key",
            )
        return kind.decode(signed.verified(key))

    def unsealed(self, sealed: bytes, info: Sequence[str | int]) -> bytes:
        """Return what was sealed to this booth.

        Raises:
            MessageError: to another key, with another info, or changed.
        """
        data = cbor2.dumps(list(info), canonical=True)
        return self._sealing_key.open(sealed, info=data)

    def _kept_grant(self, data: bytes) -> Grant:
        # Its signer may have been rotated away since; it was checked when it came.
        return _grant(read_signed(data, limit=MAX_MESSAGE_BYTES).payload, self.booth_id)

    def _take_kept_grant(self, grant: Grant) -> None:
        if grant.serial <= self._serial:
            return
        # One from before a renewal of the keys opens no more, however new it is: the
        # enrolment's holds until the hub's next.
        with suppress(MessageError):
            self.content_keys = open_grant(grant, self._sealing_key)
            self._serial = grant.serial


def _grant(payload: bytes, booth_id: str) -> Grant:
    grant = Grant.decode(payload)
    if grant.booth_id != booth_id:
        raise RefusalError(
            RefusalReason.WRONG_READER, f"kept grant is for booth {grant.booth_id!r}"
        )
    return grant
