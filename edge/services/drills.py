"""Drills: published at the hub, armed at the booth, held as the next check."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from edge.booth.drill_views import drill_view
from edge.checkpoint.drill import ArmedDrill
from edge.clock import SystemClock
from edge.errors import DrillError
from edge.recognition.image_encoding import encode_png
from edge.services.enrolment import finger_reference
from edge.simulate.drill_person import (
    ID_BEGINNING,
    LARGEST_SEED,
    drill_entry,
    drill_seed,
    enrolled_impression,
    presented_impressions,
)
from edge.store.database import open_database
from edge.store.drills import DrillEnd, StoredDrills
from edge.store.watchlist import BoothWatchlist
from edge.terms import ChangeOperation, DraftChange, FingerPosition

if TYPE_CHECKING:
    import sqlite_utils

    from edge.checkpoint.drill import DrillReport
    from edge.clock import Clock
    from edge.config import Config
    from edge.services.enrolment import EnrolmentEngines
    from edge.store.hub_images import StoredReferenceImages
    from edge.terms import WatchlistChange, WatchlistEntry

VALID = timedelta(days=7)
SHOWN = 50


def publish_drill(
    images: StoredReferenceImages,
    engines: EnrolmentEngines,
    *,
    seed: int | None = None,
    name: str = "Drill",
    valid: timedelta = VALID,
) -> WatchlistChange:
    """Put a synthetic person on the hub's list; seed: which one, None for a new one.

    Raises:
        InputError: the finger of this seed is too poor to enrol.
        WatchlistError: the hub has no log, or the person is on the list.
        StoreError: the store cannot be written.
    """
    at = SystemClock().now()
    chosen = secrets.randbelow(LARGEST_SEED) if seed is None else seed
    entry = drill_entry(chosen, name=name, at=at, valid=valid)
    image = enrolled_impression(chosen)
    reference = finger_reference(
        engines,
        entry.entry_id,
        image,
        position=FingerPosition.RIGHT_INDEX,
        origin=f"finger of drill {chosen}",
    )
    draft = DraftChange(ChangeOperation.ADD, entry.entry_id, entry, (reference,))
    [recorded] = images.append(
        [draft], {reference.reference_id: encode_png(image)}, at=at
    )
    return recorded.change


class BoothDrills:
    """The drills of a booth over its stores. Implements edge.checkpoint.drill.Drills.

    For the thread of its databases.
    """

    def __init__(
        self, booth: sqlite_utils.Database, watchlist: sqlite_utils.Database
    ) -> None:
        self._drills = StoredDrills(booth)
        self._watchlist = BoothWatchlist(watchlist)

    def take(self) -> ArmedDrill | None:
        taken = self._drills.take()
        if taken is None:
            return None
        drill_id, entry_id = taken
        entry = self._watchlist.entry(entry_id)
        seed = None if entry is None else drill_seed(entry)
        if seed is None:
            # Withdrawn since it was armed: a check is a check.
            self._drills.finish(drill_id, DrillEnd("failed", "failed"))
            return None
        images = presented_impressions(seed, int(drill_id[:6], 16))
        return ArmedDrill(drill_id, entry_id, images)

    def finished(self, report: DrillReport) -> None:
        state = "detected" if report.is_detected else "missed"
        spent_s = report.decision_s
        self._drills.finish(
            report.drill_id,
            DrillEnd(
                state="failed" if report.decided_at is None else state,
                outcome=report.outcome,
                check_id=report.check_id,
                hit_id=report.hit_id,
                captured_at=report.captured_at,
                decided_at=report.decided_at,
                decision_ms=None if spent_s is None else round(spent_s * 1000, 1),
            ),
        )


class DrillDesk:
    """Where a supervisor arms drills and reads results; for any thread.

    Methods raise StoreError where the store fails.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock

    def view(self) -> dict[str, Any]:
        """Return the armed drill, who can be presented, and the last results."""
        booth = open_database(self._config.store.path, "booth")
        with closing(booth.conn):
            drills = [drill_view(d) for d in StoredDrills(booth).drills(limit=SHOWN)]
        armed = next((d for d in drills if d["state"] == "armed"), None)
        persons = [
            {"entry_id": entry.entry_id, "name": entry.name}
            for entry in self._persons()
        ]
        return {"armed": armed, "persons": persons, "results": drills}

    def arm(self, officer: str, entry_id: str | None) -> dict[str, Any]:
        """Let the next check be a drill; entry_id: whose, None for the newest.

        Raises:
            DrillError: nobody can be presented, or a drill waits.
        """
        persons = self._persons()
        if entry_id is not None:
            persons = [entry for entry in persons if entry.entry_id == entry_id]
        if not persons:
            message = (
                "no synthetic person is on the watchlist: at the hub, `edge hub drill`"
            )
            raise DrillError(message)
        booth = open_database(self._config.store.path, "booth")
        with closing(booth.conn):
            StoredDrills(booth).arm(
                uuid4().hex, persons[0].entry_id, officer=officer, at=self._clock.now()
            )
        return self.view()

    def disarm(self, officer: str) -> bool:
        """Take the armed drill back; False if none waits."""
        booth = open_database(self._config.store.path, "booth")
        with closing(booth.conn):
            return StoredDrills(booth).disarm(officer=officer, at=self._clock.now())

    def _persons(self) -> list[WatchlistEntry]:
        """Return the synthetic persons that are valid now, the newest first."""
        now = self._clock.now()
        watchlist = open_database(self._config.store.watchlist_path, "watchlist")
        with closing(watchlist.conn):
            found = [
                entry
                for entry in BoothWatchlist(watchlist).entries_beginning(ID_BEGINNING)
                if drill_seed(entry) is not None
                and entry.valid_from <= now
                and (entry.expires_at is None or now < entry.expires_at)
            ]
        return sorted(found, key=lambda entry: entry.valid_from, reverse=True)
