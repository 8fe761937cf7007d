"""Somebody between hub and booth replays, withholds, mixes and cuts honest messages.

He cannot sign. Each test says what he does and what the booth keeps. Attacks by forged
signatures, by size, on the clock and by disorder have files of their own beside this.
"""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.replication.chain import chain_step
from edge.replication.changes import Changes, changes_context, make_changes
from edge.replication.freshness import FreshnessState
from edge.replication.head import make_head
from edge.replication.manifest import make_manifest, read_manifest
from edge.replication.packing import array_of, deflated
from edge.replication.requests import AskChanges, AskChunks, AskNothing
from edge.trust.cose import encrypt, sign

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@contextmanager
def refused(reason):
    with pytest.raises(RefusalError) as caught:
        yield
    assert caught.value.reason is reason


# Rollback: what was true once is said again


def test_rollback_by_a_head_of_an_earlier_state_leaves_the_newest_head(hub, full_booth):
    earlier = hub.head(START + MINUTE, sequence=9)
    with refused(RefusalReason.ROLLBACK):
        full_booth.head(earlier, START + MINUTE)
    assert full_booth.replica.newest.sequence == 10


def test_rollback_by_an_earlier_head_of_the_same_state_does_not_shorten_freshness(
    hub, full_booth
):
    later = hub.head(START + 10 * MINUTE)
    full_booth.head(later, START + 10 * MINUTE)
    with refused(RefusalReason.ROLLBACK):
        full_booth.head(hub.head(START), START + 11 * MINUTE)
    assert full_booth.replica.newest.issued_at == START + 10 * MINUTE


def test_rollback_by_a_hub_restored_from_an_old_backup_is_seen_after_a_booth_restart(
    hub, make_booth
):
    # The restored hub signs with the right key and the right time, but an old state.
    restarted = make_booth(hub, held=hub.position)
    with refused(RefusalReason.ROLLBACK):
        restarted.head(hub.head(START, sequence=7))
    assert restarted.position == hub.position
    assert restarted.replica.freshness(START).state is FreshnessState.UNKNOWN


def test_rollback_by_a_replayed_batch_of_changes_moves_nothing(hub, full_booth):
    with refused(RefusalReason.ROLLBACK):
        full_booth.changes(hub.changes(2, 6))
    assert full_booth.position == hub.position


def test_rollback_that_brings_a_withdrawn_person_back_moves_nothing(hub, full_booth):
    hub.withdraw("person-3")
    full_booth.changes(hub.changes(10, 11))
    with refused(RefusalReason.ROLLBACK):
        full_booth.changes(hub.changes(0, 10))
    assert "person-3" not in full_booth.entries


def test_rollback_by_the_manifest_of_an_earlier_snapshot_is_not_fetched(
    hub, full_booth
):
    old = hub.take_snapshot()
    hub.add(5)
    full_booth.changes(hub.changes(10, 15))
    with refused(RefusalReason.ROLLBACK):
        full_booth.manifest(old)
    assert full_booth.replica.fetching is None
    assert full_booth.position == hub.position


# Freeze: time stands still for the booth


def test_freeze_by_an_expired_head_proves_nothing(hub, booth):
    frozen = hub.head(START, valid_s=3600)
    with refused(RefusalReason.EXPIRED):
        booth.head(frozen, START + HOUR)
    assert booth.replica.newest is None
    assert booth.replica.freshness(START + HOUR).state is FreshnessState.UNKNOWN


def test_freeze_by_serving_the_old_head_for_ever_turns_the_booth_stale_on_time(
    hub, full_booth
):
    old = hub.head(START, valid_s=3600)
    hub.add(5)  # of which the booth hears nothing
    for minute in range(60):
        now = START + minute * MINUTE
        full_booth.head(old, now)
        assert full_booth.replica.freshness(now).state is FreshnessState.FRESH
    with refused(RefusalReason.EXPIRED):
        full_booth.head(old, START + HOUR)
    freshness = full_booth.replica.freshness(START + HOUR)
    assert (freshness.state, freshness.as_of) == (FreshnessState.STALE, START)


def test_freeze_by_passing_heads_but_no_changes_shows_behind_and_turns_stale(
    hub, full_booth
):
    hub.add(5)
    for minute in range(1, 60):
        now = START + minute * MINUTE
        full_booth.head(hub.head(now), now)
        assert full_booth.replica.freshness(now).behind == 5
    now = START + HOUR
    full_booth.head(hub.head(now), now)
    freshness = full_booth.replica.freshness(now)
    # Every head is fresh, but none of the last hour speaks of the list that is held.
    assert (freshness.state, freshness.as_of) == (FreshnessState.STALE, START)


# Mix and match: true parts of different wholes


def test_mix_a_chunk_of_another_snapshot_is_not_taken(hub, booth):
    hub.take_snapshot()
    (old_chunk,) = hub.chunks.values()
    hub.add(1)
    manifest = booth.manifest(hub.take_snapshot())
    with refused(RefusalReason.MIXED):
        booth.replica.open_chunk(manifest, old_chunk)
    assert booth.replica.next_request() == AskChunks(tuple(hub.chunks))
    assert booth.position.sequence == 0


def test_mix_changes_of_another_past_do_not_follow_what_is_held(
    hub, full_booth, make_hub
):
    # A second hub with the same log name and key, as after a botched restore.
    other = make_hub(key=hub.key, content_key=hub.content_key)
    other.add(12, prefix="other")
    with refused(RefusalReason.FORK):
        full_booth.changes(other.changes(10, 12))
    with refused(RefusalReason.FORK):
        full_booth.changes(other.changes(0, 12))
    assert full_booth.position == hub.position


def test_mix_changes_that_contradict_the_newest_head_are_not_taken(
    hub, make_booth, make_hub
):
    other = make_hub(key=hub.key, content_key=hub.content_key)
    other.add(12, prefix="other")
    booth = make_booth(hub)
    booth.head(hub.head())
    with refused(RefusalReason.FORK):
        booth.changes(other.changes(0, 12))  # passes the head's sequence in the middle
    assert booth.entries == {}


def test_mix_a_head_of_another_past_is_not_taken(hub, full_booth, make_hub):
    other = make_hub(key=hub.key)
    other.add(10, prefix="other")
    with refused(RefusalReason.FORK):
        full_booth.head(other.head(START + MINUTE), START + MINUTE)
    assert full_booth.replica.newest.chain == hub.position.chain


def test_mix_a_manifest_that_disagrees_with_the_head_is_not_fetched(
    hub, booth, make_hub
):
    other = make_hub(key=hub.key, content_key=hub.content_key)
    other.add(10, prefix="other")
    booth.head(hub.head())
    with refused(RefusalReason.MIXED):
        booth.manifest(other.take_snapshot())
    assert booth.replica.fetching is None


def test_mix_a_head_with_the_digest_of_another_set_is_not_taken(hub, full_booth):
    wrong = replace(hub.position, digest=hub.positions[9].digest)
    head = make_head(wrong, 1, 0, START + MINUTE, 3600, hub.key)
    with refused(RefusalReason.MIXED):
        full_booth.head(head, START + MINUTE)


def test_mix_the_records_of_one_batch_under_the_frame_of_another_are_not_taken(
    hub, booth
):
    # Only the hub itself could sign this; its fault must not get through either.
    mixed = make_changes(
        hub.positions[0], hub.positions[4], hub.records[1:5], hub.content_key, hub.key
    )
    with refused(RefusalReason.MIXED):
        booth.changes(mixed)
    assert booth.entries == {}


def test_mix_records_chained_out_of_their_places_are_not_taken(hub, booth):
    # A frame and a chain that agree with the records, which are not the first four.
    records = hub.records[1:5]
    chain = hub.positions[0].chain
    for record in records:
        chain = chain_step(hub.log, chain, record)
    frame = replace(hub.positions[4], chain=chain)
    mixed = make_changes(hub.positions[0], frame, records, hub.content_key, hub.key)
    with refused(RefusalReason.MIXED):
        booth.replica.accept_changes(mixed, START)


def test_mix_records_of_another_past_under_the_frame_of_this_one_are_not_taken(
    hub, booth, make_hub
):
    # The right numbers and operations: only the chain tells.
    other = make_hub(key=hub.key, content_key=hub.content_key)
    other.add(4, text="Let pass.")
    mixed = make_changes(
        hub.positions[0], hub.positions[4], other.records, hub.content_key, hub.key
    )
    with refused(RefusalReason.MIXED):
        booth.replica.accept_changes(mixed, START)


def test_mix_content_that_was_encrypted_for_another_place_does_not_open(hub, booth):
    elsewhere = changes_context(hub.log, 4, 8)
    packed = deflated(array_of(hub.records[:4]))
    moved = Changes(
        log=hub.log,
        epoch=1,
        after=0,
        upto=4,
        chain_before=hub.positions[0].chain,
        chain_after=hub.positions[4].chain,
        digest_after=hub.positions[4].digest,
        count_after=4,
        content=encrypt(packed, hub.content_key, context=elsewhere),
    )
    with pytest.raises(MessageError, match="of another place"):
        booth.changes(sign(moved.encode(), hub.key))


def test_mix_a_chunk_under_the_manifest_of_another_log_does_not_open(
    hub, booth, make_hub
):
    hub.take_snapshot()
    (data,) = hub.chunks.values()
    other = make_hub(log="cd" * 16, key=hub.key, content_key=hub.content_key)
    lines = read_manifest(hub.manifest_data, hub.anchors()).lines()
    false = make_manifest(
        replace(hub.position, log=other.log), 1, lines, START, hub.key
    )
    booth.replica.trust(other.anchors())
    manifest = booth.replica.accept_manifest(false, START)
    with pytest.raises(MessageError, match="of another place"):
        booth.replica.open_chunk(manifest, data)


def test_mix_one_kind_of_object_never_passes_for_another(hub, booth):
    manifest, head = hub.take_snapshot(), hub.head()
    changes = hub.changes(0, 10)
    for take, wrong in [
        (booth.head, [changes, manifest]),
        (booth.changes, [head, manifest]),
        (booth.manifest, [head, changes]),
    ]:
        for data in wrong:
            with pytest.raises(MessageError):
                take(data)
    assert booth.position.sequence == 0


# Truncation: the end, the middle or a part is missing


def test_truncation_of_the_end_of_the_log_is_shown_as_changes_behind(hub, full_booth):
    hub.add(7)
    full_booth.head(hub.head(START + MINUTE), START + MINUTE)
    full_booth.changes(hub.changes(10, 13))
    assert full_booth.replica.freshness(START + MINUTE).behind == 4
    request = full_booth.replica.next_request()
    assert request == AskChanges(13, hub.positions[13].chain)


def test_truncation_of_the_middle_of_the_log_is_a_gap_and_is_asked_for(hub, full_booth):
    hub.add(7)
    with refused(RefusalReason.GAP):
        full_booth.replica.accept_changes(hub.changes(14, 17), START)
    assert full_booth.position == hub.positions[10]
    request = full_booth.replica.next_request()
    assert request == AskChanges(10, hub.positions[10].chain)


def test_truncation_of_the_first_changes_is_a_gap_for_an_empty_booth(hub, booth):
    with refused(RefusalReason.GAP):
        booth.replica.accept_changes(hub.changes(1, 10), START)
    assert booth.entries == {}


def test_truncation_by_a_record_left_out_of_a_batch_is_not_taken(hub, booth):
    # The two records are consecutive in number only: change 2 never reached the booth.
    skipping = make_changes(
        hub.positions[0],
        replace(hub.positions[3], sequence=2),
        [hub.records[0], hub.records[2]],
        hub.content_key,
        hub.key,
    )
    with refused(RefusalReason.MIXED):
        booth.changes(skipping)
    assert booth.entries == {}


def test_truncation_by_a_missing_chunk_leaves_the_old_list_and_asks_for_it(
    make_hub, make_booth
):
    hub = make_hub()
    hub.add(400, text="x" * 3000)
    booth = make_booth(hub)
    booth.manifest(hub.take_snapshot())
    *arrived, withheld = hub.chunks.items()
    assert len(arrived) >= 2
    for _, data in arrived:
        booth.chunk(data)
    assert booth.replica.next_request() == AskChunks((withheld[0],))
    assert booth.position.sequence == 0
    assert booth.entries == {}


def test_truncation_of_the_list_of_chunks_is_not_taken(make_hub, make_booth):
    hub = make_hub()
    hub.add(400, text="x" * 3000)
    booth = make_booth(hub)
    lines = read_manifest(hub.take_snapshot(), hub.anchors()).lines()
    # Even signed by the hub: the entries of the remaining chunks are too few.
    cut = make_manifest(hub.position, 1, lines[:-1], START, hub.key)
    with refused(RefusalReason.MIXED):
        booth.manifest(cut)
    # The same chunk again in place of the last one, said to hold what that one held.
    again = lines[0]._replace(entries=lines[-1].entries)
    twice = make_manifest(hub.position, 1, [*lines[:-1], again], START, hub.key)
    with refused(RefusalReason.MIXED):
        booth.manifest(twice)
    assert booth.replica.fetching is None


def test_truncation_of_any_object_makes_it_unreadable(hub, booth):
    for take, data in [
        (booth.head, hub.head()),
        (booth.changes, hub.changes(0, 10)),
        (booth.manifest, hub.take_snapshot()),
    ]:
        for length in range(len(data)):
            with pytest.raises(MessageError):
                take(data[:length])
    assert booth.replica.next_request() == AskChanges(0, bytes(32))


def test_repetition_of_the_newest_messages_changes_nothing(hub, full_booth):
    for _ in range(3):
        full_booth.head(hub.head(START))
        assert full_booth.changes(hub.changes(4, 10)).changes == ()
    assert full_booth.position == hub.position
    assert full_booth.replica.next_request() == AskNothing()
