"""What a booth may say about how fresh its watchlist is, by a clock that may be wrong.

The clock is believed as far as signed heads vouch for it. latest_trusted_at is the
latest instant that the clock has shown and a head has covered; it never sinks, and a
clock that falls behind it has been turned back. A clock that runs ahead raises it no
further than the newest head reaches, so a clock set right again is believed again after
at most the validity of one head.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from edge.terms import FreshnessState, WatchlistFreshness

if TYPE_CHECKING:
    from datetime import datetime

    from edge.replication.head import Head

__all__ = ["TOLERANCE", "Freshness", "FreshnessState", "TrustedTime"]

TOLERANCE = timedelta(seconds=300)


Freshness = WatchlistFreshness


class TrustedTime:
    """Tells a clock that was turned back, and one that the hub is ahead of."""

    def __init__(self, latest_trusted_at: datetime | None) -> None:
        self.latest_trusted_at = latest_trusted_at
        self._hub_was_at: datetime | None = None

    def no_earlier(self, now: datetime) -> datetime:
        """Return now, or what the clock has shown before if that is later."""
        latest = self.latest_trusted_at
        return now if latest is None else max(now, latest)

    def is_trusted(self, now: datetime) -> bool:
        marks = (self.latest_trusted_at, self._hub_was_at)
        return all(mark is None or now >= mark - TOLERANCE for mark in marks)

    def is_future(self, instant: datetime, now: datetime) -> bool:
        """Return whether the instant is later than clocks may differ.

        Measured from now alone: heads must not pull a clock that stands still along.
        """
        return instant > now + TOLERANCE

    def note(self, now: datetime, newest: Head | None) -> None:
        """Believe the clock as far as the newest head reaches."""
        if newest is not None:
            self.latest_trusted_at = self.no_earlier(min(now, newest.expires_at))

    def note_hub_ahead(self, issued_at: datetime) -> None:
        """A signed head came from the future: one of the two clocks is wrong."""
        earlier = self._hub_was_at
        self._hub_was_at = issued_at if earlier is None else max(earlier, issued_at)

    def note_agreement(self) -> None:
        """A newer head came that fits the clock."""
        self._hub_was_at = None
