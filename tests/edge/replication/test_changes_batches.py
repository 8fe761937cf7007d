from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigurationError, WatchlistError
from edge.replication.changes import (
    CONTENT_BYTES,
    MAX_CONTENT_BYTES,
    batches,
    make_changes,
    read_changes,
)
from edge.replication.head import MAX_VALID_S, make_head, read_head

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, CONTENT_BYTES + 10).map(bytes), max_size=12))
def test_batches_hold_all_records_in_order_and_fit(records):
    made = list(batches(records))
    assert [record for batch in made for record in batch] == records
    for batch in made:
        assert len(batch) == 1 or sum(map(len, batch)) <= CONTENT_BYTES


def test_a_batch_holds_256_short_records():
    assert [len(batch) for batch in batches([b"x"] * 600)] == [256, 256, 88]


def test_the_records_of_a_batch_are_read_only_when_they_are_needed():
    def records():
        yield from [b"x"] * 257
        raise AssertionError

    assert len(next(batches(records()))) == 256


def test_what_cannot_be_compressed_still_fits_the_content_of_a_batch(hub):
    noise = [hub.key.sign(b"%d" % i) * 40 for i in range(256)]
    batch = next(batches(noise * 2))
    after = replace(hub.positions[0], sequence=len(batch))
    data = make_changes(hub.positions[0], after, batch, hub.content_key, hub.key)
    assert len(read_changes(data, hub.anchors()).content) <= CONTENT_BYTES


def test_a_batch_states_where_it_begins_and_ends(hub):
    batch = read_changes(hub.changes(3, 8), hub.anchors())
    before, after = hub.positions[3], hub.positions[8]
    assert (batch.after, batch.chain_before) == (3, before.chain)
    assert (batch.upto, batch.chain_after) == (8, after.chain)
    assert (batch.digest_after, batch.count_after) == (after.digest, after.count)


def test_nothing_in_a_batch_is_readable_without_the_content_key(make_hub):
    hub = make_hub()
    hub.add(3, text="a word that must not be seen")
    data = hub.changes(0, 3) + hub.take_snapshot() + b"".join(hub.chunks.values())
    for word in (b"person", b"word", b"invented"):
        assert word not in data


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_batch_of_another_number_of_records_is_not_made(hub, count):
    with pytest.raises(WatchlistError, match="records for them"):
        make_changes(
            hub.positions[0],
            hub.positions[2],
            hub.records[:count],
            hub.content_key,
            hub.key,
        )


def test_a_record_longer_than_any_booth_takes_is_not_sent(hub):
    noise = b"".join(hub.key.sign(b"%d" % i) for i in range(MAX_CONTENT_BYTES // 64))
    with pytest.raises(WatchlistError, match="allowed in a batch"):
        make_changes(
            hub.positions[0],
            hub.positions[1],
            [noise + bytes(100)],
            hub.content_key,
            hub.key,
        )


def test_a_head_says_where_the_log_ends_and_until_when_that_holds(hub):
    head = read_head(hub.head(START, valid_s=60), hub.anchors())
    assert head.position == hub.position
    assert (head.expires_at - head.issued_at).total_seconds() == 60


@pytest.mark.parametrize("valid_s", [0, -1, MAX_VALID_S + 1])
def test_a_head_for_no_time_or_for_ever_is_not_made(hub, valid_s):
    with pytest.raises(ConfigurationError, match="valid for"):
        make_head(hub.position, 1, 0, START, valid_s, hub.key)
