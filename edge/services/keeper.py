"""The watchlist that this machine keeps: the hub's log, or a booth's own list.

On a machine with a [hub] section changes go into the hub's log and from there to every
booth. On a booth without one they change that booth's list alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from edge.clock import SystemClock
from edge.records.changes import decode_change
from edge.services.wiring import shown_image
from edge.store.database import open_database
from edge.store.hub_images import StoredReferenceImages
from edge.store.hub_log import StoredHubLog
from edge.store.watchlist import BoothWatchlist

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import sqlite_utils

    from edge.config import Config
    from edge.terms import DraftChange, Reference, WatchlistEntry

NO_IMAGES: Mapping[str, bytes] = MappingProxyType({})


class WatchlistKeeper(Protocol):
    name: str

    def entries(self) -> list[WatchlistEntry]: ...

    def references(self, entry_id: str) -> list[Reference]: ...

    def change(
        self, drafts: Sequence[DraftChange], images: Mapping[str, bytes] = NO_IMAGES
    ) -> None:
        """Make the changes, all of them or none.

        images: PNG by id of the reference that was made of it; a hub keeps them to show
        them to who decides on a hit, and to make references anew for other networks.

        Raises:
            WatchlistError: a change that makes no sense for what is there.
        """
        ...


class _HubKeeper:
    name = "hub"

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._log = StoredHubLog(database)
        self._images = StoredReferenceImages(
            database, actor="edge enrol", shown=shown_image
        )

    def entries(self) -> list[WatchlistEntry]:
        changes = (decode_change(record) for _, record in self._log.current_records())
        found = [change.entry for change in changes if change.entry is not None]
        return sorted(found, key=lambda entry: entry.entry_id)

    def references(self, entry_id: str) -> list[Reference]:
        record = self._log.entry_record(entry_id)
        return [] if record is None else list(decode_change(record).references)

    def change(
        self, drafts: Sequence[DraftChange], images: Mapping[str, bytes] = NO_IMAGES
    ) -> None:
        self._images.append(drafts, images, at=SystemClock().now())


class _BoothKeeper:
    name = "booth"

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._watchlist = BoothWatchlist(database)

    def entries(self) -> list[WatchlistEntry]:
        return self._watchlist.entries()

    def references(self, entry_id: str) -> list[Reference]:
        return self._watchlist.references(entry_id)

    def change(
        self, drafts: Sequence[DraftChange], images: Mapping[str, bytes] = NO_IMAGES
    ) -> None:
        del images  # a booth holds templates only
        self._watchlist.apply_local(drafts, at=SystemClock().now())


@contextmanager
def open_keeper(config: Config) -> Iterator[WatchlistKeeper]:
    """Open the watchlist of this machine.

    Raises:
        StoreError: the store cannot be opened.
    """
    is_hub = config.hub is not None
    path = config.store.watchlist_path if config.hub is None else config.hub.store
    database = open_database(path, "hub" if is_hub else "watchlist")
    try:
        yield _HubKeeper(database) if is_hub else _BoothKeeper(database)
    finally:
        database.conn.close()
