"""A hub and a booth on this machine whose line between them can be made bad.

Broker, hub and edge-sync are processes of their own; the booth reaches the broker by a
proxy. What the officer's side does is done by whoever holds this: hits are written to
the booth's store, and the booth's galleries can be watched and searched.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

from edge.clock import SystemClock
from edge.config import default_cache_dir, load_config
from edge.services.booth_watch import BoothWatch
from edge.services.config_file import write_config
from edge.services.hub_desk import make_snapshot
from edge.services.local_trust import enrol_local_booth, set_up_local_hub
from edge.services.process_use import peak_bytes
from edge.services.processes import ServiceProcess
from edge.services.wiring import galleries, hub_keys, prepare_kernels, watchlist_index
from edge.simulate.broker import (
    find_mosquitto,
    free_port,
    start_broker,
    start_secure_broker,
)
from edge.simulate.fault_proxy import FaultProxy
from edge.store.database import open_database
from edge.trust.booth_keys import load_booth_keys
from edge.trust.key_folder import KeyFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import sqlite_utils

    from edge.config import Config
    from edge.recognition.fingerprint.evidence_search import Examined
    from edge.services.local_trust import LocalHub
    from edge.simulate.broker import RunningBroker
    from edge.store.database import Schema
    from edge.terms import Candidate, Template
    from edge.trust.booth_keys import BoothKeys
    from edge.watchlist.search import WatchlistIndex

READY_S = 120.0
BOOTH_ID = "booth-1"
SOURCE_ID = "booth-2"


class MeasuredSite:
    """Start with `with`; hub and edge-sync are started by their methods.

    run_dir: an existing, short path. Databases are connections of the calling thread.
    source_keys: of a second booth, without a process; the broker's own port is its.
    """

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._stack = ExitStack()
        self.config: Config
        self.hub: sqlite_utils.Database
        self.booth: sqlite_utils.Database
        self.watchlist: sqlite_utils.Database
        self.line: FaultProxy
        self.source_keys: BoothKeys
        self._broker: RunningBroker
        self._hub_process: ServiceProcess
        self._sync_process: ServiceProcess

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def make_snapshot(self, on_progress: Callable[[int, int], None]) -> int:
        """Make a snapshot as the hub would; on_progress as make_snapshot."""
        keys = hub_keys(self.config)
        return make_snapshot(self._path("hub.db"), keys, on_progress)

    def start_hub(self) -> None:
        self._hub_process.start()
        self._hub_process.wait_ready(READY_S)

    def start_sync(self) -> None:
        self._sync_process.start()
        self._sync_process.wait_ready(READY_S)

    def stop_sync(self) -> None:
        self._sync_process.stop()

    def sync_peak_bytes(self) -> int | None:
        """Return the most memory that edge-sync has held, None where unknown."""
        return peak_bytes(self._sync_process.pid)

    def hub_peak_bytes(self) -> int | None:
        return peak_bytes(self._hub_process.pid)

    @contextmanager
    def searching(
        self, on_progress: Callable[[float], None]
    ) -> Iterator[WatchedSearch]:
        """Bring the galleries up to date as edge-booth does, and follow the list."""
        prepare_kernels(self.config)
        clock = SystemClock()
        with galleries(self.config) as searched:
            watch = BoothWatch(self.config, clock)
            with watch.watching(searched, on_progress):
                index = watchlist_index(searched, self.watchlist, clock)
                yield WatchedSearch(watch, index)

    def _start(self, stack: ExitStack) -> None:
        now = SystemClock().now()
        folder, port = self._path("broker"), free_port()
        self.line = stack.enter_context(FaultProxy(port))
        with set_up_local_hub(self._run_dir, self._path("hub.db"), now=now) as hub:
            self._enrol(hub, "keys", BOOTH_ID, self.line.port)
            self._enrol(hub, "source", SOURCE_ID, port)
            files = hub.broker_files(folder, port)
        if find_mosquitto() is None:
            self._broker = start_broker(folder, port)
        else:
            self._broker = start_secure_broker(folder, port, files)
        stack.callback(self._broker.stop)
        self.source_keys = load_booth_keys(KeyFolder(self._path("source")), SOURCE_ID)
        self._hub_process = self._process(stack, "hub", port)
        self._sync_process = self._process(stack, "sync", self.line.port)
        self.config = load_config(self._path("sync.toml"))
        self.hub = self._open(stack, "hub.db", "hub")
        self.booth = self._open(stack, "booth.db", "booth")
        self.watchlist = self._open(stack, "watchlist.db", "watchlist")

    @property
    def is_secure(self) -> bool:
        return self._broker.kind == "mosquitto"

    def _enrol(self, hub: LocalHub, folder: str, booth_id: str, port: int) -> None:
        now = SystemClock().now()
        place = self._path(folder)
        enrol_local_booth(hub, place, booth_id, broker_port=port, now=now)

    def _process(self, stack: ExitStack, name: str, port: int) -> ServiceProcess:
        config = write_config(
            self._path(f"{name}.toml"), BOOTH_ID, self._settings(port)
        )
        command = ("-m", "edge", "serve", name, "--config", str(config))
        process = ServiceProcess(f"edge-{name}", command, self._run_dir)
        stack.callback(process.stop)
        return process

    def _open(
        self, stack: ExitStack, name: str, schema: Schema
    ) -> sqlite_utils.Database:
        database = open_database(self._path(name), schema)
        stack.callback(database.conn.close)
        return database

    def _path(self, name: str) -> Path:
        return self._run_dir / name

    def _settings(self, port: int) -> dict[str, dict[str, Any]]:
        certificates = "enrolment" if self.is_secure else "configured"
        return {
            "store": {"path": str(self._path("booth.db"))},
            "models": {"cache_dir": str(default_cache_dir() / "models")},
            "broker": {"port": port, "certificates": certificates},
            "keys": {"folder": str(self._path("keys"))},
            "hub": {
                "store": str(self._path("hub.db")),
                "keys": str(self._path("hub-keys")),
            },
        }


class WatchedSearch:
    """The search of a booth whose galleries follow its watchlist."""

    def __init__(self, watch: BoothWatch, index: WatchlistIndex[Examined]) -> None:
        self._watch = watch
        self._index = index

    @property
    def sequence(self) -> int:
        """Of the change up to which searches see the list."""
        return self._watch.state.searched.sequence

    def search(self, probes: Sequence[Template]) -> Sequence[Candidate]:
        return self._index.search(probes)
