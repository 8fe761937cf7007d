"""The images that the hub holds of face references; they go with their reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.records.changes import decode_change
from edge.store.database import mapped_errors, transaction
from edge.store.hub_log import append_changes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import sqlite_utils

    from edge.replication.position import RecordedChange
    from edge.terms import DraftChange, WatchlistChange

_PAGE = 200


class StoredReferenceImages:
    def __init__(self, database: sqlite_utils.Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor

    def append(
        self,
        drafts: Sequence[DraftChange],
        images: Mapping[str, bytes],
        *,
        at: datetime,
    ) -> list[RecordedChange]:
        """Append changes to the log and keep images with them, all or nothing.

        images: PNG by reference id, of references in the drafts.

        Raises:
            WatchlistError: as StoredHubLog.append.
        """
        with transaction(self._database) as connection:
            recorded = append_changes(connection, drafts, at=at, actor=self._actor)
            keep_images(connection, drafts, images, at=at)
            return recorded

    def image(self, reference_id: str) -> bytes | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select png from reference_images where reference_id = ?",
                (reference_id,),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def held(self, entry_id: str) -> set[str]:
        """Return the references of an entry that there are images of."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select reference_id from reference_images where entry_id = ?",
                (entry_id,),
            ).fetchall()
        return {row[0] for row in rows}

    def current_changes(self) -> Iterator[WatchlistChange]:
        """Yield the change that made each entry as it stands.

        Changes that are made meanwhile may be among them or not.
        """
        last = b""
        while True:
            with mapped_errors("read"):
                rows = self._database.conn.execute(
                    "select bucket_key, record from current_entries"
                    " join log_changes using (log, sequence, entry_id)"
                    " where bucket_key > ? order by bucket_key limit ?",
                    (last, _PAGE),
                ).fetchall()
            if not rows:
                return
            for key, record in rows:
                last = bytes(key)
                yield decode_change(record)


def keep_images(
    connection: sqlite3.Connection,
    drafts: Sequence[DraftChange],
    images: Mapping[str, bytes],
    *,
    at: datetime,
) -> None:
    """Keep the images of references in the drafts, in the caller's transaction."""
    connection.executemany(
        "insert or replace into reference_images (reference_id, entry_id, png,"
        " added_at) values (?, ?, ?, ?)",
        [
            (item.reference_id, draft.entry_id, images[item.reference_id], now)
            for draft in drafts
            for item in draft.references
            for now in (at.isoformat(),)
            if item.reference_id in images
        ],
    )
