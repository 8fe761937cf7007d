"""What a simulated booth keeps, in memory: the ports of edge.sync without a disk.

A thousand booths of 180,000 entries each would not fit: all booths of a process share
the set that they start with, and each holds only what has changed since.
"""

from __future__ import annotations

import secrets
from collections import ChainMap
from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason, StoreError
from edge.replication.position import advanced
from edge.replication.set_digest import SetDigest, record_digest
from edge.terms import ChangeOperation, OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from edge.replication.position import LogPosition, RecordedChange
    from edge.replication.replica import AcceptedChanges

URGENT = ("hit", "decision", "answer")


class MemoryOutbox:
    """Implements edge.sync.assembly.BoothOutbox."""

    def __init__(self) -> None:
        self._stream = secrets.token_hex(8)
        self._rows: dict[str, OutboxMessage] = {}
        self._sequence = 0
        self.cleared = 0

    def stream(self) -> str:
        return self._stream

    def post(
        self, kind: str, body: bytes, *, at: datetime, message_id: str | None = None
    ) -> int:
        self._sequence += 1
        name = message_id or f"{self._stream}-{self._sequence}"
        row = OutboxMessage(name, self._sequence, kind, body, at)
        self._rows[name] = row
        return self._sequence

    def next_rows(self, *, limit: int, besides: Collection[str]) -> list[OutboxMessage]:
        waiting = [row for name, row in self._rows.items() if name not in besides]
        waiting.sort(key=lambda row: (row.kind not in URGENT, row.sequence))
        return waiting[:limit]

    def row(self, message_id: str) -> OutboxMessage | None:
        return self._rows.get(message_id)

    def clear_many(self, message_ids: Sequence[str], *, at: datetime) -> int:
        del at
        cleared = sum(self._rows.pop(name, None) is not None for name in message_ids)
        self.cleared += cleared
        return cleared

    def reissue(
        self, stream: str, ranges: Sequence[tuple[int, int]], *, at: datetime
    ) -> int:
        del stream, ranges, at
        return 0

    def depth(self) -> int:
        return len(self._rows)


class MemoryReplica:
    """Implements edge.sync.assembly.BoothReplica: record digests instead of entries."""

    def __init__(
        self,
        position: LogPosition | None = None,
        entries: dict[str, bytes] | None = None,
        digest: SetDigest | None = None,
    ) -> None:
        """Start where others are: entries, entry id to record digest, is shared."""
        self._position = position
        # Only the first map of a ChainMap is ever written.
        shared: dict[str, bytes] = entries if entries is not None else {}
        self._entries: ChainMap[str, bytes] = ChainMap({}, shared)
        self._gone: set[str] = set()
        self._digest = digest.copy() if digest is not None else SetDigest()
        self._documents: dict[str, bytes] = {}
        self._chunks: dict[bytes, bytes] = {}
        self._manifest: bytes | None = None
        self._trusted_at: datetime | None = None
        self._withdrawn: list[tuple[int, str]] = []

    def position(self) -> LogPosition | None:
        return self._position

    def apply(
        self, accepted: AcceptedChanges, *, at: datetime
    ) -> list[tuple[int, str]]:
        del at
        position = accepted.before
        for item in accepted.changes:
            position = advanced(
                position, self._digest, item, self._held(item.change.entry_id)
            )
            self._keep(item)
        if position != accepted.after:
            raise RefusalError(RefusalReason.MIXED, "the set is not the one announced")
        self._position = position
        withdrawn = [
            (item.change.sequence, item.change.entry_id)
            for item in accepted.changes
            if item.change.operation is ChangeOperation.WITHDRAW
        ]
        self._withdrawn += withdrawn
        return withdrawn

    def begin_snapshot(self, manifest: bytes, digests: Collection[bytes]) -> None:
        self._manifest = manifest
        self._chunks = {d: c for d, c in self._chunks.items() if d in digests}

    def snapshot(self) -> bytes | None:
        return self._manifest

    def missing_chunks(self, digests: Sequence[bytes]) -> list[bytes]:
        return [digest for digest in digests if digest not in self._chunks]

    def add_chunk(self, digest: bytes, data: bytes) -> None:
        self._chunks[digest] = data

    def chunk(self, digest: bytes) -> bytes:
        try:
            return self._chunks[digest]
        except KeyError:
            message = "a chunk of the snapshot is missing"
            raise StoreError(message) from None

    def drop_snapshot(self) -> None:
        self._manifest = None
        self._chunks.clear()

    def apply_snapshot(
        self, position: LogPosition, records: Iterator[RecordedChange], *, at: datetime
    ) -> list[tuple[int, str]]:
        del at
        digest, entries = SetDigest(), {}
        for item in records:
            entries[item.change.entry_id] = record_digest(item.record)
            digest.add(item.change.entry_id, entries[item.change.entry_id])
        if (digest.digest(), len(entries)) != (position.digest, position.count):
            raise RefusalError(RefusalReason.MIXED, "the snapshot is not its position")
        gone = [
            name for name in self._entries if self._held(name) and name not in entries
        ]
        self._entries, self._gone = ChainMap(entries), set()
        self._digest, self._position = digest, position
        self.drop_snapshot()
        return [(position.sequence, name) for name in gone]

    def document(self, name: str) -> bytes | None:
        return self._documents.get(name)

    def save_document(self, name: str, data: bytes) -> None:
        self._documents[name] = data

    def latest_trusted_at(self) -> datetime | None:
        return self._trusted_at

    def save_latest_trusted_at(self, at: datetime) -> None:
        self._trusted_at = at

    def withdrawn(self, *, limit: int) -> list[tuple[int, str]]:
        return self._withdrawn[:limit]

    def receipted(self, withdrawn: Sequence[tuple[int, str]]) -> None:
        del self._withdrawn[: len(withdrawn)]

    def scrub(self) -> bool:
        return True

    def _held(self, entry_id: str) -> bytes | None:
        return None if entry_id in self._gone else self._entries.get(entry_id)

    def _keep(self, item: RecordedChange) -> None:
        entry_id = item.change.entry_id
        if item.change.operation is ChangeOperation.WITHDRAW:
            self._gone.add(entry_id)
        else:
            self._gone.discard(entry_id)
            self._entries[entry_id] = record_digest(item.record)


class MemoryCommands:
    """Implements edge.sync.commands.CommandStore."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self.instructions: dict[str, tuple[str, str]] = {}

    def is_command_known(self, command_id: str) -> bool:
        return command_id in self._known

    def note_command(self, command_id: str, kind: str, *, at: datetime) -> None:
        del kind, at
        self._known.add(command_id)

    def add_instruction(
        self, hit_id: str, text: str, command_id: str, *, at: datetime
    ) -> None:
        del at
        self.instructions[command_id] = (hit_id, text)
