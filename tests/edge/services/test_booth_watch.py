"""The booth's watch and its health over real stores and galleries."""

from __future__ import annotations

import queue
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from edge.clock import SystemClock
from edge.config import parse_config
from edge.errors import StoreError
from edge.recognition.face.embedding import DLIB_TEMPLATES
from edge.replication.head import make_head
from edge.replication.position import beginning
from edge.replication.set_digest import SetDigest
from edge.services import wiring
from edge.services.booth_health import (
    HealthCollector,
    booth_health,
    free_bytes,
    read_instructions,
)
from edge.services.booth_watch import BoothWatch, standing_of
from edge.services.watchlist_freshness import HEAD
from edge.store.commands import StoredCommands
from edge.store.database import open_database, transaction
from edge.store.held_state import write_state
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceTemplate,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)
from edge.trust.keys import SigningKey
from edge.web.events import EventFeed

CLOCK = SystemClock()
NOW = CLOCK.now()
VECTORS = np.random.default_rng(5).normal(0, 0.1, (40, 128)).astype(np.float32)
WAIT_S = 20.0


def face(number, model_id=DLIB_TEMPLATES):
    return FaceTemplate(model_id, VECTORS[number])


class Machine:
    """A booth's stores, its watch, and who else writes the stores."""

    def __init__(self, folder) -> None:
        text = f'store.path = "{folder}/booth.db"\nsearch.threads = 1\n'
        self.config = parse_config(text, origin="test")
        self.feed, self.told = EventFeed(), []
        self.watch = BoothWatch(
            self.config, CLOCK, lambda *told: self.told.append(told), self.feed.publish
        )

    @contextmanager
    def running(self):
        """Start the watch; yields what searches the watchlist."""
        with ExitStack() as stack:
            database = stack.enter_context(self.opened("watchlist"))
            galleries = stack.enter_context(wiring.galleries(self.config))
            stack.enter_context(self.watch.watching(galleries))
            yield wiring.watchlist_index(galleries, database, CLOCK)

    @contextmanager
    def opened(self, schema):
        store = self.config.store
        path = store.watchlist_path if schema == "watchlist" else store.path
        database = open_database(path, schema)
        with closing(database.conn):
            yield database

    def change(self, *drafts):
        with self.opened("watchlist") as database:
            BoothWatchlist(database).apply_local(drafts, at=NOW)

    def health(self, camera=None):
        return booth_health(self.config, None, camera, self.watch, CLOCK)

    def damage(self, reference_id):
        with (
            self.opened("watchlist") as database,
            transaction(database) as connection,
        ):
            connection.execute(
                "update biometric_references set template = x'00'"
                " where reference_id = ?",
                (reference_id,),
            )


def added(number, model_id=DLIB_TEMPLATES):
    entry_id, template = f"e{number}", face(number, model_id)
    reference = Reference(
        f"r{number}", entry_id, Modality.FACE, FingerPosition.UNKNOWN, template
    )
    entry = WatchlistEntry(entry_id, 1, "c", "o", "h", "l", "i", NOW, None)
    return DraftChange(ChangeOperation.ADD, entry_id, entry, (reference,))


def withdrawn(number):
    return DraftChange(ChangeOperation.WITHDRAW, f"e{number}")


def found(index, number):
    return [c.entry_id for c in index.search([face(number)])]


def eventually(condition):
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.005)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_what_another_process_changes_is_searched_by_itself(machine):
    machine.change(added(1))
    with machine.running() as index:
        assert found(index, 1) == ["e1"]
        machine.change(added(2), withdrawn(1))
        eventually(lambda: found(index, 2) == ["e2"])
        assert found(index, 1) == []
        assert machine.watch.is_alive()
    assert machine.told == []


def test_the_screen_hears_that_a_new_state_is_searched(machine):
    listener = machine.feed.listen()
    with machine.running():
        machine.change(added(1))
        event = listener.get(timeout=WAIT_S)
    assert event == {"event": "watchlist_searched", "sequence": 0, "revision": 1}


def test_a_damaged_reference_does_not_keep_the_booth_from_starting(machine):
    machine.change(added(1), added(2))
    machine.damage("r1")
    with machine.running() as index:
        assert found(index, 2) == ["e2"]
        health = machine.health()
    assert health["state"] == "degraded"
    assert health["search"]["unsearchable_references"] == 1
    assert "r1" in health["search"]["skipped"][0]
    assert [name for name, _ in machine.told] == ["reference_skipped"]


def test_faces_of_other_networks_are_told_with_their_entries(machine):
    machine.change(added(1), added(2, "older"))
    with machine.running() as index:
        assert found(index, 1) == ["e1"]
        health = machine.health(camera=object())
        assert machine.health()["state"] == "ok"
        machine.change(withdrawn(2))
        eventually(lambda: machine.health(camera=object())["state"] == "ok")
    assert health["state"] == "degraded"
    assert health["faces"]["is_searched"]
    assert health["faces"]["unsearchable_references"] == {"older": 1}
    assert health["faces"]["unsearchable_entries"] == ["e2"]


def test_a_booth_in_order_says_so_with_what_it_holds(machine):
    machine.change(added(1), added(2))
    with machine.running():
        health = machine.health()
    assert health["state"] == "ok"
    assert health["search"]["revision"] == 1
    assert health["watchlist"] == {"state": "local", "as_of": None, "behind": 0}
    assert (health["link"], health["hub_heard_at"]) == ("none", None)
    assert (health["watchlist_entries"], health["watchlist_references"]) == (2, 2)
    assert health["outbox_depth"] == 0
    assert health["disk_free_bytes"] > 0
    assert standing_of(machine.watch.state, CLOCK.monotonic_s()).lag_s == 0.0


def test_a_booth_that_has_not_followed_yet_is_building(machine):
    assert standing_of(machine.watch.state, 0.0).is_building


@pytest.mark.parametrize(
    ("age", "link", "state"),
    [
        (timedelta(seconds=60), "up", "fresh"),
        (timedelta(seconds=600), "down", "fresh"),
        (timedelta(days=3), "down", "stale"),
    ],
)
def test_the_link_and_the_freshness_follow_the_hubs_last_head(
    machine, age, link, state
):
    at = CLOCK.now() - age
    keep_head(machine, at)
    with machine.running():
        health = machine.health()
        standing = standing_of(machine.watch.state, 0.0)
    assert health["link"] == link
    assert health["hub_heard_at"] == at.isoformat()
    assert health["watchlist"]["state"] == state
    assert health["watchlist"]["as_of"] == at.isoformat()
    assert standing.freshness.as_of == at


def keep_head(machine, at):
    held = replace(beginning("ab" * 16), sequence=7)
    with machine.opened("watchlist") as database:
        with transaction(database) as connection:
            write_state(connection, held, SetDigest())
        head = make_head(held, 1, 0, at, 3600, SigningKey.generate())
        StoredReplica(database).save_document(HEAD, head)


def test_an_instruction_that_comes_is_shown_and_those_before_are_kept(machine):
    with machine.opened("booth") as database:
        commands = StoredCommands(database)
        commands.add_instruction("h1", "Wait.", "c1", at=NOW)
        with machine.running():
            listener = machine.feed.listen()
            commands.add_instruction("h2", "Let pass.", "c2", at=NOW)
            event = listener.get(timeout=WAIT_S)
            changed = listener.get(timeout=WAIT_S)
            assert changed == {"event": "hit_changed", "hit_id": "h2"}
            with pytest.raises(queue.Empty):
                listener.get(timeout=0.3)
    shown = {
        "hit_id": "h2",
        "text": "Let pass.",
        "command_id": "c2",
        "at": NOW.isoformat(),
    }
    assert event == {"event": "instruction", **shown}
    assert read_instructions(machine.config, "h2") == [shown]
    assert [i["hit_id"] for i in read_instructions(machine.config, None)] == [
        "h1",
        "h2",
    ]


def test_the_report_for_the_hub_is_collected_from_the_stores(machine, tmp_path):
    at = CLOCK.now() - timedelta(seconds=30)
    keep_head(machine, at)
    with machine.opened("booth") as booth, machine.opened("watchlist") as watchlist:
        collector = HealthCollector(booth, watchlist, tmp_path)
        report = collector.report(CLOCK.now())
        early = collector.report(at - timedelta(hours=1))
    assert (report.watchlist_sequence, report.head_issued_at) == (7, at)
    assert (report.outbox_depth, report.counts) == (0, {})
    assert report.disk_free_bytes > 0
    assert (report.clock_is_trusted, early.clock_is_trusted) == (True, False)


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(StoreError, match="gone"):
        free_bytes(tmp_path / "gone")
