"""SIGKILL to hub, edge-sync, broker and the recorder of hits, while hits flow.

EDGE_WIRE_KILLS sets the number of kills (default 170), EDGE_WIRE_LINES on how many
lines at a time (default 2), EDGE_WIRE_SEED the first seed. No line is killed at more
than ROUND_KILLS times: then all is judged, and the next one is new. Of a long run each
round is told on standard error.
"""

import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.services.wire_system import WireSystem
from edge.store.audit import verify_audit
from edge.store.database import check_integrity, open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry

KILLS = int(os.environ.get("EDGE_WIRE_KILLS", "170"))
LINES = int(os.environ.get("EDGE_WIRE_LINES", "2"))
SEED = int(os.environ.get("EDGE_WIRE_SEED", "1"))
ROUND_KILLS = 250
SETTLE_S = 90.0
TARGETS = ("edge-hub", "edge-sync", "broker", "hit-source")
NOW = datetime.now(UTC)  # noqa: TID251  entries have to be valid when the test runs


def published(system, number):
    """Let the hub publish one more entry."""
    entry = WatchlistEntry(
        f"entry-{number}", 1, "c", "o", "h", "l", "i", NOW, None, "Nobody"
    )
    database = open_database(system.hub_store, "hub")
    with closing(database.conn):
        change = DraftChange(ChangeOperation.ADD, entry.entry_id, entry)
        StoredHubLog(database).append([change], at=NOW)


def kill_at_random(system, rng, kills):
    killed = Counter()
    for number in range(kills):
        target = rng.choice(TARGETS)
        if target == "broker":
            system.broker.kill()
            time.sleep(rng.uniform(0, 0.2))
            system.broker.restart()
        else:
            process = system.processes[target]
            process.kill()
            time.sleep(rng.uniform(0, 0.2))
            process.start()
        killed[target] += 1
        if number % 5 == 0:
            published(system, number)
        time.sleep(rng.uniform(0, 1.0))
    return killed


def settled(system):
    """Wait until the booth owes nothing and holds what the hub has published."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        databases = [
            open_database(path, schema)
            for path, schema in (
                (system.booth_store, "booth"),
                (system.watchlist_store, "watchlist"),
                (system.hub_store, "hub"),
            )
        ]
        booth, watchlist, hub = databases
        depth = StoredOutbox(booth).depth()
        is_level = StoredReplica(watchlist).position() == StoredHubLog(hub).position()
        for database in databases:
            database.conn.close()
        if depth == 0 and is_level:
            return
        time.sleep(0.2)
    pytest.fail(f"not settled within {SETTLE_S} s: {depth} messages wait")


def column(path, query):
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute(query)]


def rounds():
    """Return seed and kills of each round; they share the kills evenly."""
    count = max(LINES, -(-KILLS // ROUND_KILLS))
    shares = [KILLS // count + (number < KILLS % count) for number in range(count)]
    return [(SEED + number, kills) for number, kills in enumerate(shares)]


def play(seed, kills):
    """Kill on one line of its own, then judge it; return how many hits there were."""
    run_dir = Path(tempfile.mkdtemp(prefix="edge-"))
    try:
        with WireSystem(run_dir) as system:
            system.start_source()
            killed = kill_at_random(system, random.Random(seed), kills)  # noqa: S311  repeatable, not secret
            time.sleep(0.5)
            system.source.stop()
            for name in ("edge-hub", "edge-sync"):
                if not system.processes[name].is_running():
                    system.processes[name].start()
            settled(system)
            hits = judge(system, kills)
        assert sum(killed.values()) == kills
    except BaseException:
        # What was killed is kept where it broke, to be looked at.
        print(f"seed {seed}: see {run_dir}", file=sys.__stderr__)
        raise
    shutil.rmtree(run_dir, ignore_errors=True)
    if len(rounds()) > LINES:
        print(f"seed {seed}: {dict(killed)}, {hits} hits", file=sys.__stderr__)
    return hits


def judge(system, kills):
    said = system.recorded
    hub_log = system.processes["edge-hub"].log_path.read_text(errors="replace")
    for path, schema in (
        (system.booth_store, "booth"),
        (system.watchlist_store, "watchlist"),
        (system.hub_store, "hub"),
    ):
        database = open_database(path, schema)
        with closing(database.conn):
            check_integrity(database)
            verify_audit(database)
    hub = open_database(system.hub_store, "hub")
    with closing(hub.conn):
        assert StoredHubMessages(hub).gaps() == []
    recorded = column(system.booth_store, "select hit_id from hits")
    received = column(system.hub_store, "select hit_id from received_hits")
    assert len(said) >= kills, "too little traffic to say much"
    assert set(said) <= set(recorded), "said to be recorded, but lost"
    assert sorted(received) == sorted(recorded), "hub and booth disagree"
    shown = Counter(line for line in hub_log.split('"hit_id": "')[1:])
    assert max(Counter(part[:32] for part in shown).values()) == 1, "shown twice"
    return len(recorded)


@pytest.mark.slow
def test_nothing_is_lost_or_seen_twice_whatever_is_killed():
    with ThreadPoolExecutor(LINES) as pool:
        hits = list(pool.map(lambda round_: play(*round_), rounds()))
    assert len(hits) == len(rounds())
