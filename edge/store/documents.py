"""What a booth goes on from after a restart, besides the list: signed objects, time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edge.store.database import mapped_errors, transaction
from edge.store.entry_rows import instant_text

if TYPE_CHECKING:
    import sqlite_utils


class StoredDocuments:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def document(self, name: str) -> bytes | None:
        """Return a document as it was saved last."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select content from documents where name = ?", (name,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def save_document(self, name: str, data: bytes) -> None:
        with transaction(self._database) as connection:
            connection.execute(
                "insert into documents values (?, ?)"
                " on conflict do update set content = excluded.content",
                (name, data),
            )

    def latest_trusted_at(self) -> datetime | None:
        with mapped_errors("read"):
            (text,) = self._database.conn.execute(
                "select latest_trusted_at from watchlist_state"
            ).fetchone()
        return None if text is None else datetime.fromisoformat(text)

    def save_latest_trusted_at(self, at: datetime) -> None:
        """Note how far the clock is believed; an earlier instant changes nothing."""
        with transaction(self._database) as connection:
            connection.execute(
                "update watchlist_state set latest_trusted_at = ?1"
                " where latest_trusted_at is null or latest_trusted_at < ?1",
                (instant_text(at),),
            )
