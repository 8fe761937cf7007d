"""Tells all booths at once how far the watchlist log is, and what is new in it.

The log is written by other processes, so it is looked at again and again. New changes
go out before the head that covers them: a booth that gets both needs to ask for
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.hub.outgoing import Outgoing
from edge.replication.head import make_head
from edge.sync.topics import HubChannel, HubTopic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.clock import Clock
    from edge.hub.batch_maker import BatchMaker, CurrentEpoch
    from edge.hub.settings import HubSettings
    from edge.hub.store_port import HubLog, HubSnapshots
    from edge.replication.position import LogPosition
    from edge.trust.keys import SigningKey

HEAD_TOPIC = str(HubTopic(HubChannel.HEAD))
CHANGES_TOPIC = str(HubTopic(HubChannel.CHANGES))
CHANGES_EXPIRY_S = 3600


class Announcer:
    def __init__(
        self,
        log: HubLog,
        snapshots: HubSnapshots,
        epoch: CurrentEpoch,
        batches: BatchMaker,
        key: SigningKey,
        clock: Clock,
        settings: HubSettings,
    ) -> None:
        """key: a watchlist key."""
        self._log = log
        self._snapshots = snapshots
        self._epoch = epoch
        self._batches = batches
        self._key = key
        self._clock = clock
        self._settings = settings
        self._announced: LogPosition | None = None
        self._state: tuple[str, int, int, int] | None = None
        self._head = b""
        self._signed_s = 0.0

    @property
    def head(self) -> bytes:
        """The head as it was last signed."""
        return self._head

    def forget(self) -> None:
        """Make the head due again: the broker may have lost it."""
        self._state = None

    def due(self) -> Iterator[Outgoing]:
        """Yield what is to be announced now.

        Raises:
            StoreError: the log cannot be read.
        """
        position = self._log.position()
        epoch = self._epoch.content_key().epoch
        newest = self._snapshots.newest()
        # A snapshot of before this log began says nothing about it.
        snapshot = 0 if newest is None or newest[0] > position.sequence else newest[0]
        state = (position.log, position.sequence, epoch, snapshot)
        now_s = self._clock.monotonic_s()
        is_old = now_s - self._signed_s >= self._settings.head_every_s
        if state == self._state and not is_old:
            return
        yield from self._changes_up_to(position)
        self._head = make_head(
            position,
            epoch,
            snapshot,
            self._clock.now(),
            self._settings.head_valid_s,
            self._key,
        )
        self._signed_s = now_s
        self._announced, self._state = position, state
        yield Outgoing(
            HEAD_TOPIC,
            self._head,
            is_retained=True,
            expiry_s=int(self._settings.head_valid_s),
        )

    def _changes_up_to(self, end: LogPosition) -> Iterator[Outgoing]:
        before = self._announced
        if before is None or before.log != end.log:
            return
        if end.sequence - before.sequence > self._settings.broadcast_changes:
            return
        while before.sequence < end.sequence:
            made = self._batches.after(before)
            if made is None:
                return
            batch, before = made
            self._announced = before
            yield Outgoing(CHANGES_TOPIC, batch, expiry_s=CHANGES_EXPIRY_S)
