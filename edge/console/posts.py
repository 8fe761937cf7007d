"""What to think of a post: online, stale, silent, or shut out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from edge.records.hub_values import BoothOverview

# What edge-sync says of its line; see edge/sync/README.md.
ONLINE = "online"


class PostState(StrEnum):
    """What to think of a post.

    ONLINE: the line is up and the booth reports. STALE: the line is up, but no
    report has come for too long, or the watchlist it holds is too far behind or not
    the hub's. SILENT: the line is down. NEVER: admitted, not heard of yet. REVOKED:
    shut out.
    """

    ONLINE = "online"
    STALE = "stale"
    SILENT = "silent"
    NEVER = "never"
    REVOKED = "revoked"


@dataclass(frozen=True)
class PostLimits:
    """stale_after_s: since the last report. stale_changes: behind the log."""

    stale_after_s: float = 600.0
    stale_changes: int = 1000


def post_state(
    post: BoothOverview, *, now: datetime, sequence: int, limits: PostLimits
) -> PostState:
    """Return the state of a post; sequence: where the hub's log ends."""
    if post.revoked_at is not None:
        return PostState.REVOKED
    if post.last_seen_at is None and post.health is None:
        return PostState.NEVER
    if post.state != ONLINE:
        return PostState.SILENT
    oldest = now - timedelta(seconds=limits.stale_after_s)
    is_unheard = post.health is None or post.health.at < oldest
    lag = lag_of(post, sequence)
    is_behind = lag is not None and lag > limits.stale_changes
    if is_unheard or is_behind or post.is_same is False:
        return PostState.STALE
    return PostState.ONLINE


def lag_of(post: BoothOverview, sequence: int) -> int | None:
    """Return how many changes a post is behind; None if it has not said."""
    if post.held_sequence is None:
        return None
    return max(0, sequence - post.held_sequence)
