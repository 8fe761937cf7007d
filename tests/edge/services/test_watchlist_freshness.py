from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.replication.head import make_head
from edge.replication.position import beginning
from edge.replication.set_digest import SetDigest
from edge.services.watchlist_freshness import HEAD, LOCAL, PROOF, FreshnessReader
from edge.store.database import open_database, transaction
from edge.store.held_state import write_state
from edge.store.replica import StoredReplica
from edge.terms import FreshnessState, WatchlistFreshness
from edge.trust.keys import SigningKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOG = "ab" * 16
FRESH, STALE = FreshnessState.FRESH, FreshnessState.STALE


class Kept:
    """A watchlist's store as edge-sync leaves it."""

    def __init__(self, database) -> None:
        self.database = database
        self.replica = StoredReplica(database)
        self.key = SigningKey.generate()
        self.reader = FreshnessReader(database)

    def hold(self, sequence, log=LOG):
        with transaction(self.database) as connection:
            write_state(connection, position(sequence, log), SetDigest())

    def keep(self, name, sequence, at, log=LOG):
        head = make_head(position(sequence, log), 1, 0, at, 3600, self.key)
        self.replica.save_document(name, head)


def position(sequence, log=LOG):
    return replace(beginning(log), sequence=sequence, chain=bytes([sequence]) * 32)


@pytest.fixture
def kept(tmp_path):
    database = open_database(tmp_path / "watchlist.db", "watchlist")
    with closing(database.conn):
        yield Kept(database)


def test_a_list_of_this_machine_claims_nothing(kept):
    assert kept.reader.freshness(NOON) == LOCAL
    assert kept.reader.heard_at() is None


def test_a_list_at_a_head_that_is_valid_is_fresh_until_that_is_over(kept):
    kept.hold(5)
    kept.keep(HEAD, 5, NOON)
    expected = WatchlistFreshness(FRESH, NOON, 0)
    assert kept.reader.freshness(NOON + MINUTE) == expected
    assert kept.reader.heard_at() == NOON
    expected = WatchlistFreshness(STALE, NOON, 0)
    assert kept.reader.freshness(NOON + 2 * HOUR) == expected


def test_a_list_without_a_head_is_unknown(kept):
    kept.hold(5)
    unknown = WatchlistFreshness(FreshnessState.UNKNOWN, None, 0)
    assert kept.reader.freshness(NOON) == unknown


def test_a_list_behind_the_newest_head_was_complete_when_it_was(kept):
    kept.hold(5)
    kept.keep(HEAD, 5, NOON)
    kept.reader.freshness(NOON)
    kept.keep(HEAD, 9, NOON + MINUTE)
    assert kept.reader.freshness(NOON + MINUTE) == WatchlistFreshness(FRESH, NOON, 4)
    assert kept.reader.heard_at() == NOON + MINUTE
    kept.hold(9)
    expected = WatchlistFreshness(FRESH, NOON + MINUTE, 0)
    assert kept.reader.freshness(NOON + MINUTE) == expected


def test_what_proved_the_list_complete_outlives_a_restart(kept):
    kept.hold(5)
    kept.keep(PROOF, 5, NOON)
    kept.keep(HEAD, 9, NOON + MINUTE)
    expected = WatchlistFreshness(FRESH, NOON, 4)
    assert kept.reader.freshness(NOON + MINUTE) == expected


def test_a_clock_that_was_turned_back_is_told_by_what_it_had_shown(kept):
    kept.hold(5)
    kept.keep(HEAD, 5, NOON)
    kept.replica.save_latest_trusted_at(NOON + MINUTE)
    state = kept.reader.freshness(NOON - HOUR).state
    assert state is FreshnessState.CLOCK_UNTRUSTED


def test_a_clock_turned_back_while_the_booth_runs_is_told(kept):
    kept.hold(5)
    kept.keep(HEAD, 5, NOON)
    assert kept.reader.freshness(NOON + MINUTE).state is FRESH
    state = kept.reader.freshness(NOON - HOUR).state
    assert state is FreshnessState.CLOCK_UNTRUSTED


def test_a_head_of_another_log_says_nothing_of_this_list(kept):
    kept.hold(5)
    kept.keep(HEAD, 5, NOON, log="cd" * 16)
    assert kept.reader.freshness(NOON).state is FreshnessState.UNKNOWN


def test_a_new_log_starts_anew(kept):
    kept.hold(5)
    kept.keep(HEAD, 5, NOON)
    kept.reader.freshness(NOON)
    kept.hold(2, log="cd" * 16)
    assert kept.reader.freshness(NOON).state is FreshnessState.UNKNOWN
    kept.keep(HEAD, 2, NOON, log="cd" * 16)
    assert kept.reader.freshness(NOON) == WatchlistFreshness(FRESH, NOON, 0)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\xd2\x80"])
def test_a_damaged_head_counts_as_none(kept, data):
    kept.hold(5)
    kept.replica.save_document(HEAD, data)
    assert kept.reader.freshness(NOON).state is FreshnessState.UNKNOWN
