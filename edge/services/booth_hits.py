"""The booth's hits, from the configuration to the routes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edge.booth.hit_desk import HitBook, HitDesk
from edge.store.booth_hits import BoothHits
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.reference_images import BoothReferenceImages
from edge.store.watchlist import BoothWatchlist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.clock import Clock
    from edge.config import Config


def hit_desk(
    config: Config, clock: Clock, publish: Callable[[dict[str, Any]], None]
) -> HitDesk:
    """Return the desk of this booth; publish: tells every screen."""
    return HitDesk(
        lambda: opened_book(config),
        publish,
        clock,
        booth_id=config.booth_id,
        needs_second=config.policy.second_officer,
    )


@contextmanager
def opened_book(config: Config) -> Iterator[HitBook]:
    """Open the stores on this thread.

    Raises:
        StoreError: a store cannot be opened.
    """
    booth = open_database(config.store.path, "booth")
    try:
        watchlist = open_database(config.store.watchlist_path, "watchlist")
        try:
            yield HitBook(
                BoothHits(booth),
                BoothReferenceImages(booth),
                StoredCommands(booth),
                BoothWatchlist(watchlist),
            )
        finally:
            watchlist.conn.close()
    finally:
        booth.conn.close()
