"""From an outbox row to the wire: signed by the booth, sealed to the hub."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cbor2

from edge.errors import MessageError
from edge.sync.messages import Content, OutboxEnvelope, outbox_info
from edge.trust.cose import sign

if TYPE_CHECKING:
    from edge.sync.booth_trust import BoothTrust
    from edge.terms import OutboxMessage


class OutboxSealing:
    """stream: of the booth's outbox."""

    def __init__(self, trust: BoothTrust, stream: str) -> None:
        self._trust = trust
        self.stream = stream

    def sealed(self, row: OutboxMessage) -> tuple[bytes, bytes]:
        """Return the envelope, and the digest that a receipt must repeat.

        Raises:
            MessageError: the row cannot be a message: too large, or its id or kind is
                none.
        """
        content = self._content(row)
        key = self._trust.anchors.sealing_key
        booth_id = self._trust.booth_id
        info = outbox_info(booth_id, self.stream, row.sequence, row.message_id)
        envelope = OutboxEnvelope(
            booth_id=booth_id,
            stream=self.stream,
            sequence=row.sequence,
            message_id=row.message_id,
            key=key.key_id,
            sealed=key.seal(
                sign(content, self._trust.signing_key),
                info=cbor2.dumps(info, canonical=True),
            ),
        )
        return envelope.encode(), hashlib.sha256(content).digest()

    def digest(self, row: OutboxMessage) -> bytes:
        """Return the digest alone: of a row that an earlier process has sent."""
        return hashlib.sha256(self._content(row)).digest()

    def _content(self, row: OutboxMessage) -> bytes:
        try:
            content = Content(
                booth_id=self._trust.booth_id,
                stream=self.stream,
                sequence=row.sequence,
                message_id=row.message_id,
                kind=row.kind,
                created_at=row.created_at,
                body=row.payload,
            )
        except ValueError as error:
            raise MessageError(
                f"outbox row {row.sequence} cannot be sent: {error.__class__.__name__}"
            ) from None
        return content.encode()
