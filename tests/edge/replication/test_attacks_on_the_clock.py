"""Somebody turns the booth's clock, or the hub's clock is wrong.

Each test says what happens to the clock and what the booth still says of its list.
Whatever the clock does, signed changes are applied; only freshness is not claimed.
"""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from edge.errors import RefusalError, RefusalReason
from edge.replication.freshness import Freshness, FreshnessState

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
FRESH, STALE = FreshnessState.FRESH, FreshnessState.STALE
UNTRUSTED, UNKNOWN = FreshnessState.CLOCK_UNTRUSTED, FreshnessState.UNKNOWN


@contextmanager
def refused(reason):
    with pytest.raises(RefusalError) as caught:
        yield
    assert caught.value.reason is reason


def state_at(booth, now):
    return booth.replica.freshness(now).state


# Back


def test_a_clock_turned_back_does_not_make_an_expired_head_fresh_again(full_booth):
    assert state_at(full_booth, START + HOUR) is STALE
    # Within the tolerance the head stays expired; beyond it the clock is not believed.
    assert state_at(full_booth, START + HOUR - SECOND) is STALE
    assert state_at(full_booth, START + HOUR - 5 * MINUTE) is STALE
    assert state_at(full_booth, START + HOUR - 5 * MINUTE - SECOND) is UNTRUSTED
    assert state_at(full_booth, START + MINUTE) is UNTRUSTED


def test_a_clock_turned_back_does_not_let_an_expired_head_in_again(hub, full_booth):
    frozen = hub.head(START)
    full_booth.replica.freshness(START + HOUR)
    with refused(RefusalReason.EXPIRED):
        full_booth.head(frozen, START + MINUTE)


def test_a_clock_turned_back_while_the_booth_was_off_is_seen_at_the_start(
    hub, full_booth, make_booth
):
    full_booth.replica.freshness(START + HOUR)
    restarted = make_booth(
        hub,
        held=full_booth.replica.held,
        newest=full_booth.replica.newest,
        latest_trusted_at=full_booth.replica.latest_trusted_at,
    )
    assert state_at(restarted, START + 30 * MINUTE) is UNTRUSTED
    assert state_at(restarted, START + HOUR) is STALE


def test_a_clock_before_the_newest_head_is_not_believed_even_if_nothing_was_noted(
    hub, full_booth, make_booth
):
    # No battery, 1970 at every start, and latest_trusted_at was not kept.
    restarted = make_booth(
        hub, held=full_booth.replica.held, newest=full_booth.replica.newest
    )
    assert state_at(restarted, datetime(1970, 1, 1, tzinfo=UTC)) is UNTRUSTED
    assert state_at(restarted, START + MINUTE) is FRESH


def test_changes_are_applied_under_a_clock_turned_back(hub, full_booth):
    hub.add(3)
    hub.withdraw("person-1")
    long_ago = START - 30 * 24 * HOUR
    assert state_at(full_booth, long_ago) is UNTRUSTED
    full_booth.changes(hub.changes(10, 14), long_ago)
    assert full_booth.position == hub.position
    assert "person-1" not in full_booth.entries
    assert state_at(full_booth, long_ago) is UNTRUSTED


def test_a_snapshot_is_loaded_under_a_clock_turned_back(hub, make_booth):
    booth = make_booth(hub, latest_trusted_at=START)
    long_ago = START - 30 * 24 * HOUR
    booth.manifest(hub.take_snapshot(), long_ago)
    for data in hub.chunks.values():
        booth.chunk(data)
    assert booth.position == hub.position
    assert state_at(booth, long_ago) is UNTRUSTED


# Forward


def test_a_clock_turned_forward_makes_the_list_stale_but_loses_nothing(hub, full_booth):
    next_year = START + 365 * 24 * HOUR
    assert state_at(full_booth, next_year) is STALE
    with refused(RefusalReason.EXPIRED):
        full_booth.head(hub.head(START + MINUTE), next_year)
    hub.add(1)
    full_booth.changes(hub.changes(10, 11), next_year)
    assert full_booth.position == hub.position


def test_a_clock_set_right_after_running_ahead_is_believed_within_one_heads_validity(
    hub, full_booth
):
    state_at(full_booth, START + 365 * 24 * HOUR)
    # Believed no further than the newest head reaches: not for a year, for an hour.
    assert full_booth.replica.latest_trusted_at == START + HOUR
    now = START + MINUTE
    full_booth.head(hub.head(now), now)
    assert state_at(full_booth, now) is UNTRUSTED
    now = START + HOUR - 5 * MINUTE
    full_booth.head(hub.head(now), now)
    assert full_booth.replica.freshness(now) == Freshness(FRESH, now, 0)


def test_the_noted_time_never_sinks(full_booth):
    noted = []
    for minutes in (3, -500, 20, 10, 600, 0, 59):
        full_booth.replica.freshness(START + minutes * MINUTE)
        noted.append(full_booth.replica.latest_trusted_at)
    assert noted == sorted(noted)


# The hub in the future, and a clock that stands


def test_a_head_from_the_future_is_refused_beyond_the_tolerance(hub, full_booth):
    with refused(RefusalReason.FUTURE):
        full_booth.head(hub.head(START + 301 * SECOND), START)
    assert full_booth.replica.newest.issued_at == START
    full_booth.head(hub.head(START + 300 * SECOND), START)
    assert full_booth.replica.newest.issued_at == START + 300 * SECOND
    assert state_at(full_booth, START) is FRESH


def test_a_head_from_the_future_cannot_be_saved_up_to_look_fresh_later(hub, full_booth):
    # A hub whose clock was a year ahead for a moment: its head is not kept for then.
    next_year = START + 365 * 24 * HOUR
    with refused(RefusalReason.FUTURE):
        full_booth.head(hub.head(next_year), START)
    assert state_at(full_booth, START) is UNTRUSTED
    # Once the hub's next head fits the clock again, freshness is claimed again.
    full_booth.head(hub.head(START + MINUTE), START + MINUTE)
    assert state_at(full_booth, START + MINUTE) is FRESH


def test_a_clock_that_stands_still_does_not_keep_the_list_fresh(hub, full_booth):
    for minute in range(1, 6):
        full_booth.head(hub.head(START + minute * MINUTE), START)
    with refused(RefusalReason.FUTURE):
        full_booth.head(hub.head(START + 6 * MINUTE), START)
    assert state_at(full_booth, START) is UNTRUSTED
    hub.add(1)
    full_booth.changes(hub.changes(10, 11), START)
    assert full_booth.position == hub.position


def test_a_booth_whose_clock_is_at_1970_from_the_start_loads_but_claims_nothing(
    hub, booth
):
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    hub.take_snapshot()
    with refused(RefusalReason.FUTURE):
        booth.head(hub.head(START), long_ago)
    # The signed head still says how far the log goes and that there is a snapshot.
    assert booth.replica.freshness(long_ago) == Freshness(UNTRUSTED, None, 10)
    booth.manifest(hub.manifest_data, long_ago)
    for data in hub.chunks.values():
        booth.chunk(data)
    assert booth.position == hub.position
    assert state_at(booth, long_ago) is UNTRUSTED
    booth.head(hub.head(START), START)  # the clock was set
    assert booth.replica.freshness(START) == Freshness(FRESH, START, 0)
