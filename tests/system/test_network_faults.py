"""A line that is late, cut, silent, slow or reset: the same end state, always."""

import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from edge.services.wire_system import WireSystem
from edge.simulate.fault_proxy import FaultProxy
from edge.simulate.hit_source import check_of, invented_hit
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry

NOW = datetime.now(UTC)  # noqa: TID251  entries have to be valid when the test runs
WAIT_S = 60.0

FAULTS = {
    "late": lambda line: line.delay(0.7),
    "cut": lambda line: line.cut(),
    "away": lambda line: line.go_down(),
    "silent both ways": lambda line: line.fall_silent(),
    "forgotten by something between": lambda line: line.lose_track(),
    "one byte a second": lambda line: line.trickle(),
    "reset": lambda line: line.reset(),
    "reset in the middle of a packet": lambda line: line.reset_after(3000),
    "narrow": lambda line: line.limit(64_000),
}


class Site:
    def __init__(self, system, line):
        self.system, self.line = system, line
        self.sent = []

    @contextmanager
    def stores(self):
        booth = open_database(self.system.booth_store, "booth")
        watchlist = open_database(self.system.watchlist_store, "watchlist")
        hub = open_database(self.system.hub_store, "hub")
        with closing(booth.conn), closing(watchlist.conn), closing(hub.conn):
            yield booth, watchlist, hub

    def record_hits(self, count):
        with self.stores() as (booth, _, _):
            for _ in range(count):
                hit = invented_hit("booth-1", datetime.now(UTC), evidence_bytes=2000)  # noqa: TID251  as it is now
                CheckStore(booth).record(check_of(hit), hit)
                self.sent.append(hit.hit_id)

    def publish(self, *entry_ids):
        drafts = [
            DraftChange(
                ChangeOperation.ADD,
                name,
                WatchlistEntry(name, 1, "c", "o", "h", "l", "i", NOW, None),
            )
            for name in entry_ids
        ]
        with self.stores() as (_, _, hub):
            StoredHubLog(hub).append(drafts, at=NOW)

    def is_level(self):
        with self.stores() as (booth, watchlist, hub):
            return (
                StoredOutbox(booth).depth() == 0
                and StoredReplica(watchlist).position() == StoredHubLog(hub).position()
                and StoredHubMessages(hub).gaps() == []
            )

    def received(self):
        with self.stores() as (_, _, hub):
            return [stored.hit.hit_id for stored in StoredHubMessages(hub).hits()]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    lines = []

    def reach(port):
        lines.append(FaultProxy(port))
        return lines[0].port

    folder = tmp_path_factory.mktemp("n")
    try:
        with WireSystem(folder, reach=reach) as system:
            yield Site(system, lines[0])
    finally:
        for line in lines:
            line.stop()


def eventually(is_true):
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_after_the_fault_both_ends_hold_the_same(site, fault):
    site.record_hits(3)
    site.publish(f"before {fault}")
    eventually(site.is_level)
    FAULTS[fault](site.line)
    site.record_hits(10)
    site.publish(*(f"{fault} {n}" for n in range(10)))
    time.sleep(1.5)
    site.line.heal()
    site.record_hits(2)
    site.publish(f"after {fault}")
    eventually(site.is_level)
    received = site.received()
    assert sorted(received) == sorted(site.sent)
    assert len(set(received)) == len(received)


@pytest.mark.slow
def test_a_broker_that_forgets_all_ends_in_the_same_state(site):
    site.record_hits(5)
    site.system.broker.kill()
    site.publish("while the broker is away")
    site.record_hits(5)
    site.system.broker.restart()
    site.publish("after it is back")
    eventually(site.is_level)
    assert sorted(site.received()) == sorted(site.sent)
