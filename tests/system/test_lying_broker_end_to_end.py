"""A broker that lies between a real hub and a real edge-sync: the same end state.

What the booth holds while it is lied to is always what the hub had at some time.
"""

import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

import pytest

from edge.services.wire_system import WireSystem
from edge.simulate.lying_broker import HONEST, LyingBroker, LyingPlan
from edge.store.database import check_integrity, open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry

LYING_S = 5.0
SETTLE_S = 100.0
HITS_PER_S = 30.0
NOW = datetime.now(UTC)  # noqa: TID251  entries have to be valid when the test runs
LIES = {
    "repeats and reorders": {"redeliver": 0.4, "reorder": 0.4, "replay": 0.3},
    "drops and keeps silent": {"drop": 0.4, "unanswered": 0.2},
    "turns bits and mixes up": {"flip": 0.3, "cross": 0.3, "redeliver": 0.1},
    "shows what is old": {"stale": 0.9, "replay": 0.5, "drop": 0.1},
    "loses its disk": {},
    "does all of it": dict.fromkeys(
        ("redeliver", "reorder", "drop", "flip", "cross", "replay"), 0.15
    )
    | {"stale": 0.7},
}

pytestmark = pytest.mark.slow


class Hub:
    """What the operator does meanwhile; and what the hub's log was at each change."""

    def __init__(self, system):
        self.system = system
        self.random = random.Random(1)  # noqa: S311  repeatable, not secret
        self.on_list = []
        self.count = 0

    def publish(self):
        withdraws = self.on_list and self.random.random() < 0.4
        if withdraws:
            name = self.on_list.pop(self.random.randrange(len(self.on_list)))
            draft = DraftChange(ChangeOperation.WITHDRAW, name)
        else:
            self.count += 1
            name = f"entry-{self.count}"
            entry = WatchlistEntry(
                name, 1, "c", "o", "h", "l", "i", NOW, None, "Nobody"
            )
            draft = DraftChange(ChangeOperation.ADD, name, entry)
            self.on_list.append(name)
        database = open_database(self.system.hub_store, "hub")
        with closing(database.conn):
            StoredHubLog(database).append([draft], at=NOW)


class Witness(threading.Thread):
    """Reads again and again what the booth holds, and compares it with the log."""

    def __init__(self, system):
        super().__init__(name="witness")
        self.system = system
        self.stopping = threading.Event()
        self.wrong = []
        self.seen = 0

    def run(self):
        booth = open_database(self.system.watchlist_store, "watchlist")
        hub = open_database(self.system.hub_store, "hub")
        with closing(booth.conn), closing(hub.conn):
            replica, log = StoredReplica(booth), StoredHubLog(hub)
            while not self.stopping.wait(0.05):
                held = replica.position()
                if held is None or not held.sequence:
                    continue
                self.seen = max(self.seen, held.sequence)
                if log.position_at(held.sequence) != held:
                    self.wrong.append(held)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()


def lie(system, broker, lies, hub):
    broker.plan = LyingPlan(seed=7, **lies)
    end_s = time.monotonic() + LYING_S
    while time.monotonic() < end_s:
        hub.publish()
        if hub.random.random() < 0.3:
            if not lies:
                broker.lose_state()
            elif "stale" in lies:
                broker.cut()  # only who subscribes is shown what was retained
        time.sleep(0.25)
    broker.plan = HONEST
    hub.publish()
    system.source.stop()


def is_settled(system):
    booth, watchlist, hub = databases = [
        open_database(path, schema) for path, schema in stores(system)
    ]
    try:
        owes = StoredOutbox(booth).depth()
        held = StoredReplica(watchlist).position()
        return owes == 0 and held == StoredHubLog(hub).position()
    finally:
        for database in databases:
            database.conn.close()


def stores(system):
    return (
        (system.booth_store, "booth"),
        (system.watchlist_store, "watchlist"),
        (system.hub_store, "hub"),
    )


def column(path, query):
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute(query)]


def judge(system):
    said = system.recorded
    for path, schema in stores(system):
        database = open_database(path, schema)
        with closing(database.conn):
            check_integrity(database)
    hub = open_database(system.hub_store, "hub")
    with closing(hub.conn):
        assert StoredHubMessages(hub).gaps() == []
    recorded = column(system.booth_store, "select hit_id from hits order by rowid")
    received = column(system.hub_store, "select hit_id from received_hits")
    assert len(said) > LYING_S * HITS_PER_S / 4, "too little traffic to say much"
    assert set(said) <= set(recorded)
    assert sorted(received) == sorted(recorded)
    log = system.processes["edge-hub"].log_path.read_text(errors="replace")
    shown = Counter(part[:32] for part in log.split('"hit_id": "')[1:])
    assert shown == dict.fromkeys(recorded, 1)


@pytest.mark.parametrize("kind", LIES)
def test_whatever_the_broker_told_the_end_is_the_same(tmp_path_short, kind):
    with LyingBroker() as broker:
        system = WireSystem(
            tmp_path_short,
            line="plain",
            reach=lambda _: broker.port,
            hits_per_s=HITS_PER_S,
        )
        with system, Witness(system) as witness:
            hub = Hub(system)
            hub.publish()
            system.start_source()
            lie(system, broker, LIES[kind], hub)
            deadline_s = time.monotonic() + SETTLE_S
            while not is_settled(system):
                assert time.monotonic() < deadline_s, "not settled"
                time.sleep(0.2)
            judge(system)
            assert witness.seen > 1
        assert witness.wrong == []
        for lie_name in LIES[kind]:
            assert broker.told[lie_name], lie_name
