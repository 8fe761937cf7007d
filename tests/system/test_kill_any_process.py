"""SIGKILL to any process at any moment: no hit lost, none delivered twice.

EDGE_KILLS sets the number of kills of each of the two runs (default 20).
"""

import json
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing

import httpx
import pytest

from edge.config import default_cache_dir, load_config
from edge.services.enrolment import publish_person
from edge.services.system import LocalSystem
from edge.services.wiring import enrolment_engines
from edge.simulate.cast import invented_cast
from edge.simulate.scenario import demo_scenario
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.web.client import ClientError

KILLS = int(os.environ.get("EDGE_KILLS", "20"))
SETTLE_S = 60.0
CALM_SHARE = 0.5


class Traffic(threading.Thread):
    """Send the same wanted finger through the booth, again and again."""

    def __init__(self, system, finger_images):
        super().__init__(name="traffic")
        self.acknowledged = []
        self.stopping = threading.Event()
        self._system = system
        self._images = finger_images

    def run(self):
        number = 0
        while not self.stopping.is_set():
            self._system.scanner.present(self._images[number % len(self._images)])
            number += 1
            try:
                self._until_signed_out()
            except (httpx.HTTPError, ClientError, KeyError, json.JSONDecodeError):
                # The booth was killed under us: that is what this is about.
                self.stopping.wait(0.05)
            self._system.scanner.lift()
            self.stopping.wait(0.1)

    def _until_signed_out(self):
        """Check after check, until the booth is killed and its sessions with it."""
        with self._system.booth_client() as http:
            while not self.stopping.is_set():
                self._one_check(http)
                self._system.scanner.lift()
                self.stopping.wait(0.1)
                self._system.scanner.present(self._images[0])

    def _one_check(self, http):
        order = {"modalities": ["fingerprint"]}
        ticket = http.post("/api/checks", json=order).json()["ticket"]
        # To its end even when stopping: a check left behind would still record a hit.
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            state = http.get(f"/api/checks/{ticket}").json()
            if state["state"] == "finished":
                if state["result"]["hit_id"]:
                    self.acknowledged.append(state["result"]["hit_id"])
                return
            if state["state"] == "failed":
                return
            time.sleep(0.02)


def _kill_at_random(system, traffic, rng, kills):
    targets = ["edge-booth", "edge-sync", "edge-hub", "firmware-bridge", "broker"]
    killed = Counter()
    for _ in range(kills):
        target = rng.choice(targets)
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
        if rng.random() < CALM_SHARE:
            _await_next_hit(traffic)
        time.sleep(rng.uniform(0, 0.6))
    return killed


def _await_next_hit(traffic, timeout_s=6.0):
    before = len(traffic.acknowledged)
    deadline = time.monotonic() + timeout_s
    while len(traffic.acknowledged) == before and time.monotonic() < deadline:
        time.sleep(0.02)


def _await_empty_outbox(system):
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        try:
            with system.booth_client() as http:
                health = http.get("/api/health").json()
        except (httpx.HTTPError, ClientError):
            health = {}
        if health.get("outbox_depth") == 0:
            return
        time.sleep(0.1)
    pytest.fail(f"the outbox did not empty within {SETTLE_S} s: {health}")


def _column(path, query):
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute(query)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_hit_is_lost_or_doubled_when_processes_are_killed(seed, tmp_path_short):
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    config = load_config()
    person = demo_scenario(invented_cast()).enrolled[0]
    wanted = invented_cast()[0].finger_presented
    with LocalSystem(tmp_path_short, model_cache=default_cache_dir() / "models") as s:
        database = open_database(s.hub_store, "hub")
        with closing(database.conn):
            engines = enrolment_engines(config)
            publish_person(
                StoredHubLog(database),
                engines,
                person.entry,
                finger_images=person.finger_images,
                face_images=(),
            )
        traffic = Traffic(s, wanted)
        traffic.start()
        try:
            _await_next_hit(traffic, timeout_s=30.0)
            assert traffic.acknowledged, "no hit flowed before the first kill"
            killed = _kill_at_random(s, traffic, rng, KILLS)
        finally:
            traffic.stopping.set()
            traffic.join()
        for process in s.processes.values():
            if not process.is_running():
                process.start()
        _await_empty_outbox(s)
        hub_log = s.processes["edge-hub"].log_path.read_text(errors="replace")

    recorded = _column(s.booth_store, "select hit_id from hits")
    received = _column(s.hub_store, "select hit_id from received_hits")
    assert sum(killed.values()) == KILLS
    assert len(traffic.acknowledged) >= KILLS // 10, "too little traffic to say much"
    assert set(traffic.acknowledged) <= set(recorded), "shown as recorded, but lost"
    assert sorted(received) == sorted(recorded), "hub and booth disagree"
    assert len(received) == len(set(received))
    for hit_id in received:
        assert hub_log.count(f'"hit_id": "{hit_id}"') <= 1, "shown twice"
    for store in (s.booth_store, s.hub_store):
        assert _column(store, "pragma integrity_check") == ["ok"]
