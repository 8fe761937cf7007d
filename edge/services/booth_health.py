"""The booth's state: for its own screen, and for the hub."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from edge.booth.views import freshness_view, instruction_view
from edge.errors import StoreError
from edge.services.watchlist_freshness import FreshnessReader
from edge.store.checks import CheckStore
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.outbox import StoredOutbox
from edge.store.watchlist import BoothWatchlist
from edge.terms import FreshnessState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import sqlite_utils

    from edge.clock import Clock
    from edge.config import Config
    from edge.ports import FaceCapture, FingerprintCapture
    from edge.services.booth_watch import BoothWatch, WatchedState
    from edge.services.face_search import FaceSearchState
    from edge.watchlist.live import SearchedState

# The hub signs a head every minute; after three that did not come there is no link.
LINK_DOWN_AFTER = timedelta(seconds=180)


@dataclass(frozen=True)
class HealthReport:
    """What the hub is told of this booth. head_issued_at: of the newest head, or None.

    counts: finished checks by outcome.
    """

    at: datetime
    watchlist_sequence: int
    head_issued_at: datetime | None
    outbox_depth: int
    disk_free_bytes: int
    clock_is_trusted: bool
    counts: dict[str, int]


class HealthCollector:
    """For the thread of its databases."""

    def __init__(
        self,
        booth: sqlite_utils.Database,
        watchlist: sqlite_utils.Database,
        folder: Path,
    ) -> None:
        """Collect from open stores; folder: on the disk whose room counts."""
        self._outbox, self._checks = StoredOutbox(booth), CheckStore(booth)
        self._watchlist = BoothWatchlist(watchlist)
        self._freshness = FreshnessReader(watchlist)
        self._folder = folder

    def report(self, now: datetime) -> HealthReport:
        """Collect the state at now.

        Raises:
            StoreError: a store or the folder cannot be read.
        """
        freshness = self._freshness.freshness(now)
        return HealthReport(
            at=now,
            watchlist_sequence=self._watchlist.cursor(),
            head_issued_at=self._freshness.heard_at(),
            outbox_depth=self._outbox.depth(),
            disk_free_bytes=free_bytes(self._folder),
            clock_is_trusted=freshness.state is not FreshnessState.CLOCK_UNTRUSTED,
            counts=self._checks.counts(),
        )


def free_bytes(folder: Path) -> int:
    """Return the room left on the disk of a folder.

    Raises:
        StoreError: the folder cannot be read.
    """
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error


def booth_health(
    config: Config,
    finger: FingerprintCapture | None,
    face: FaceCapture | None,
    watch: BoothWatch,
    clock: Clock,
) -> dict[str, Any]:
    """Return the booth's state as JSON-ready data.

    Raises:
        StoreError: the store cannot be read.
    """
    state, now = watch.state, clock.now()
    with _open(config) as (booth, entries):
        watchlist = BoothWatchlist(entries)
        count, references = watchlist.size()
        return {
            "booth_id": config.booth_id,
            "state": "degraded" if _is_degraded(state, face) else "ok",
            "watchlist_cursor": watchlist.cursor(),
            "watchlist_entries": count,
            "watchlist_references": references,
            "watchlist": freshness_view(state.freshness),
            "search": _search_view(state.searched, clock.monotonic_s()),
            "faces": _faces_view(state.faces),
            "link": _link(state, now),
            "hub_heard_at": _text(state.heard_at),
            "outbox_depth": StoredOutbox(booth).depth(),
            "disk_free_bytes": free_bytes(config.store.path.parent),
            "checks": CheckStore(booth).counts(),
            "scanner": "off" if finger is None else "on",
            "camera": str(getattr(face, "state", "off")),
        }


def read_instructions(config: Config, hit_id: str | None) -> list[dict[str, Any]]:
    """Return the hub's instructions on a hit, or on all, as JSON-ready data.

    Raises:
        StoreError: the store cannot be read.
    """
    with _open(config) as (booth, _):
        return [instruction_view(i) for i in StoredCommands(booth).instructions(hit_id)]


@contextmanager
def _open(
    config: Config,
) -> Iterator[tuple[sqlite_utils.Database, sqlite_utils.Database]]:
    booth = open_database(config.store.path, "booth")
    try:
        watchlist = open_database(config.store.watchlist_path, "watchlist")
        try:
            yield booth, watchlist
        finally:
            watchlist.conn.close()
    finally:
        booth.conn.close()


def _is_degraded(state: WatchedState, face: FaceCapture | None) -> bool:
    searched = state.searched
    # Without a camera nobody's face is searched anyway.
    unsearchable = searched.unsearchable or (face and state.faces.unsearchable)
    return bool(searched.faults or searched.is_building or unsearchable)


def _search_view(searched: SearchedState, monotonic_s: float) -> dict[str, Any]:
    return {
        "sequence": searched.sequence,
        "revision": searched.revision,
        "lag_s": round(searched.lag_s(monotonic_s), 3),
        "pending_share": round(searched.pending_share, 3),
        "unsearchable_references": searched.unsearchable,
        "skipped": list(searched.skipped),
        "faults": [f"{what}: {text}" for what, text in searched.faults.items()],
    }


def _faces_view(faces: FaceSearchState) -> dict[str, Any]:
    return {
        "is_searched": faces.is_searched,
        "text": faces.text,
        "unsearchable_references": dict(faces.unsearchable),
        "unsearchable_entries": list(faces.unsearchable_entries),
    }


def _link(state: WatchedState, now: datetime) -> str:
    """Return "up" or "down" by when the hub was heard; "unknown" if it never was."""
    if state.heard_at is None:
        return "none" if state.freshness.state is FreshnessState.LOCAL else "unknown"
    return "down" if now - state.heard_at > LINK_DOWN_AFTER else "up"


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
