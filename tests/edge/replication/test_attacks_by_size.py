"""Somebody sends more than a booth can hold, or little that claims to be much.

What is unsigned is refused by its length alone. The rest could only be sent by a hub
that is broken or whose key was stolen; the booth must stay up even then.
"""

import tracemalloc
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime

import cbor2
import pytest

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.replication.changes import MAX_CHANGES_BYTES, Changes, changes_context
from edge.replication.head import MAX_HEAD_BYTES
from edge.replication.manifest import (
    MAX_CHUNK_BYTES,
    MAX_MANIFEST_BYTES,
    ChunkLine,
    chunk_context,
    make_manifest,
)
from edge.replication.packing import MAX_INFLATED_BYTES, array_of
from edge.replication.position import LogPosition
from edge.replication.set_digest import record_digest
from edge.trust.cose import encrypt, sign

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIB = 1024 * 1024


@contextmanager
def refused(reason):
    with pytest.raises(RefusalError) as caught:
        yield
    assert caught.value.reason is reason


@contextmanager
def memory_below(limit_bytes):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit_bytes
    finally:
        tracemalloc.stop()


def batch_of(hub, packed, *, after=0, upto=1):
    """Return a signed batch with any content, already packed."""
    context = changes_context(hub.log, after, upto)
    batch = Changes(
        log=hub.log,
        epoch=1,
        after=after,
        upto=upto,
        chain_before=hub.positions[after].chain,
        chain_after=b"x" * 32,
        digest_after=b"x" * 32,
        count_after=1,
        content=encrypt(packed, hub.content_key, context=context),
    )
    return sign(batch.encode(), hub.key)


def manifest_of(hub, lines):
    count = sum(line.entries for line in lines)
    position = LogPosition(hub.log, 2**40, b"x" * 32, b"x" * 32, count)
    return make_manifest(position, 1, lines, START, hub.key)


def line(number, *, size=1000, inflated_size=1000, entries=1):
    return ChunkLine(record_digest(b"%d" % number), size, inflated_size, entries)


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("head", MAX_HEAD_BYTES),
        ("changes", MAX_CHANGES_BYTES),
        ("manifest", MAX_MANIFEST_BYTES),
        ("chunk", MAX_CHUNK_BYTES),
    ],
)
def test_endless_bytes_are_refused_by_their_length_before_they_are_read(
    hub, booth, kind, limit
):
    booth.manifest(hub.take_snapshot())
    endless = bytes(limit + 1)
    with memory_below(MIB), refused(RefusalReason.TOO_LARGE):
        booth.chunk(endless) if kind == "chunk" else getattr(booth, kind)(endless)


def test_a_zip_bomb_in_changes_is_stopped_at_the_cap(hub, booth):
    bomb = batch_of(hub, zlib.compress(bytes(500 * MIB), 9))
    with memory_below(4 * MAX_INFLATED_BYTES), refused(RefusalReason.TOO_LARGE):
        booth.changes(bomb)
    assert booth.entries == {}


def test_a_zip_bomb_in_a_chunk_is_stopped_at_the_size_that_the_manifest_states(
    hub, booth
):
    data = encrypt(
        zlib.compress(bytes(500 * MIB), 9),
        hub.content_key,
        context=chunk_context(hub.log, 1),
    )
    stated = ChunkLine(record_digest(data), len(data), 1000, 1)
    manifest = booth.manifest(manifest_of(hub, [stated]))
    with memory_below(8 * MIB), refused(RefusalReason.TOO_LARGE):
        booth.replica.open_chunk(manifest, data)


def test_a_chunk_shorter_than_stated_is_not_taken(hub, booth):
    plaintext = array_of([hub.records[0]])
    data = encrypt(
        zlib.compress(plaintext), hub.content_key, context=chunk_context(hub.log, 1)
    )
    stated = ChunkLine(record_digest(data), len(data), len(plaintext) + 1, 1)
    manifest = booth.manifest(manifest_of(hub, [stated]))
    with refused(RefusalReason.MIXED):
        booth.replica.open_chunk(manifest, data)


def test_a_chunk_of_another_size_than_stated_is_not_taken(hub, booth):
    plaintext = array_of([hub.records[0]])
    data = encrypt(
        zlib.compress(plaintext), hub.content_key, context=chunk_context(hub.log, 1)
    )
    stated = ChunkLine(record_digest(data), len(data) + 1, len(plaintext), 1)
    manifest = booth.manifest(manifest_of(hub, [stated]))
    with refused(RefusalReason.MIXED):
        booth.replica.open_chunk(manifest, data)


def test_a_chunk_of_fewer_entries_than_stated_is_not_taken(hub, booth):
    plaintext = array_of([hub.records[0]])
    data = encrypt(
        zlib.compress(plaintext), hub.content_key, context=chunk_context(hub.log, 1)
    )
    stated = ChunkLine(record_digest(data), len(data), len(plaintext), 2)
    manifest = booth.manifest(manifest_of(hub, [stated]))
    with refused(RefusalReason.MIXED):
        booth.replica.open_chunk(manifest, data)


def test_too_many_chunks_are_refused(hub, booth):
    lines = [line(number) for number in range(65_537)]
    with refused(RefusalReason.TOO_LARGE):
        booth.manifest(manifest_of(hub, lines))
    assert booth.replica.fetching is None


def test_a_manifest_of_more_bytes_than_any_booth_holds_is_refused(hub, booth):
    lines = [line(number, inflated_size=MAX_CHUNK_BYTES) for number in range(513)]
    with refused(RefusalReason.TOO_LARGE):  # 4 GiB and one chunk
        booth.manifest(manifest_of(hub, lines))
    assert booth.replica.fetching is None


def test_a_manifest_of_more_entries_than_any_watchlist_has_is_refused(hub, booth):
    with refused(RefusalReason.TOO_LARGE):
        booth.manifest(manifest_of(hub, [line(0, entries=5_000_001)]))


def test_a_chunk_stated_larger_than_any_chunk_is_refused(hub, booth):
    position = LogPosition(hub.log, 20, b"x" * 32, b"x" * 32, 1)
    with pytest.raises(MessageError, match="chunks"):
        booth.manifest(manifest_with_size(hub, position, MAX_CHUNK_BYTES + 1))
    booth.manifest(manifest_with_size(hub, position, MAX_CHUNK_BYTES))


def manifest_with_size(hub, position, size):
    """Sign a manifest past the maker, which would not make it."""
    fields = {
        "v": 1,
        "type": "manifest",
        "log": hub.log,
        "epoch": 1,
        "sequence": position.sequence,
        "chain": position.chain,
        "digest": position.digest,
        "count": 1,
        "chunks": [[b"x" * 32, size, size, 1]],
        "issued_at": 0,
    }
    return sign(cbor2.dumps(fields, canonical=True), hub.key)


@pytest.mark.parametrize(
    "content",
    [
        b"\x9f" + b"\x41x" * 10,  # an array without an end
        b"\x9f" + b"\x41x" + b"\xff",  # an array that does not say how long it is
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # 2**64 - 1 records, it says
        b"\x9a\x7f\xff\xff\xff",
        b"\x81\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",  # a record of 8 EiB, it says
        b"\x81" * 100_000,  # arrays in arrays
        b"\x81\xd8\x1c\x41x",  # a tag
        b"\x81\x61x",  # text
        b"\x81\x41x\x00",  # something after it
        b"",
    ],
    ids=lambda content: content[:4].hex() or "empty",
)
def test_an_endless_or_odd_array_of_records_is_refused(hub, booth, content):
    with memory_below(8 * MIB), pytest.raises(MessageError):
        booth.changes(batch_of(hub, zlib.compress(content)))
    assert booth.entries == {}


def test_a_batch_that_claims_more_changes_than_a_batch_has_is_refused(hub, booth):
    many = zlib.compress(array_of([b"x"] * 257))
    with refused(RefusalReason.TOO_LARGE):
        booth.changes(batch_of(hub, many, upto=257))
    with refused(RefusalReason.TOO_LARGE):
        booth.changes(batch_of(hub, many, upto=2**62))
    assert booth.entries == {}


def test_a_batch_that_ends_before_it_begins_is_refused(hub, booth):
    for after in (10, 5):
        with pytest.raises(MessageError):
            booth.changes(batch_of(hub, zlib.compress(b"\x80"), after=after, upto=5))


@pytest.mark.parametrize("damage", ["cut", "trailing", "twice", "none"])
def test_content_that_is_no_single_zlib_stream_is_refused(hub, booth, damage):
    packed = zlib.compress(array_of(hub.records[:1]))
    spoilt = {
        "cut": packed[:-1],
        "trailing": packed + b"\x00",
        "twice": packed + packed,
        "none": b"no zlib",
    }[damage]
    with pytest.raises(MessageError, match=r"no zlib|cut off"):
        booth.changes(batch_of(hub, spoilt))
