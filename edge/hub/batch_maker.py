"""Signed and encrypted stretches of the log, made once for all who ask for them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

from edge.errors import StoreError
from edge.replication.changes import MAX_CHANGES, batches, make_changes

if TYPE_CHECKING:
    from edge.hub.store_port import HubLog
    from edge.replication.position import LogPosition
    from edge.trust.keys import ContentKey, SigningKey

CACHE_BATCHES = 16
_Place = tuple[str, int, int, int, int]  # log, epoch, after, limit, end of the log


class CurrentEpoch(Protocol):
    def content_key(self) -> ContentKey:
        """Return the key of the epoch that is published in now."""
        ...


class BatchMaker:
    """A batch is the same for every booth, so the last ones are kept."""

    def __init__(self, log: HubLog, epoch: CurrentEpoch, key: SigningKey) -> None:
        """key: a watchlist key."""
        self._log = log
        self._epoch = epoch
        self._key = key
        self._made: OrderedDict[_Place, tuple[bytes, LogPosition]] = OrderedDict()

    def after(
        self, before: LogPosition, *, limit: int = MAX_CHANGES
    ) -> tuple[bytes, LogPosition] | None:
        """Return the batch that follows before and the position it leads to.

        None: before is the end of the log. limit: changes, at most 256.

        Raises:
            StoreError: the log cannot be read.
        """
        content_key = self._epoch.content_key()
        end = self._log.position().sequence
        place = (before.log, content_key.epoch, before.sequence, limit, end)
        if place in self._made:
            self._made.move_to_end(place)
            return self._made[place]
        following = self._log.records_after(before.sequence, limit)
        records = next(batches(item.record for item in following), None)
        if records is None:
            return None
        upto = before.sequence + len(records)
        after = self._log.position_at(upto)
        if after is None:
            raise StoreError(f"watchlist log: no position after change {upto}")
        batch = make_changes(before, after, records, content_key, self._key)
        self._made[place] = (batch, after)
        if len(self._made) > CACHE_BATCHES:
            self._made.popitem(last=False)
        return batch, after
