"""The line between booth and hub alone, every process real: for runs that kill them.

Broker, edge-hub and edge-sync as processes of their own, and a source of invented hits
in place of edge-booth. The booth may reach the broker by another port, where something
listens that is a bad line, or writes down what passes.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, Self

from edge.clock import SystemClock
from edge.services.config_file import write_config
from edge.services.local_trust import enrol_local_booth, set_up_local_hub
from edge.services.processes import ServiceProcess, stop_all
from edge.simulate.broker import (
    find_mosquitto,
    free_port,
    start_broker,
    start_secure_broker,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from edge.simulate.broker import RunningBroker

READY_S = 60.0
BOOTH_ID = "booth-1"
LineKind = Literal["certificates", "plain"]


class WireSystem:
    """Start with `with`; everything is stopped at its end, whatever happened.

    run_dir: an existing, short path. line: "plain" has no TLS, which "certificates"
    falls back to where Mosquitto is not installed. reach: told the broker's port,
    returns the one that hub and booth connect to.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        line: LineKind = "certificates",
        reach: Callable[[int], int] = lambda port: port,
        hits_per_s: float = 20.0,
    ) -> None:
        self._run_dir = run_dir
        self._is_secure = line == "certificates" and find_mosquitto() is not None
        self._reach = reach
        self._hits_per_s = hits_per_s
        self._stack = ExitStack()
        self.booth_store = run_dir / "booth.db"
        self.watchlist_store = run_dir / "watchlist.db"
        self.hub_store = run_dir / "hub.db"
        self.processes: dict[str, ServiceProcess] = {}
        self.broker: RunningBroker

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def start_source(self) -> None:
        """Let hits flow."""
        self.source.start()

    @property
    def source(self) -> ServiceProcess:
        return self.processes["hit-source"]

    @property
    def recorded(self) -> list[str]:
        """The ids of the hits that the source has said to be recorded."""
        try:
            lines = self.source.log_path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if len(line) == 32]

    def _start(self, stack: ExitStack) -> None:
        now, port = SystemClock().now(), free_port()
        folder = self._run_dir / "broker"
        with set_up_local_hub(self._run_dir, self.hub_store, now=now) as hub:
            if self._is_secure:
                files = hub.broker_files(folder, port)
                self.broker = start_secure_broker(folder, port, files)
            else:
                self.broker = start_broker(folder, port)
            stack.callback(self.broker.stop)
            reached = self._reach(port)
            keys = self._run_dir / "keys"
            enrol_local_booth(hub, keys, BOOTH_ID, broker_port=reached, now=now)
        config = self._write_config(reached)
        for process in self._service_processes(config):
            self.processes[process.name] = process
        stack.callback(lambda: stop_all(list(self.processes.values())))
        for name in ("edge-hub", "edge-sync"):
            self.processes[name].start()
        for name in ("edge-hub", "edge-sync"):
            self.processes[name].wait_ready(READY_S)

    def _service_processes(self, config: Path) -> list[ServiceProcess]:
        options = ("--config", str(config))
        source = ("-m", "edge.simulate.hit_source", "--store", str(self.booth_store))
        commands = {
            "edge-hub": ("-m", "edge", "serve", "hub", *options),
            "edge-sync": ("-m", "edge", "serve", "sync", *options),
            "hit-source": (*source, "--hits-per-s", str(self._hits_per_s)),
        }
        return [
            ServiceProcess(name, command, self._run_dir)
            for name, command in commands.items()
        ]

    def _write_config(self, port: int) -> Path:
        sections: dict[str, dict[str, Any]] = {
            "store": {"path": str(self.booth_store)},
            "broker": {
                "port": port,
                "keepalive_s": 5,
                "certificates": "enrolment" if self._is_secure else "configured",
            },
            "keys": {"folder": str(self._run_dir / "keys")},
            "hub": {
                "store": str(self.hub_store),
                "poll_s": 0.05,
                "keys": str(self._run_dir / "hub-keys"),
            },
        }
        return write_config(self._run_dir / "edge.toml", BOOTH_ID, sections)
