from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import WatchlistError
from edge.replication.manifest import read_manifest
from edge.replication.position import LogPosition
from edge.replication.set_digest import SetDigest, record_digest
from edge.replication.snapshot import BUCKET_BYTES, SnapshotBuilder, entry_key
from edge.trust.keys import ContentKey, SigningKey

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOG = "ab" * 16
KEY = ContentKey.generate(1)


def in_order(entries):
    return sorted(entries.items(), key=lambda item: entry_key(item[0]))


def position_of(entries, *, sequence=10**6):
    lanes = SetDigest()
    for entry_id, record in entries.items():
        lanes.add(entry_id, record_digest(record))
    return LogPosition(LOG, sequence, b"c" * 32, lanes.digest(), len(entries))


def chunks_of(entries, *, key=KEY, reuse=lambda _digest: None):
    builder = SnapshotBuilder(position_of(entries), key, reuse)
    return list(builder.chunks(in_order(entries)))


def many(count, size=4000):
    return {f"person-{i}": b"%d" % i + bytes(size) for i in range(count)}


def test_a_snapshot_gives_back_every_entry(make_hub, make_booth):
    hub = make_hub()
    hub.add(300, text="x" * 3500)
    hub.withdraw("person-7")
    booth = make_booth(hub)
    booth.manifest(hub.take_snapshot())
    assert len(hub.chunks) >= 3
    for data in hub.chunks.values():
        booth.chunk(data)
    assert booth.entries == hub.entries
    assert booth.position == hub.position


def test_an_empty_watchlist_has_a_snapshot_without_chunks(make_hub, make_booth):
    hub = make_hub()
    hub.add(1)
    hub.withdraw("person-1")
    booth = make_booth(hub)
    booth.manifest(hub.take_snapshot())
    assert hub.chunks == {}
    assert booth.position == hub.position


def test_chunks_stay_within_their_size_and_are_not_tiny():
    chunks = chunks_of(many(1000))
    sizes = [chunk.line.inflated_size for chunk in chunks]
    assert max(sizes) <= BUCKET_BYTES + 8 * 100
    assert sum(sizes) / len(sizes) > BUCKET_BYTES / 3


def test_an_entry_longer_than_a_chunk_gets_one_of_its_own():
    entries = many(50) | {"large": bytes(BUCKET_BYTES + 1)}
    chunks = chunks_of(entries)
    alone = [chunk for chunk in chunks if chunk.line.entries == 1]
    assert any(chunk.line.inflated_size > BUCKET_BYTES for chunk in alone)
    assert sum(chunk.line.entries for chunk in chunks) == 51


def test_one_change_leaves_the_other_chunks_as_they_are():
    entries = many(1000)
    kept = {chunk.plaintext_digest: chunk.data for chunk in chunks_of(entries)}
    entries["person-500"] += b"changed"
    del entries["person-17"]
    entries["one more"] = bytes(4000)
    later = chunks_of(entries, reuse=kept.get)
    made = [chunk for chunk in later if not chunk.is_reused]
    assert len(made) <= 2 * 3 < len(later)  # a bucket may have been split
    for chunk in later:
        assert chunk.is_reused == (chunk.data in kept.values())
        assert chunk.line.digest == record_digest(chunk.data)


def test_growth_splits_buckets_one_by_one():
    few, more = many(1000), many(1010)
    before = {chunk.plaintext_digest for chunk in chunks_of(few)}
    after = {chunk.plaintext_digest for chunk in chunks_of(more)}
    assert len(after - before) <= 2 * 10
    assert before & after


def test_a_chunk_of_another_epoch_does_not_serve_again():
    entries = many(10)
    kept = {chunk.plaintext_digest: chunk.data for chunk in chunks_of(entries)}
    later = chunks_of(entries, key=ContentKey.generate(2), reuse=kept.get)
    assert not any(chunk.is_reused for chunk in later)


def test_chunks_come_one_at_a_time_before_the_last_entry_was_read():
    read = []

    def entries():
        for item in in_order(many(1000)):
            read.append(item[0])
            yield item

    builder = SnapshotBuilder(position_of({}), KEY)
    chunks = builder.chunks(entries())
    first = next(chunks)
    # One bucket is held, and what is looked ahead of it.
    assert len(read) - first.line.entries <= BUCKET_BYTES // 4000 + 2


def test_entries_out_of_order_are_refused():
    entries = in_order(many(3))
    for wrong in (entries[::-1], [*entries, entries[-1]]):
        builder = SnapshotBuilder(position_of({}), KEY)
        with pytest.raises(WatchlistError, match="order"):
            list(builder.chunks(wrong))


def test_a_manifest_of_other_entries_than_the_positions_is_not_made():
    key = SigningKey.generate()
    entries = many(3)
    missing = in_order(entries)[:-1]
    changed = [(entry_id, record + b"x") for entry_id, record in in_order(entries)]
    for wrong in (missing, changed):
        builder = SnapshotBuilder(position_of(entries), KEY)
        list(builder.chunks(wrong))
        with pytest.raises(WatchlistError, match="not the 3 of this position"):
            builder.manifest(START, key)


def test_there_is_no_snapshot_of_the_beginning():
    builder = SnapshotBuilder(position_of({}, sequence=0), KEY)
    assert list(builder.chunks([])) == []
    with pytest.raises(WatchlistError, match="no change in the log"):
        builder.manifest(START, SigningKey.generate())


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.integers(0, BUCKET_BYTES + 10).map(bytes),
        max_size=12,
    )
)
def test_any_entries_are_all_there_in_order_and_in_spans_that_fit(entries):
    builder = SnapshotBuilder(position_of(entries), KEY)
    chunks = list(builder.chunks(in_order(entries)))
    assert sum(chunk.line.entries for chunk in chunks) == len(entries)
    for chunk in chunks:
        is_small = chunk.line.inflated_size <= BUCKET_BYTES + 100
        assert is_small or chunk.line.entries == 1
    key = SigningKey.generate()
    data = builder.manifest(START, key)
    manifest = read_manifest(data, _Authority(key))
    assert list(manifest.lines()) == [chunk.line for chunk in chunks]


class _Authority:
    log = LOG

    def __init__(self, key):
        self.watchlist_keys = {key.public.key_id: key.public}
