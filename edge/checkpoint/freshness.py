"""The watchlist's part of the policy: how old it may be, and what is said of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.terms import FreshnessState, WatchlistFreshness

if TYPE_CHECKING:
    from datetime import datetime

OUTDATED = "watchlist_outdated"
STALE = "watchlist_stale"
UNPROVEN = "watchlist_unproven"
CLOCK_UNTRUSTED = "clock_untrusted"
BEHIND = "search_behind"
# A change that no search has seen for so long is no longer on its way.
MOST_LAG_S = 30.0

LOCAL_LIST = WatchlistFreshness(FreshnessState.LOCAL, None, 0)


@dataclass(frozen=True)
class FreshnessLimits:
    """Of the time since the watchlist was known to be complete.

    stale_after_s: the officer is told. degraded_after_s: no check ends clear; 0: never.
    """

    stale_after_s: float
    degraded_after_s: float


# A port may be out of reach for weeks and must work.
USUAL_LIMITS = FreshnessLimits(24 * 3600.0, 40 * 24 * 3600.0)


@dataclass(frozen=True)
class WatchlistStanding:
    """What is known of the watchlist that a check is about to search.

    is_building: only a small part of it is searched yet. lag_s: for how long a change
    has been there that is not searched.
    """

    freshness: WatchlistFreshness = LOCAL_LIST
    is_building: bool = False
    lag_s: float = 0.0


@dataclass(frozen=True)
class FreshnessVerdict:
    """reasons: codes for the officer. is_degrading: a check must not end clear."""

    reasons: tuple[str, ...] = ()
    is_degrading: bool = False


def judge(
    standing: WatchlistStanding, now: datetime, limits: FreshnessLimits
) -> FreshnessVerdict:
    """Judge a watchlist by the clock of the booth.

    A clock that is not to be trusted is told; the age by it counts none the less, as a
    clock that was turned back only makes the list look younger. A list of which nobody
    said when it was complete has no age: that is told and degrades nothing.
    """
    freshness = standing.freshness
    reasons = []
    is_behind = standing.is_building or standing.lag_s > MOST_LAG_S
    if is_behind:
        reasons.append(BEHIND)
    if freshness.state is FreshnessState.LOCAL:
        return FreshnessVerdict(tuple(reasons), is_behind)
    if freshness.state is FreshnessState.CLOCK_UNTRUSTED:
        reasons.append(CLOCK_UNTRUSTED)
    if freshness.as_of is None:
        return FreshnessVerdict((*reasons, UNPROVEN), is_behind)
    age_s = (now - freshness.as_of).total_seconds()
    is_outdated = 0 < limits.degraded_after_s <= age_s
    if is_outdated:
        reasons.append(OUTDATED)
    elif age_s >= limits.stale_after_s:
        reasons.append(STALE)
    return FreshnessVerdict(tuple(reasons), is_behind or is_outdated)
