"""A hub, its broker and the keys of many booths, on this machine."""

from __future__ import annotations

import resource
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from edge.clock import SystemClock
from edge.errors import ConfigurationError
from edge.services.config_file import write_config
from edge.services.local_trust import enrol_local_booth, set_up_local_hub
from edge.services.processes import ServiceProcess
from edge.simulate.broker import (
    find_mosquitto,
    free_port,
    start_broker,
    start_secure_broker,
)
from edge.simulate.fleet_worker import WorkerPlan
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlite_utils

    from edge.services.local_trust import LocalHub
    from edge.simulate.broker import RunningBroker
    from edge.simulate.watchlist_persons import GeneratedPersons

    # Told the name of what is done, how much of it, and of how much.
    Steps = Callable[[str, int, int], None]

READY_S = 120.0
APPENDED_AT_ONCE = 1000
# Files that a process opens besides one for each connection.
OTHER_FILES = 200
HUB = "hub"


class FleetSite:
    """Start with `with`: then the broker runs and every booth is enrolled.

    run_dir: an existing, short path. hub: a connection of the calling thread.
    """

    def __init__(self, run_dir: Path, booths: int, on_step: Steps) -> None:
        self._run_dir = run_dir
        self._on_step = on_step
        self._stack = ExitStack()
        self.booth_ids = [f"booth-{number}" for number in range(1, booths + 1)]
        self.hub: sqlite_utils.Database
        self.hub_process: ServiceProcess
        self.broker: RunningBroker

    def __enter__(self) -> Self:
        _allow_files(len(self.booth_ids) + OTHER_FILES)
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    @property
    def is_secure(self) -> bool:
        return self.broker.kind == "mosquitto"

    def fill(self, persons: GeneratedPersons, count: int) -> None:
        """Put the first count persons on the hub's list."""
        log = StoredHubLog(self.hub)
        for start in range(0, count, APPENDED_AT_ONCE):
            self._on_step("persons at the hub", start, count)
            more = min(APPENDED_AT_ONCE, count - start)
            log.append(list(persons.additions(start, more)), at=SystemClock().now())
        self._on_step("persons at the hub", count, count)

    def start_hub(self) -> None:
        self.hub_process.start()
        self.hub_process.wait_ready(READY_S)

    def worker_plans(self, processes: int, hit_bytes: int) -> list[WorkerPlan]:
        """Return the plans of so many processes that share the booths."""
        return [
            WorkerPlan(
                booth_ids=self.booth_ids[number::processes],
                keys=self._run_dir / "keys",
                hub_store=self._hub_store,
                log_path=self._run_dir / f"fleet-{number}.log",
                is_secure=self.is_secure,
                hit_bytes=hit_bytes,
                seed=number,
            )
            for number in range(processes)
        ]

    def _start(self, stack: ExitStack) -> None:
        port, folder = free_port(), self._run_dir / "broker"
        now = SystemClock().now()
        with set_up_local_hub(self._run_dir, self._hub_store, now=now) as hub:
            self._enrol(hub, port)
            files = hub.broker_files(folder, port)
        if find_mosquitto() is None:
            self.broker = start_broker(folder, port)
        else:
            self.broker = start_secure_broker(folder, port, files)
        stack.callback(self.broker.stop)
        self.hub = open_database(self._hub_store, "hub")
        stack.callback(self.hub.conn.close)
        command = ("-m", "edge", "serve", "hub", "--config", str(self._config(port)))
        self.hub_process = ServiceProcess("edge-hub", command, self._run_dir)
        stack.callback(self.hub_process.stop)

    def _enrol(self, hub: LocalHub, port: int) -> None:
        folder, now = self._run_dir / "keys", SystemClock().now()
        folder.mkdir(mode=0o700)
        for number, booth_id in enumerate(self.booth_ids):
            self._on_step("booths enrolled", number, len(self.booth_ids))
            enrol_local_booth(
                hub, folder / booth_id, booth_id, broker_port=port, now=now
            )
        self._on_step("booths enrolled", len(self.booth_ids), len(self.booth_ids))

    @property
    def _hub_store(self) -> Path:
        return self._run_dir / "hub.db"

    def _config(self, port: int) -> Path:
        certificates = "enrolment" if self.is_secure else "configured"
        sections: dict[str, dict[str, Any]] = {
            "broker": {"port": port, "certificates": certificates},
            "hub": {
                "store": str(self._hub_store),
                "keys": str(self._run_dir / "hub-keys"),
            },
        }
        return write_config(self._run_dir / "edge.toml", HUB, sections)


def _allow_files(count: int) -> None:
    """Let this process and those it starts open so many files.

    Raises:
        ConfigurationError: the machine does not allow it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < count:
        message = (
            f"fleet: needs {count} open files, this user may have {hard}: take fewer "
            "--booths, or raise the limit (`ulimit -Hn`)"
        )
        raise ConfigurationError(message)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
