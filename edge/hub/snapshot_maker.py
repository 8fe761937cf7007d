"""Builds snapshots beside the hub's loop, in a thread with connections of its own.

A snapshot of a whole country's list takes a minute of one processor; between two chunks
the thread lets the loop go first.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from edge.errors import EdgeError
from edge.hub.entitlements import Entitlements
from edge.hub.snapshot_building import (
    BuildingStoppedError,
    build_snapshot,
    is_snapshot_due,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from edge.clock import Clock
    from edge.hub.hub_stores import BuildingStores
    from edge.hub.settings import HubSettings
    from edge.logs import EventLog
    from edge.trust.hub_keys import HubKeys
    from edge.trust.keys import ContentKey

LOOK_S = 2.0
# After a failure, such as a full disk, the next attempt is not at once.
AFTER_FAILURE_S = 30.0
BREATH_S = 0.002


class SnapshotMaker:
    """Start with `with`; its end waits until a snapshot under way has been given up."""

    def __init__(
        self,
        open_stores: Callable[[], AbstractContextManager[BuildingStores]],
        keys: HubKeys,
        clock: Clock,
        log: EventLog,
        settings: HubSettings,
    ) -> None:
        """open_stores: called in the thread, which alone uses what it returns."""
        self._open_stores = open_stores
        self._keys = keys
        self._clock = clock
        self._log = log
        self._settings = settings
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def want(self) -> None:
        """Look at once whether a snapshot is due; a booth waits for one."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._open_stores() as stores:
                    self._watch(stores)
            except BuildingStoppedError:
                return
            except EdgeError as error:
                self._log.event("snapshot_failed", error=str(error))
                self._stopping.wait(AFTER_FAILURE_S)

    def _watch(self, stores: BuildingStores) -> None:
        entitlements = Entitlements(stores.registry, self._keys.sealing, self._clock)
        while not self._stopping.is_set():
            entitlements.look()
            self._make_if_due(stores, entitlements.content_key())
            self._wake.wait(LOOK_S)
            self._wake.clear()

    def _make_if_due(self, stores: BuildingStores, content_key: ContentKey) -> None:
        if not is_snapshot_due(
            stores.log,
            stores.snapshots,
            epoch=content_key.epoch,
            after_changes=self._settings.snapshot_after_changes,
        ):
            return
        started_s = self._clock.monotonic_s()
        sequence = build_snapshot(
            stores.log,
            stores.snapshots,
            content_key,
            self._keys.watchlist,
            self._clock,
            self._breathe,
        )
        took_ms = 1000 * (self._clock.monotonic_s() - started_s)
        self._log.event("snapshot", sequence=sequence, duration_ms=round(took_ms))

    def _breathe(self, _size: int) -> None:
        if self._stopping.wait(BREATH_S):
            raise BuildingStoppedError
