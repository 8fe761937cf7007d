"""How fresh the stored watchlist is, from what edge-sync keeps beside it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.replication.head import MAX_HEAD_BYTES, Head
from edge.replication.horizon import Horizon
from edge.store.replica import StoredReplica
from edge.terms import FreshnessState, WatchlistFreshness
from edge.trust.cose import read_signed

if TYPE_CHECKING:
    from datetime import datetime

    import sqlite_utils

# Names of documents in the watchlist's store: the newest head accepted, and the newest
# that the list had reached.
HEAD, PROOF = "head", "proof"
LOCAL = WatchlistFreshness(FreshnessState.LOCAL, None, 0)


class FreshnessReader:
    """For the thread of its database. A kept head that is damaged counts as none."""

    def __init__(self, watchlist: sqlite_utils.Database) -> None:
        self._replica = StoredReplica(watchlist)
        self._horizon: Horizon | None = None
        self._read: tuple[bytes | None, bytes | None] = (None, None)

    def heard_at(self) -> datetime | None:
        """Return when the hub made the newest head that has come, by its clock."""
        horizon = self._horizon
        newest = None if horizon is None else horizon.newest
        return None if newest is None else newest.issued_at

    def freshness(self, now: datetime) -> WatchlistFreshness:
        """Return what may be said at now.

        Raises:
            StoreError: the store cannot be read.
        """
        held = self._replica.position()
        if held is None:
            return LOCAL
        horizon = self._horizon
        if horizon is None or horizon.log != held.log:
            latest = self._replica.latest_trusted_at()
            horizon = Horizon(held.log, held, latest)
            self._horizon, self._read = horizon, (None, None)
        kept = (self._replica.document(PROOF), self._replica.document(HEAD))
        horizon.move_to(held)
        if kept != self._read:
            for data in kept:
                if data is not None:
                    with suppress(MessageError):
                        _take(horizon, data)
            self._read = kept
        horizon.note(now)
        return horizon.freshness(now)


def _take(horizon: Horizon, data: bytes) -> None:
    # edge-sync has checked the signature; who can write this store can write the list.
    head = Head.decode(read_signed(data, limit=MAX_HEAD_BYTES).payload, limit=len(data))
    newest = horizon.newest
    is_newer = newest is None or head.issued_at >= newest.issued_at
    if head.log == horizon.log and is_newer:
        horizon.know(head.sequence, head.snapshot)
        horizon.take(head, head.issued_at)
