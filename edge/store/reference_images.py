"""Images of a hit's entry at the booth, sent by the hub for those who decide.

They are here as long as they are needed: when the hit is finally decided and the hub
has hit and verdicts, they are deleted in the transaction that notes the delivery.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.terms import DecisionState, FingerPosition, Modality

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

    import sqlite_utils

MOST_IMAGES, LARGEST_IMAGE = 8, 160 * 1024
# Several looks of the hub at one hit; then enough is enough.
MOST_PARTS = 100
_OPEN = (str(DecisionState.UNDECIDED), str(DecisionState.AWAITING_SECOND))
_IS_NEEDED = """
select exists (select 1 from hits where hit_id = ?1) and (
    coalesce((select state from verdicts where hit_id = ?1
        order by number desc limit 1), 'undecided') in (?2, ?3)
    or exists (select 1 from outbox where message_id in
        (select message_id from verdicts where hit_id = ?1 union select ?1))
)
"""


@dataclass(frozen=True)
class ExpectedImage:
    """What the hub says of an image that comes; digest: SHA-256 of its bytes."""

    reference_id: str
    modality: Modality
    position: FingerPosition
    size: int
    digest: bytes


@dataclass(frozen=True)
class HitImage:
    """One image of the entry; has_arrived: it is here, whole and as announced."""

    reference_id: str
    modality: Modality
    position: FingerPosition
    has_arrived: bool


class BoothReferenceImages:
    """Raises StoreError when the store cannot be read or written."""

    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def expect(
        self, hit_id: str, images: Sequence[ExpectedImage], *, at: datetime
    ) -> bool:
        """Note which images come; False if nobody needs them here any more."""
        with transaction(self._database) as connection:
            if not _is_needed(connection, hit_id):
                return False
            for place, image in enumerate(images[:MOST_IMAGES]):
                if not 0 < image.size <= LARGEST_IMAGE:
                    continue
                connection.execute(
                    "insert into reference_images (hit_id, reference_id, place,"
                    " modality, position, size, digest) values (?, ?, ?, ?, ?, ?, ?)"
                    " on conflict do nothing",
                    (
                        hit_id,
                        image.reference_id,
                        place,
                        str(image.modality),
                        int(image.position),
                        image.size,
                        image.digest,
                    ),
                )
                _complete(connection, hit_id, image.reference_id, at)
        return True

    def add_part(
        self, hit_id: str, reference_id: str, part: int, data: bytes, *, at: datetime
    ) -> bool:
        """Keep a piece of an image; False if nobody needs it here any more.

        A piece may come before the image was announced.
        """
        with transaction(self._database) as connection:
            if not _is_needed(connection, hit_id):
                return False
            (count,) = connection.execute(
                "select count(*) from reference_image_parts where hit_id = ?", (hit_id,)
            ).fetchone()
            if count >= MOST_PARTS:
                return False
            connection.execute(
                "insert into reference_image_parts values (?, ?, ?, ?)"
                " on conflict do nothing",
                (hit_id, reference_id, part, data),
            )
            _complete(connection, hit_id, reference_id, at)
        return True

    def images(self, hit_id: str) -> list[HitImage]:
        """Return the images that were announced, in the hub's order."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select reference_id, modality, position, data is not null"
                " from reference_images where hit_id = ? order by place",
                (hit_id,),
            ).fetchall()
        return [
            HitImage(name, Modality(modality), FingerPosition(position), bool(is_here))
            for name, modality, position, is_here in rows
        ]

    def image(self, hit_id: str, index: int) -> bytes | None:
        """Return an image by its place, None if it is not there or not whole."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select data from reference_images where hit_id = ?"
                " order by place limit 1 offset ?",
                (hit_id, index),
            ).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def arrived_after(self, mark: str) -> tuple[str, list[str]]:
        """Return a mark for the next call, and the hits with images come since."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select max(arrived_at), hit_id from reference_images"
                " where arrived_at > ? group by hit_id",
                (mark,),
            ).fetchall()
        return max([mark, *(row[0] for row in rows)]), [row[1] for row in rows]


def drop_unneeded(connection: sqlite3.Connection, *, at: datetime) -> None:
    """Delete the images of hits that are over, inside the caller's transaction."""
    held = connection.execute(
        "select hit_id from reference_images"
        " union select hit_id from reference_image_parts"
    ).fetchall()
    for (hit_id,) in held:
        if _is_needed(connection, hit_id):
            continue
        for table in ("reference_images", "reference_image_parts"):
            connection.execute(f"delete from {table} where hit_id = ?", (hit_id,))  # noqa: S608  a constant
        append_audit(
            connection,
            at=at,
            actor="edge-sync",
            action="deleted reference images",
            subject=hit_id,
        )


def _is_needed(connection: sqlite3.Connection, hit_id: str) -> bool:
    row = connection.execute(_IS_NEEDED, (hit_id, *_OPEN)).fetchone()
    return bool(row[0])


def _complete(
    connection: sqlite3.Connection, hit_id: str, reference_id: str, at: datetime
) -> None:
    """Put an image together if all of it is here; what is not as announced goes."""
    place = (hit_id, reference_id)
    row = connection.execute(
        "select size, digest from reference_images"
        " where hit_id = ? and reference_id = ? and data is null",
        place,
    ).fetchone()
    if row is None:
        return
    size, digest = row
    parts = connection.execute(
        "select part, data from reference_image_parts"
        " where hit_id = ? and reference_id = ? order by part",
        place,
    ).fetchall()
    whole = b"".join(data for _, data in parts)
    is_gapless = [part for part, _ in parts] == list(range(len(parts)))
    if len(whole) < size or not is_gapless:
        return
    if len(whole) == size and hashlib.sha256(whole).digest() == digest:
        connection.execute(
            "update reference_images set data = ?, arrived_at = ?"
            " where hit_id = ? and reference_id = ?",
            (whole, at.isoformat(), *place),
        )
    connection.execute(
        "delete from reference_image_parts where hit_id = ? and reference_id = ?", place
    )
