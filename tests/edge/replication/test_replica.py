from dataclasses import replace
from datetime import UTC, datetime, timedelta

from edge.replication.freshness import Freshness, FreshnessState
from edge.replication.position import beginning
from edge.replication.requests import (
    CHUNK_WINDOW,
    SNAPSHOT_BEHIND,
    AskChanges,
    AskChunks,
    AskManifest,
    AskNothing,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


# Changes


def test_changes_lead_from_what_is_held_to_where_they_end(hub, booth):
    accepted = booth.changes(hub.changes(0, 6))
    assert (accepted.before, accepted.after) == (hub.positions[0], hub.positions[6])
    assert [recorded.record for recorded in accepted.changes] == hub.records[:6]
    assert [recorded.change.sequence for recorded in accepted.changes] == [*range(1, 7)]


def test_of_changes_that_overlap_only_the_new_ones_come(hub, booth):
    booth.changes(hub.changes(0, 6))
    accepted = booth.changes(hub.changes(2, 9))
    assert accepted.before == hub.positions[6]
    assert [recorded.record for recorded in accepted.changes] == hub.records[6:9]


def test_accepted_changes_move_nothing_until_they_are_committed(hub, booth):
    for _ in range(2):  # the first time the process was killed before its commit
        accepted = booth.replica.accept_changes(hub.changes(0, 6), START)
        assert len(accepted.changes) == 6
        assert booth.replica.held is None


def test_changes_newer_than_the_newest_head_are_taken(hub, full_booth):
    hub.add(1)
    full_booth.changes(hub.changes(10, 11))
    assert full_booth.position == hub.position
    freshness = full_booth.replica.freshness(START)
    assert freshness == Freshness(FreshnessState.FRESH, START, 0)


# What is asked for


def test_a_booth_that_knows_no_head_asks_for_changes_after_what_it_holds(
    hub, make_booth
):
    assert make_booth(hub).replica.next_request() == AskChanges(0, bytes(32))
    held = hub.positions[4]
    booth = make_booth(hub, held=held)
    assert booth.replica.next_request() == AskChanges(4, held.chain)


def test_a_booth_that_holds_all_asks_for_nothing(full_booth):
    assert full_booth.replica.next_request() == AskNothing()


def test_a_booth_asks_for_what_it_is_behind(hub, full_booth):
    hub.add(1)
    full_booth.head(hub.head(START + MINUTE), START + MINUTE)
    assert full_booth.replica.next_request() == AskChanges(10, hub.positions[10].chain)


def test_an_empty_booth_asks_for_the_snapshot_if_there_is_one(hub, make_booth):
    without = make_booth(hub)
    without.head(hub.head())
    assert without.replica.next_request() == AskChanges(0, bytes(32))
    hub.take_snapshot()
    with_one = make_booth(hub)
    with_one.head(hub.head())
    assert with_one.replica.next_request() == AskManifest(0)


def test_a_booth_asks_for_the_snapshot_only_when_it_is_far_behind(make_hub, make_booth):
    hub = make_hub()
    hub.add(SNAPSHOT_BEHIND + 2)
    hub.take_snapshot()
    for held, request in [
        (1, AskManifest(1)),
        (2, AskChanges(2, hub.positions[2].chain)),
    ]:
        booth = make_booth(hub, held=hub.positions[held])
        booth.head(hub.head())
        assert booth.replica.next_request() == request


def test_a_long_list_takes_the_changes_of_a_day_rather_than_all_of_it_anew(
    make_hub, make_booth
):
    hub = make_hub()
    hub.add(SNAPSHOT_BEHIND + 2)
    hub.take_snapshot()
    held = hub.positions[1]
    booth = make_booth(hub, held=replace(held, count=8 * SNAPSHOT_BEHIND))
    booth.head(hub.head())
    assert booth.replica.next_request() == AskChanges(1, held.chain)


def test_a_snapshot_that_is_no_later_than_the_cursor_is_not_asked_for(
    make_hub, make_booth
):
    hub = make_hub()
    hub.add(3)
    hub.take_snapshot()
    hub.add(SNAPSHOT_BEHIND + 1)
    booth = make_booth(hub, held=hub.positions[3])
    booth.head(hub.head())
    assert booth.replica.next_request() == AskChanges(3, hub.positions[3].chain)


def test_chunks_are_asked_for_in_windows_until_all_are_there(make_hub, make_booth):
    hub = make_hub()
    hub.add(2000, text="x" * 3900)
    booth = make_booth(hub)
    booth.manifest(hub.take_snapshot())
    rounds = 0
    while isinstance(request := booth.replica.next_request(), AskChunks):
        assert 1 <= len(request.digests) <= CHUNK_WINDOW
        for digest in request.digests:
            booth.chunk(hub.chunks[digest])
        rounds += 1
    assert rounds >= 2
    assert booth.position == hub.position


# Interruption


def test_an_interrupted_snapshot_goes_on_where_it_stopped(make_hub, make_booth):
    hub = make_hub()
    hub.add(300, text="x" * 3500)
    manifest = hub.take_snapshot()
    *kept, last = hub.chunks
    restarted = make_booth(hub).replica
    restarted.fetch(restarted.accept_manifest(manifest, START), kept)
    assert restarted.next_request() == AskChunks((last,))


def test_chunks_of_an_earlier_snapshot_count_for_the_next(make_hub, make_booth):
    hub = make_hub()
    hub.add(300, text="x" * 3500)
    booth = make_booth(hub)
    booth.manifest(hub.take_snapshot())
    for data in list(hub.chunks.values())[:-1]:
        booth.chunk(data)
    before = set(hub.chunks)
    hub.add(1)
    booth.manifest(hub.take_snapshot())
    new = set(hub.chunks) - before
    assert set(booth.replica.next_request().digests) - before == new
    assert len(new) <= 2


def test_a_snapshot_overtaken_by_changes_is_fetched_no_longer(hub, booth):
    booth.manifest(hub.take_snapshot())
    booth.changes(hub.changes(0, 10))
    assert booth.replica.fetching is None


def test_a_complete_snapshot_is_applied_before_anything_else_is_asked_for(hub, booth):
    replica = booth.replica
    replica.fetch(replica.accept_manifest(hub.take_snapshot(), START), hub.chunks)
    assert replica.next_request() == AskNothing()
    assert replica.fetching is not None


def test_after_a_restart_freshness_is_what_it_was(hub, full_booth, make_booth):
    before = full_booth.replica
    after = make_booth(
        hub,
        held=before.held,
        newest=before.newest,
        latest_trusted_at=before.latest_trusted_at,
    ).replica
    for minutes in (1, 59, 60):
        now = START + minutes * MINUTE
        assert after.freshness(now) == before.freshness(now)


def test_after_a_restart_behind_the_head_the_list_is_stale_until_it_is_complete(
    hub, make_booth, full_booth
):
    newest = full_booth.replica.newest
    booth = make_booth(hub, held=hub.positions[8], newest=newest)
    stale = Freshness(FreshnessState.STALE, None, 2)
    assert booth.replica.freshness(START) == stale
    booth.replica.moved_to(hub.position)
    fresh = Freshness(FreshnessState.FRESH, START, 0)
    assert booth.replica.freshness(START) == fresh


def test_the_newest_head_of_another_log_is_not_taken_over(hub, make_booth, full_booth):
    newest = full_booth.replica.newest.model_copy(update={"log": "cd" * 16})
    assert make_booth(hub, newest=newest).replica.newest is None


# Freshness of little


def test_an_empty_list_is_complete_if_the_log_is_empty(make_hub, make_booth):
    hub = make_hub()
    booth = make_booth(hub)
    unknown = Freshness(FreshnessState.UNKNOWN, None, 0)
    assert booth.replica.freshness(START) == unknown
    booth.head(hub.head(START))
    fresh = Freshness(FreshnessState.FRESH, START, 0)
    assert booth.replica.freshness(START) == fresh
    assert booth.position == beginning(hub.log)


def test_no_list_is_unknown_however_fresh_the_head(hub, booth):
    booth.head(hub.head(START))
    unknown = Freshness(FreshnessState.UNKNOWN, None, 10)
    assert booth.replica.freshness(START) == unknown
