"""From the bytes of an outbox message to a stored hit and a receipt.

The receipt is made after the store's commit, and again for every duplicate: the booth
keeps its row until one of them arrives. Whether a hit is new is the store's decision
alone, so that it is new exactly once, whatever the wire repeats or whenever the hub is
killed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.records.hits import decode_hit
from edge.store.hits import HIT_KIND
from edge.sync.messages import OutboxEnvelope, Receipt, ReceiptOutcome

if TYPE_CHECKING:
    from edge.clock import Clock
    from edge.hub.console import Console
    from edge.logs import EventLog
    from edge.store.hub import HubStore


class Ingest:
    def __init__(
        self, store: HubStore, console: Console, clock: Clock, log: EventLog
    ) -> None:
        self._store = store
        self._console = console
        self._clock = clock
        self._log = log

    def receive(self, booth_id: str, payload: bytes) -> Receipt:
        """Store one outbox message and return its receipt.

        A message whose envelope is sound but whose content is not gets a receipt that
        says "refused": the booth keeps it and stops repeating it at full pace.

        Raises:
            MessageError: no receipt can be given, because the envelope is unreadable or
                speaks for another booth than its topic.
            StoreError: the store cannot be written; the booth will send again.
        """
        envelope = OutboxEnvelope.decode(payload)
        if envelope.booth_id != booth_id:
            raise MessageError(
                f"outbox message of booth {envelope.booth_id!r} on the topic of "
                f"{booth_id!r}"
            )
        try:
            outcome = self._store_content(envelope)
        except MessageError as error:
            outcome = ReceiptOutcome.REFUSED
            self._log.event(
                "message_refused",
                booth_id=booth_id,
                message_id=envelope.message_id,
                sequence=envelope.sequence,
                error=str(error),
            )
        return Receipt(
            message_id=envelope.message_id,
            booth_id=booth_id,
            sequence=envelope.sequence,
            outcome=outcome,
            issued_at=self._clock.now(),
        )

    def _store_content(self, envelope: OutboxEnvelope) -> ReceiptOutcome:
        if envelope.kind != HIT_KIND:
            raise MessageError(f"kind {envelope.kind!r} is not known to this hub")
        hit = decode_hit(envelope.payload)
        if hit.booth_id != envelope.booth_id:
            raise MessageError(f"hit {hit.hit_id} is of another booth")
        is_new = self._store.accept_hit(
            hit,
            message_id=envelope.message_id,
            sequence=envelope.sequence,
            at=self._clock.now(),
        )
        if not is_new:
            if not self._store.has_hit(hit.hit_id):
                raise MessageError(
                    f"message id {envelope.message_id} was used for another hit"
                )
            return ReceiptOutcome.DUPLICATE
        self._console.show(hit, sequence=envelope.sequence)
        return ReceiptOutcome.STORED
