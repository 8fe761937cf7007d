"""Keeps the booth's watchlist at the hub's head: asks by cursor, applies in order.

Asked on the hub's announcement, after each batch that leaves more to come, and by timer
when announcements may have been lost. Whatever arrives is applied only if it continues
the cursor; a gap changes nothing and is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import MessageError, WatchlistError
from edge.sync.messages import MAX_CHANGES, WatchlistBatch, WatchlistRequest
from edge.sync.topics import BoothChannel, BoothTopic

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.ports import WatchlistReplica
    from edge.sync.link import Link
    from edge.terms import WatchlistChange


@dataclass(frozen=True)
class FollowerSettings:
    """When to ask.

    answer_s: an unanswered request is repeated after this, doubling up to idle_s.
    idle_s: with nothing announced, ask after this all the same.
    """

    answer_s: float = 3.0
    idle_s: float = 60.0
    limit: int = MAX_CHANGES


class WatchlistFollower:
    def __init__(
        self,
        booth_id: str,
        link: Link,
        watchlist: WatchlistReplica,
        decode_change: Callable[[bytes], WatchlistChange],
        clock: Clock,
        log: EventLog,
        settings: FollowerSettings,
    ) -> None:
        self._booth_id = booth_id
        self._topic = str(BoothTopic(booth_id, BoothChannel.WATCHLIST_REQUEST))
        self._link = link
        self._watchlist = watchlist
        self._decode_change = decode_change
        self._clock = clock
        self._log = log
        self._settings = settings
        self._due_s = clock.monotonic_s()
        self._unanswered = 0

    def ask_now(self) -> None:
        """Make a request due: the link is new."""
        self._unanswered = 0
        self._due_s = self._clock.monotonic_s()

    def on_head(self, sequence: int) -> None:
        """Note the hub's head.

        Raises:
            StoreError: the cursor cannot be read.
        """
        cursor = self._watchlist.cursor()
        if sequence > cursor:
            self.ask_now()
        elif sequence < cursor:
            self._log.event("hub_behind_booth", sequence=sequence, cursor=cursor)

    def ask_if_due(self) -> None:
        """Send the request whose time has come.

        Raises:
            LinkError: the connection went away meanwhile.
            StoreError: the cursor cannot be read.
        """
        now_s = self._clock.monotonic_s()
        if now_s < self._due_s:
            return
        request = WatchlistRequest(
            booth_id=self._booth_id,
            after=self._watchlist.cursor(),
            limit=self._settings.limit,
        )
        self._link.publish(self._topic, request.encode())
        pause_s = self._settings.answer_s * (1 << min(self._unanswered, 16))
        self._unanswered += 1
        self._due_s = now_s + min(self._settings.idle_s, pause_s)

    def on_batch(self, batch: WatchlistBatch) -> None:
        """Apply the changes of a batch; ask on if the hub has more.

        Raises:
            MessageError: a batch for another booth, or a change that cannot be read.
            StoreError: the changes cannot be written; they are asked for again.
        """
        if batch.booth_id != self._booth_id:
            raise MessageError(f"watchlist batch for booth {batch.booth_id!r}")
        before = self._watchlist.cursor()
        changes = [self._decode_change(data) for data in batch.changes]
        try:
            cursor = self._watchlist.apply(changes) if changes else before
        except WatchlistError as error:
            # Due again by the timer that the request set: no storm of requests.
            self._log.event("watchlist_gap", cursor=before, error=str(error))
            return
        if cursor > before:
            self._log.event("watchlist_applied", cursor=cursor, count=cursor - before)
        if cursor >= batch.head:
            self._unanswered = 0
            self._due_s = self._clock.monotonic_s() + self._settings.idle_s
        elif cursor > before:
            self.ask_now()
