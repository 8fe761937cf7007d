"""What the officer's status bar shows: devices, line, list, disk, clock.

And each degraded mode, with what still works in it and what does not.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from edge.booth.views import freshness_view
from edge.errors import StoreError
from edge.services.booth_health import free_bytes
from edge.services.link_note import read_link_note
from edge.store.database import open_database, require_writable
from edge.store.outbox import StoredOutbox
from edge.store.statistics import CheckStatistics
from edge.store.watchlist import BoothWatchlist
from edge.terms import FreshnessState

if TYPE_CHECKING:
    from datetime import datetime

    from edge.clock import Clock
    from edge.config import Config
    from edge.ports import FaceCapture, FingerprintCapture
    from edge.services.booth_watch import BoothWatch, WatchedState

# How often the scanner's bridge is asked at most; several screens may look.
SCANNER_LOOK_S = 2.0
# What still works in each mode, and what does not, as the API tells it in English.
WORKS = {
    "no_link": ("checks, decisions; hits wait here", "list changes, the hub's answers"),
    "hub_silent": (
        "checks, decisions; hits wait here",
        "the hub's answers, fresh proof of the list",
    ),
    "no_watchlist": ("captures", "every search: no check ends clear"),
    "watchlist_stale": ("search of the list as it is", "persons listed since"),
    "watchlist_unverified": (
        "search of the list as it is",
        "no check ends clear once it is too old",
    ),
    "watchlist_building": ("captures", "search of the whole list: no check ends clear"),
    "scanner_absent": ("faces", "fingerprints: no check that asks for one ends clear"),
    "scanner_failing": ("faces", "fingerprints, until the scanner answers"),
    "camera_absent": ("fingerprints", "faces: no check that asks for one ends clear"),
    "camera_failing": ("fingerprints", "faces, until the camera answers"),
    "faces_not_searched": (
        "fingerprints; faces confirm candidates",
        "finding somebody by the face alone",
    ),
    "disk_nearly_full": ("checks, for now", "recording, once it is full"),
    "clock_untrusted": ("checks and searches", "telling how old the list is"),
    "store_unwritable": ("nothing that counts", "recording: every check fails"),
}


class BoothStatus:
    """Safe to call from any thread."""

    def __init__(
        self,
        config: Config,
        finger: FingerprintCapture | None,
        face: FaceCapture | None,
        watch: BoothWatch,
        clock: Clock,
    ) -> None:
        self._config = config
        self._finger = finger
        self._face = face
        self._watch = watch
        self._clock = clock
        self._lock = threading.Lock()
        self._scanner: tuple[str, float] | None = None

    def view(self) -> dict[str, Any]:
        """Return the state of everything, JSON-ready; a store that fails is a state."""
        state, now = self._watch.state, self._clock.now()
        folder = self._config.store.path.parent
        devices = {"scanner": self._scanner_state(), "camera": self._camera_state()}
        link = read_link_note(folder, now)
        if state.freshness.state is FreshnessState.LOCAL and link == "unknown":
            link = "none"
        modes = [*_line_modes(link), *_list_modes(state), *_device_modes(devices)]
        free: int | None = None
        outbox = count = 0
        try:
            free = free_bytes(folder)
            outbox, count = self._depths()
        except StoreError:
            modes.append("store_unwritable")
        is_low = free is not None and free < self._config.disk.low_mb * 1_000_000
        if is_low:
            modes.append("disk_nearly_full")
        if count == 0 and "store_unwritable" not in modes:
            modes.insert(0, "no_watchlist")
        if self._face is not None and count and not state.faces.is_searched:
            modes.append("faces_not_searched")
        is_trusted = state.freshness.state is not FreshnessState.CLOCK_UNTRUSTED
        heard_at = state.heard_at
        return {
            "booth_id": self._config.booth_id,
            "at": now.isoformat(),
            "link": {"state": "up" if link in ("up", "hub_silent") else link},
            "hub": {
                "state": {"up": "ok", "hub_silent": "silent"}.get(link, "unknown"),
                "heard_at": None if heard_at is None else heard_at.isoformat(),
            },
            "watchlist": {**freshness_view(state.freshness), "count": count},
            "devices": devices,
            "disk": {"free_bytes": free, "is_low": is_low},
            "clock": {"is_trusted": is_trusted},
            "outbox_depth": outbox,
            "degraded": [
                {"mode": mode, "works": WORKS[mode][0], "does_not": WORKS[mode][1]}
                for mode in modes
            ],
        }

    def _depths(self) -> tuple[int, int]:
        """Return what waits for the hub, and how many persons are listed."""
        store = self._config.store
        booth = open_database(store.path, "booth")
        with closing(booth.conn):
            waiting = StoredOutbox(booth).depth()
            require_writable(booth)
        listed = open_database(store.watchlist_path, "watchlist")
        with closing(listed.conn):
            return waiting, BoothWatchlist(listed).size()[0]

    def _scanner_state(self) -> str:
        if self._finger is None:
            return "off"
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._scanner is None or now_s - self._scanner[1] >= SCANNER_LOOK_S:
                ask = getattr(self._finger, "state", None)
                self._scanner = ("ready" if ask is None else ask(), now_s)
            return self._scanner[0]

    def _camera_state(self) -> str:
        return "off" if self._face is None else str(getattr(self._face, "state", "on"))


def _line_modes(link: str) -> list[str]:
    if link in ("down", "unknown"):
        return ["no_link"]
    return ["hub_silent"] if link == "hub_silent" else []


def _list_modes(state: WatchedState) -> list[str]:
    modes = {
        FreshnessState.STALE: ["watchlist_stale"],
        FreshnessState.UNKNOWN: ["watchlist_unverified"],
        FreshnessState.CLOCK_UNTRUSTED: ["clock_untrusted"],
    }.get(state.freshness.state, [])
    return [*modes, "watchlist_building"] if state.searched.is_building else modes


def _device_modes(devices: dict[str, str]) -> list[str]:
    scanner = {
        "off": "scanner_absent",
        "absent": "scanner_absent",
        "unreachable": "scanner_failing",
        "refused": "scanner_failing",
    }.get(devices["scanner"])
    camera = {"off": "camera_absent", "absent": "camera_failing"}.get(devices["camera"])
    return [mode for mode in (scanner, camera) if mode is not None]


def read_statistics(config: Config, start: datetime, end: datetime) -> dict[str, Any]:
    """Return the statistics of the checks that ended in [start, end), JSON-ready.

    Raises:
        StoreError: the store cannot be read.
    """
    booth = open_database(config.store.path, "booth")
    with closing(booth.conn):
        return CheckStatistics(booth).between(start, end)
