"""The hub's signed word that messages are stored: one for each booth and stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.hub.outgoing import Outgoing
from edge.sync.messages import MAX_ITEMS, Receipt, ReceiptItem, ReceiptOutcome
from edge.sync.topics import BoothChannel, BoothTopic
from edge.trust.cose import sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from edge.hub.opening import Opened
    from edge.records.hub_values import StoredOutcome
    from edge.trust.keys import SigningKey

EXPIRY_S = 300


def receipts(
    outcomes: Sequence[tuple[Opened, StoredOutcome]],
    *,
    key: SigningKey,
    issued_at: datetime,
) -> Iterator[Outgoing]:
    """Yield the receipts of messages, at most 64 items each; key: operations key."""
    streams: dict[tuple[str, str], list[ReceiptItem]] = {}
    for opened, outcome in outcomes:
        content = opened.content
        item = ReceiptItem(
            sequence=content.sequence,
            message_id=content.message_id,
            digest=opened.digest,
            outcome=ReceiptOutcome(outcome),
        )
        streams.setdefault((content.booth_id, content.stream), []).append(item)
    for (booth_id, stream), items in streams.items():
        for first in range(0, len(items), MAX_ITEMS):
            receipt = Receipt(
                booth_id=booth_id,
                stream=stream,
                items=items[first : first + MAX_ITEMS],
                issued_at=issued_at,
            )
            yield Outgoing(
                str(BoothTopic(booth_id, BoothChannel.RECEIPT)),
                sign(receipt.encode(), key),
                expiry_s=EXPIRY_S,
            )
