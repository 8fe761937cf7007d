"""Tells the booths how far the watchlist log goes and answers what they ask for.

The head is announced, retained, whenever it has moved: another process may have written
the log. Changes travel only in answer to a request, in batches bounded by number and by
bytes; nothing is kept per booth, the booth's cursor is all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.records.changes import encode_change
from edge.sync.messages import Head, WatchlistBatch, WatchlistRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.clock import Clock
    from edge.store.hub import HubStore
    from edge.terms import WatchlistChange

BATCH_BYTES = 512 * 1024


class Publisher:
    def __init__(self, store: HubStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._announced: int | None = None

    def new_head(self) -> Head | None:
        """Return the head if it has moved since the last one that was announced.

        Raises:
            StoreError: the log cannot be read.
        """
        sequence = self._store.head()
        if sequence == self._announced:
            return None
        return Head(sequence=sequence, announced_at=self._clock.now())

    def announced(self, head: Head) -> None:
        self._announced = head.sequence

    def forget_announcement(self) -> None:
        """Make the head due again: the broker may have lost it."""
        self._announced = None

    def answer(self, booth_id: str, payload: bytes) -> WatchlistBatch:
        """Return the batch that a booth asked for; it may be empty.

        Raises:
            MessageError: an unreadable request, or one for another booth than its
                topic says.
            StoreError: the log cannot be read, or the booth's cursor not noted.
        """
        request = WatchlistRequest.decode(payload)
        if request.booth_id != booth_id:
            raise MessageError(
                f"watchlist request of booth {request.booth_id!r} on the topic of "
                f"{booth_id!r}"
            )
        self._store.booth_cursor(booth_id, cursor=request.after, at=self._clock.now())
        changes = self._store.changes_after(request.after, limit=request.limit)
        return WatchlistBatch(
            booth_id=booth_id,
            after=request.after,
            head=self._store.head(),
            changes=_fill(changes),
        )


def _fill(changes: Sequence[WatchlistChange]) -> list[bytes]:
    """Encode changes until the batch is full; the first always goes."""
    encoded: list[bytes] = []
    size = 0
    for change in changes:
        data = encode_change(change)
        size += len(data)
        if encoded and size > BATCH_BYTES:
            break
        encoded.append(data)
    return encoded
