"""The images that the hub holds of references; they go with their reference.

They are sent to a booth whose hit names their entry, for the officers who decide, and
those of faces serve to make references anew for other networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.records.changes import decode_change
from edge.records.hub_values import HitToIllustrate, ShownImage
from edge.store.database import mapped_errors, transaction
from edge.store.hub_commands import add_command
from edge.store.hub_log import append_changes
from edge.terms import FingerPosition, Modality

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import sqlite_utils

    from edge.records.hub_values import CommandRecord
    from edge.replication.position import RecordedChange
    from edge.terms import DraftChange, WatchlistChange

_PAGE = 200
# As edge.sync.messages says.
LARGEST_SENT = 160 * 1024


def not_shown(png: bytes) -> None:
    """Make nothing smaller: what is too large is not sent."""
    del png


class StoredReferenceImages:
    def __init__(
        self,
        database: sqlite_utils.Database,
        *,
        actor: str,
        shown: Callable[[bytes], bytes | None] = not_shown,
    ) -> None:
        """shown: makes of a PNG that is too large to be sent one that is not."""
        self._database = database
        self._actor = actor
        self._shown = shown
        self._passed = 0

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
            keep_images(connection, drafts, images, at=at, shown=self._shown)
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

    def shown(self, entry_id: str) -> list[ShownImage]:
        """Return what can be sent of an entry's images, fingers first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select reference_id, modality, position, coalesce(shown, png)"
                " from reference_images where entry_id = ?1"
                " and length(coalesce(shown, png)) <= ?2"
                " order by modality = 'face', position, reference_id",
                (entry_id, LARGEST_SENT),
            ).fetchall()
        return [
            ShownImage(name, Modality(modality), FingerPosition(position), bytes(data))
            for name, modality, position, data in rows
        ]

    def to_illustrate(self, *, limit: int) -> list[HitToIllustrate]:
        """Return hits in the order in which they came that illustrated() has not had.

        Those of entries without images are passed over; they are looked at again by
        the next process only.
        """
        with mapped_errors("read"):
            connection = self._database.conn
            (newest,) = connection.execute(
                "select coalesce(max(number), 0) from received_hits"
            ).fetchone()
            if newest <= self._passed:
                return []
            rows = connection.execute(
                "select number, hit_id, booth_id, entry_id from received_hits"
                " where number > max(?, (select number from illustrated))"
                " and number <= ?"
                " and entry_id in (select entry_id from reference_images)"
                " order by number limit ?",
                (self._passed, newest, limit),
            ).fetchall()
        if not rows:
            self._passed = newest
        return [HitToIllustrate(*row) for row in rows]

    def illustrated(self, number: int, commands: Sequence[CommandRecord]) -> None:
        """Let commands wait that carry the images of a hit; not to be asked again."""
        with transaction(self._database) as connection:
            for command in commands:
                add_command(connection, command, actor=self._actor)
            connection.execute("update illustrated set number = ?", (number,))

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
    shown: Callable[[bytes], bytes | None] = not_shown,
) -> None:
    """Keep the images of references in the drafts, in the caller's transaction.

    shown: makes of a PNG that is too large to be sent one that is not.
    """
    connection.executemany(
        "insert or replace into reference_images (reference_id, entry_id, png,"
        " added_at, modality, position, shown) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                item.reference_id,
                draft.entry_id,
                png,
                at.isoformat(),
                str(item.modality),
                int(item.position),
                None if len(png) <= LARGEST_SENT else shown(png),
            )
            for draft in drafts
            for item in draft.references
            if (png := images.get(item.reference_id)) is not None
        ],
    )
