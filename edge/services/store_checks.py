"""The doctor's look at the stores and what is searched of them: read only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.services.face_search_check import face_search_state
from edge.services.findings import Finding, Status
from edge.services.gallery_check import compare_gallery
from edge.store.audit import verify_audit
from edge.store.database import check_integrity
from edge.store.hub_log import StoredHubLog
from edge.store.hub_registry import StoredHubRegistry
from edge.store.inspection import inspected_database
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlite_utils

    from edge.config import Config
    from edge.store.database import Schema

# Of a longer watchlist so many entries are looked into; all are counted and summed.
ENTRIES_READ = 20_000


def check_booth_store(path: Path) -> list[Finding]:
    def read(database: sqlite_utils.Database) -> str:
        lines = verify_audit(database)
        waiting = StoredOutbox(database).depth()
        return f"{waiting} in the outbox, audit chain of {lines} lines intact"

    return [_store_finding("store", path, "booth", read)]


def check_watchlist(path: Path) -> list[Finding]:
    def read(database: sqlite_utils.Database) -> str:
        lines = verify_audit(database)
        watchlist = BoothWatchlist(database)
        entries, references = watchlist.size()
        every = max(1, entries // ENTRIES_READ)
        is_hubs = StoredReplica(database).verify(every=every) is not None
        origin = "as the hub published them" if is_hubs else "kept by this machine"
        return (
            f"{entries} entries {origin}, {references} references,"
            f" cursor {watchlist.cursor()}, audit chain of {lines} lines intact"
        )

    return [_store_finding("watchlist", path, "watchlist", read)]


def check_gallery(folder: Path, store: Path) -> list[Finding]:
    if not store.exists():
        return [Finding("gallery", Status.WARNING, f"{folder}: made with the store")]
    with inspected_database(store, "watchlist") as database:
        compared = compare_gallery(folder, database)
    if compared is None:
        text = f"{folder}: none yet; made from the store when edge-booth starts"
        return [Finding("gallery", Status.WARNING, text)]
    status = Status.OK if compared.is_current else Status.WARNING
    if not compared.is_sound:
        status = Status.FAILED
    return [Finding("gallery", status, compared.text(folder))]


def check_face_search(config: Config) -> list[Finding]:
    is_good, text = face_search_state(config)
    return [Finding("face search", Status.OK if is_good else Status.WARNING, text)]


def check_hub_store(path: Path) -> list[Finding]:
    def read(database: sqlite_utils.Database) -> str:
        log, booths = StoredHubLog(database), StoredHubRegistry(database).booths()
        admitted = sum(booth.revoked_at is None for booth in booths)
        if log.log() is None:
            return "no watchlist log yet: run `edge hub init`"
        return (
            f"{log.position().sequence} watchlist changes, {admitted} booths admitted"
        )

    return [_store_finding("hub store", path, "hub", read)]


def _store_finding(
    subject: str,
    path: Path,
    schema: Schema,
    read: Callable[[sqlite_utils.Database], str],
) -> Finding:
    try:
        if not path.exists():
            text = f"{path}: not there yet; made when the service starts"
            return Finding(subject, Status.WARNING, text)
        with inspected_database(path, schema) as database:
            check_integrity(database)
            return Finding(subject, Status.OK, read(database))
    except (EdgeError, OSError) as error:
        named = str(error) if str(path) in str(error) else f"{path}: {error}"
        return Finding(subject, Status.FAILED, named)
