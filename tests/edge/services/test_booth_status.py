from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from edge.clock import ManualClock
from edge.config import parse_config
from edge.services.booth_status import WORKS, BoothStatus
from edge.services.booth_watch import WatchedState
from edge.services.link_note import LinkNote, read_link_note
from edge.terms import FreshnessState, WatchlistFreshness
from edge.watchlist.live import SearchedState

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@dataclass
class Scanner:
    said: str = "ready"

    def state(self):
        return self.said


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture
def config(tmp_path):
    return parse_config(
        f'[store]\npath = "{tmp_path}/booth.db"\n[disk]\nlow_mb = 1\n', origin="test"
    )


def _modes(
    config,
    clock,
    *,
    freshness=FreshnessState.FRESH,
    scanner="ready",
    camera="streaming",
):
    state = WatchedState(
        SearchedState(pending_share=0.0),
        WatchlistFreshness(freshness, NOON, 0),
        heard_at=NOON,
    )
    status = BoothStatus(
        config,
        None if scanner is None else Scanner(scanner),
        None if camera is None else SimpleNamespace(state=camera),
        SimpleNamespace(state=state),
        clock,
    )
    view = status.view()
    assert all(mode["works"] and mode["does_not"] for mode in view["degraded"])
    return view, {mode["mode"] for mode in view["degraded"]}


def test_each_trouble_is_a_mode_that_says_what_still_works(config, clock, tmp_path):
    note = LinkNote(tmp_path, clock)
    note.write_if_due("up")
    view, modes = _modes(config, clock)
    assert modes == {"no_watchlist"}
    assert (view["link"]["state"], view["hub"]["state"]) == ("up", "ok")
    for options, mode in (
        ({"freshness": FreshnessState.STALE}, "watchlist_stale"),
        ({"freshness": FreshnessState.UNKNOWN}, "watchlist_unverified"),
        ({"freshness": FreshnessState.CLOCK_UNTRUSTED}, "clock_untrusted"),
        ({"scanner": None}, "scanner_absent"),
        ({"scanner": "absent"}, "scanner_absent"),
        ({"scanner": "unreachable"}, "scanner_failing"),
        ({"camera": None}, "camera_absent"),
        ({"camera": "absent"}, "camera_failing"),
    ):
        assert _modes(config, clock, **options)[1] == {"no_watchlist", mode}
        assert mode in WORKS
    note.write_if_due("hub_silent")
    assert "hub_silent" in _modes(config, clock)[1]
    note.write_if_due("down")
    assert "no_link" in _modes(config, clock)[1]


def test_a_disk_with_little_room_is_told(config, clock):
    full = config.model_copy(
        update={"disk": config.disk.model_copy(update={"low_mb": 10**9})}
    )
    assert "disk_nearly_full" in _modes(full, clock)[1]


def test_a_store_that_cannot_be_used_is_told_and_not_raised(config, clock, tmp_path):
    (tmp_path / "booth.db").write_bytes(b"no database at all" * 100)
    assert "store_unwritable" in _modes(config, clock)[1]


def test_an_old_note_of_the_line_says_nothing(clock, tmp_path):
    assert read_link_note(tmp_path, NOON) == "unknown"
    note = LinkNote(tmp_path, clock)
    note.write_if_due("up")
    assert read_link_note(tmp_path, clock.now()) == "up"
    clock.advance(21)
    assert read_link_note(tmp_path, clock.now()) == "unknown"
    note.write_if_due("up")
    assert read_link_note(tmp_path, clock.now()) == "up"
    (tmp_path / "link.json").write_text("[1]")
    assert read_link_note(tmp_path, clock.now()) == "unknown"
