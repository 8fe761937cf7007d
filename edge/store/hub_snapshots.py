"""The hub's snapshots and their chunks. Implements edge.hub.store_port.HubSnapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlite_utils

    from edge.replication.snapshot import Chunk

# A booth that began with the one before the newest can still finish it.
KEPT_SNAPSHOTS = 2


class StoredHubSnapshots:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def newest(self) -> tuple[int, int, bytes] | None:
        """Return sequence, epoch and signed manifest of the newest snapshot."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select sequence, epoch, manifest from snapshots"
                " order by number desc limit 1"
            ).fetchone()
        return None if row is None else (row[0], row[1], row[2])

    def add_chunk(self, chunk: Chunk) -> None:
        """Keep a chunk; one of the same text stays as it is."""
        with transaction(self._database) as connection:
            connection.execute(
                "insert into snapshot_chunks values (?, ?, ?) on conflict do nothing",
                (chunk.line.digest, chunk.plaintext_digest, chunk.data),
            )

    def chunk(self, address: bytes) -> bytes | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select data from snapshot_chunks where address = ?", (address,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def chunk_of_text(self, plaintext_digest: bytes) -> bytes | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select data from snapshot_chunks where plaintext_digest = ?",
                (plaintext_digest,),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def publish(
        self, *, sequence: int, epoch: int, manifest: bytes, addresses: Sequence[bytes]
    ) -> None:
        """Make a snapshot the newest; drop what only older than the last two need."""
        with transaction(self._database) as connection:
            (number,) = connection.execute(
                "insert into snapshots (sequence, epoch, manifest) values (?, ?, ?)"
                " returning number",
                (sequence, epoch, manifest),
            ).fetchone()
            connection.executemany(
                "insert into snapshot_contents values (?, ?)",
                ((number, address) for address in addresses),
            )
            connection.execute(
                "delete from snapshots where number not in"
                " (select number from snapshots order by number desc limit ?)",
                (KEPT_SNAPSHOTS,),
            )
            connection.execute(
                "delete from snapshot_chunks where address not in"
                " (select address from snapshot_contents)"
            )
