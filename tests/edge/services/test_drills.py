"""From `edge hub drill` to the results at the booth, over real stores."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from edge.checkpoint.drill import DrillReport
from edge.clock import ManualClock
from edge.errors import DrillError, WatchlistError
from edge.services.drills import BoothDrills, DrillDesk, publish_drill
from edge.simulate.drill_person import (
    drill_entry,
    drill_seed,
    enrolled_impression,
    presented_impressions,
)
from edge.store.audit import lines_after
from edge.store.database import open_database
from edge.store.hub_images import StoredReferenceImages
from edge.store.hub_log import StoredHubLog
from edge.store.watchlist import BoothWatchlist
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceTemplate,
    Quality,
    WatchlistEntry,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


@dataclass
class Booth:
    config: object
    clock: ManualClock
    store: object
    watchlist: object

    def list(self, entry):
        add = DraftChange(ChangeOperation.ADD, entry.entry_id, entry)
        BoothWatchlist(self.watchlist).apply_local([add], at=NOW)

    @property
    def desk(self):
        return DrillDesk(self.config, self.clock)

    @property
    def drills(self):
        return BoothDrills(self.store, self.watchlist)


@pytest.fixture
def booth(tmp_path):
    paths = SimpleNamespace(
        path=tmp_path / "booth.db", watchlist_path=tmp_path / "watchlist.db"
    )
    store = open_database(paths.path, "booth")
    watchlist = open_database(paths.watchlist_path, "watchlist")
    with closing(store.conn), closing(watchlist.conn):
        yield Booth(SimpleNamespace(store=paths), ManualClock(NOW), store, watchlist)


def person(seed, *, at=NOW):
    return drill_entry(seed, name="Drill", at=at, valid=WEEK)


def test_another_impression_of_the_same_finger_is_presented():
    enrolled = enrolled_impression(7)
    first, second = presented_impressions(7, 0), presented_impressions(7, 1)
    images = [enrolled, *first, *second]
    assert len({image.tobytes() for image in images}) == len(images)
    assert {image.shape for image in images} == {(288, 256)}
    assert np.array_equal(enrolled, enrolled_impression(7))


def test_only_an_entry_of_the_category_is_a_drill():
    assert drill_seed(person(7)) == 7
    entry = WatchlistEntry("drill-7", 1, "wanted", "n", "A", "a", "i", NOW, None)
    assert drill_seed(entry) is None


def test_nobody_on_the_list_is_told(booth):
    assert booth.desk.view() == {"armed": None, "persons": [], "results": []}
    with pytest.raises(DrillError, match="edge hub drill"):
        booth.desk.arm("supervisor-1", None)


def test_the_newest_person_is_armed_once_and_taken_once(booth):
    booth.list(person(7, at=NOW - timedelta(days=1)))
    booth.list(person(8))
    booth.list(person(9, at=NOW - WEEK))  # over
    view = booth.desk.arm("supervisor-1", None)
    assert view["armed"]["entry_id"] == "drill-8"
    assert [p["entry_id"] for p in view["persons"]] == ["drill-8", "drill-7"]
    with pytest.raises(DrillError, match="supervisor-1"):
        booth.desk.arm("supervisor-2", "drill-7")
    armed = booth.drills.take()
    assert armed.entry_id == "drill-8"
    assert booth.drills.take() is None
    assert booth.desk.view()["armed"] is None
    [line] = lines_after(booth.store, 0, limit=9)
    assert (line.actor, line.action) == ("supervisor-1", "armed a drill")


def test_a_drill_is_disarmed(booth):
    booth.list(person(7))
    assert not booth.desk.disarm("supervisor-1")
    booth.desk.arm("supervisor-1", None)
    assert booth.desk.disarm("supervisor-1")
    assert booth.drills.take() is None


def test_a_person_withdrawn_meanwhile_makes_the_check_a_check(booth):
    booth.list(person(7))
    booth.desk.arm("supervisor-1", None)
    draft = DraftChange(ChangeOperation.WITHDRAW, "drill-7")
    BoothWatchlist(booth.watchlist).apply_local([draft], at=NOW)
    assert booth.drills.take() is None
    assert booth.desk.view()["results"][0]["state"] == "failed"


@pytest.mark.parametrize(
    ("is_detected", "state"), [(True, "detected"), (False, "missed")]
)
def test_what_was_measured_is_told(booth, is_detected, state):
    booth.list(person(7))
    booth.desk.arm("supervisor-1", None)
    armed = booth.drills.take()
    booth.drills.finished(
        DrillReport(
            drill_id=armed.drill_id,
            outcome="refer",
            is_detected=is_detected,
            check_id="c1",
            hit_id="h1",
            captured_at=NOW,
            decided_at=NOW + timedelta(seconds=1),
            decision_s=0.9,
        )
    )
    booth.store.conn.execute(
        "insert into hits (hit_id, check_id, entry_id, entry_version, occurred_at,"
        " payload, delivered_at) values ('h1', 'c1', 'drill-7', 1, ?, x'', ?)",
        (NOW.isoformat(), (NOW + timedelta(seconds=1.25)).isoformat()),
    )
    [drill] = booth.desk.view()["results"]
    assert drill["state"] == state
    assert drill["capture_to_decision_s"] == 0.9
    assert drill["decision_to_hub_s"] == 0.25
    assert drill["decision_to_verdict_s"] is None


class Engines:
    """Takes every image and makes a small template of it."""

    def __init__(self):
        self.fingerprint = self.face = self

    def assess(self, _sample):
        return Quality(90)

    def extract(self, _sample):
        return FaceTemplate("test", np.zeros(4, np.float32))


def test_a_drill_is_published_with_its_image_and_once(tmp_path):
    hub = open_database(tmp_path / "hub.db", "hub")
    with closing(hub.conn):
        StoredHubLog(hub).begin_log("ab" * 16, at=NOW)
        images = StoredReferenceImages(hub, actor="test")
        change = publish_drill(images, Engines(), seed=7, name="Exercise")
        assert change.entry.category == "DRILL"
        assert drill_seed(change.entry) == 7
        [image] = images.shown("drill-7")
        assert image.data.startswith(b"\x89PNG")
        with pytest.raises(WatchlistError):
            publish_drill(images, Engines(), seed=7)
