"""Snapshots: the watchlist as it stands, in encrypted chunks under a signed manifest.

A chunk holds the entries of one bucket. A bucket is the largest span of SHA-256(entry
id) that begins with the same bits and whose records fit BUCKET_BYTES. What one bucket
spans depends on its own entries alone, so a change moves no boundary but its own, and
the chunk of a bucket that has not changed serves again in the next snapshot.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import WatchlistError
from edge.replication.manifest import (
    ChunkLine,
    chunk_address,
    chunk_context,
    make_manifest,
)
from edge.replication.packing import array_of, deflated
from edge.replication.set_digest import SetDigest, record_digest
from edge.trust.cose import encrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from edge.replication.position import LogPosition
    from edge.trust.keys import ContentKey, SigningKey

# Compressed, 100 to 192 KiB of entries with two fingers and a face.
BUCKET_BYTES = 320 * 1024
_KEYS = 1 << 256


@dataclass(frozen=True)
class Chunk:
    """One chunk as it is sent. plaintext_digest: finds it again if nothing changed."""

    data: bytes
    line: ChunkLine
    plaintext_digest: bytes
    is_reused: bool


@dataclass(frozen=True)
class _Item:
    key: int
    entry_id: str
    record: bytes


class SnapshotBuilder:
    """Makes one snapshot: first take all chunks, then the manifest.

    Memory: one bucket and 100 bytes a chunk, whatever the size of the watchlist.
    """

    def __init__(
        self,
        position: LogPosition,
        content_key: ContentKey,
        reuse: Callable[[bytes], bytes | None] = lambda _plaintext_digest: None,
    ) -> None:
        """Start a snapshot of the entries at position.

        reuse: told a plaintext digest, returns the chunk that an earlier snapshot made
        of it, or None.
        """
        self._position = position
        self._content_key = content_key
        self._context = chunk_context(position.log, content_key.epoch)
        self._reuse = reuse
        self._lines: list[ChunkLine] = []
        self._entries = SetDigest()
        self._count = 0

    def chunks(self, entries: Iterable[tuple[str, bytes]]) -> Iterator[Chunk]:
        """Yield the chunks one by one.

        entries: entry id and the record of the change that made the entry as it stands,
        ascending by SHA-256 of the entry id.

        Raises:
            WatchlistError: the entries are not in this order.
        """
        for bucket in _buckets(_Source(_in_order(entries)), 0, _KEYS):
            for item in bucket:
                self._entries.add(item.entry_id, record_digest(item.record))
            self._count += len(bucket)
            chunk = self._chunk([item.record for item in bucket])
            self._lines.append(chunk.line)
            yield chunk

    def manifest(self, issued_at: datetime, key: SigningKey) -> bytes:
        """Return the signed manifest of the chunks taken.

        Raises:
            WatchlistError: they do not hold the entries of the position, or that is
                the beginning of the log.
        """
        position = self._position
        if position.sequence == 0:
            raise WatchlistError("snapshot: there is no change in the log yet")
        found = (self._count, self._entries.digest())
        if found != (position.count, position.digest):
            raise WatchlistError(
                f"snapshot at {position.sequence}: {self._count} entries that are not "
                f"the {position.count} of this position"
            )
        epoch = self._content_key.epoch
        return make_manifest(position, epoch, self._lines, issued_at, key)

    def _chunk(self, records: list[bytes]) -> Chunk:
        plaintext = array_of(records)
        # The context is in the digest: a chunk of another epoch never serves again.
        digest = hashlib.sha256(self._context + plaintext).digest()
        earlier = self._reuse(digest)
        data = earlier if earlier is not None else self._encrypted(plaintext)
        line = ChunkLine(chunk_address(data), len(data), len(plaintext), len(records))
        return Chunk(data, line, digest, earlier is not None)

    def _encrypted(self, plaintext: bytes) -> bytes:
        return encrypt(deflated(plaintext), self._content_key, context=self._context)


def entry_key(entry_id: str) -> bytes:
    """Return what the entries of a snapshot are sorted by, 32 bytes."""
    return hashlib.sha256(entry_id.encode()).digest()


def _in_order(entries: Iterable[tuple[str, bytes]]) -> Iterator[_Item]:
    last = -1
    for entry_id, record in entries:
        key = int.from_bytes(entry_key(entry_id), "big")
        if key <= last:
            raise WatchlistError(
                f"snapshot: entry {entry_id} comes out of the order of SHA-256"
            )
        last = key
        yield _Item(key, entry_id, record)


class _Source:
    """Items with as much foresight as one bucket needs."""

    def __init__(self, items: Iterator[_Item]) -> None:
        self._items = items
        self._ahead: deque[_Item] = deque()

    def take_if_fits(self, end: int) -> list[_Item] | None:
        """Take the items with keys below end, or none of them if they do not fit."""
        size = 0
        for place, item in enumerate(self._looking_ahead()):
            if item.key >= end:
                return self._take(place)
            size += len(item.record)
            if size > BUCKET_BYTES and place > 0:
                return None
        return self._take(len(self._ahead))

    def _looking_ahead(self) -> Iterator[_Item]:
        yield from tuple(self._ahead)
        for item in self._items:
            self._ahead.append(item)
            yield item

    def _take(self, count: int) -> list[_Item]:
        return [self._ahead.popleft() for _ in range(count)]


def _buckets(source: _Source, start: int, end: int) -> Iterator[list[_Item]]:
    items = source.take_if_fits(end)
    if items is None:
        middle = (start + end) // 2
        yield from _buckets(source, start, middle)
        yield from _buckets(source, middle, end)
    elif items:
        yield items
