"""A whole checkpoint on one machine: every process real, scanner and camera emulated.

Broker, hub, firmware-bridge, edge-sync and edge-booth run as processes of their own,
started as a service manager would start them, with keys and certificates made on the
spot. Where Mosquitto is installed the line is TLS with certificates on both sides; the
embedded broker knows no certificates, and only what it carries is protected. The
scanner emulator answers on a pseudo-terminal, the camera is a stream over HTTP; both
live in this process.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from edge.clock import SystemClock
from edge.services.config_file import write_config
from edge.services.local_accounts import BOOTH_PEOPLE, HUB_PEOPLE, add_people
from edge.services.local_trust import enrol_local_booth, set_up_local_hub
from edge.services.processes import ServiceProcess, stop_all
from edge.simulate.broker import (
    find_mosquitto,
    free_port,
    start_broker,
    start_secure_broker,
)
from edge.simulate.camera_stream import PlayedCamera
from edge.web.client import signed_in
from firmware_bridge.emulator import ScannerEmulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    import httpx

    from edge.services.local_accounts import Place
    from edge.simulate.broker import BrokerKind, RunningBroker

READY_S = 120.0
BOOTH_ID = "booth-1"


class LocalSystem:
    """Start with `with`; everything is stopped at its end, whatever happened.

    run_dir: an existing, short path (sockets live in it). model_cache: prepared models.
    is_paced: the emulated line is as slow as a real one at its baud rate.
    prefer_broker: used where it is installed, else amqtt.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        model_cache: Path,
        is_paced: bool = False,
        prefer_broker: BrokerKind = "mosquitto",
        on_step: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._run_dir = run_dir
        self._model_cache = model_cache
        self._is_paced = is_paced
        self._prefer_broker = prefer_broker
        self._on_step = on_step
        self._stack = ExitStack()
        self.booth_store = run_dir / "booth.db"
        self.hub_store = run_dir / "hub.db"
        self.config_path = run_dir / "edge.toml"
        self.booth_url = f"http://127.0.0.1:{free_port()}"
        self.console_url = f"http://127.0.0.1:{free_port()}"
        self.processes: dict[str, ServiceProcess] = {}
        self.passwords: dict[tuple[Place, str], str] = {}
        self.broker: RunningBroker
        self.scanner: ScannerEmulator
        self.camera: PlayedCamera

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

    def booth_client(self, name: str = "officer-1") -> httpx.Client:
        """Return a client that is signed in at the booth; the caller closes it.

        Raises:
            ClientError: the booth did not let it in.
        """
        return signed_in(self.booth_url, name, self.passwords["booth", name])

    def console_client(self, name: str = "operator-1") -> httpx.Client:
        """Return a client that is signed in at the hub's console; the caller closes it.

        Raises:
            ClientError: the console did not let it in.
        """
        return signed_in(self.console_url, name, self.passwords["hub", name])

    def _start(self, stack: ExitStack) -> None:
        self._on_step("emulated scanner and camera")
        link = self._run_dir / "scanner"
        self.scanner = stack.enter_context(
            ScannerEmulator(link, is_paced=self._is_paced)
        )
        self.camera = stack.enter_context(PlayedCamera())
        self._on_step("message broker")
        self.broker = self._start_broker()
        stack.callback(self.broker.stop)
        self._write_config()
        self.passwords = {
            **add_people(self.booth_store, "booth", BOOTH_PEOPLE),
            **add_people(self.hub_store, "hub", HUB_PEOPLE),
        }
        for process in self._service_processes(link):
            self.processes[process.name] = process
        stack.callback(lambda: stop_all(list(self.processes.values())))
        for process in self.processes.values():
            self._on_step(process.name)
            process.start()
        for process in self.processes.values():
            process.wait_ready(READY_S)

    def _start_broker(self) -> RunningBroker:
        now = SystemClock().now()
        folder, port = self._run_dir / "broker", free_port()
        with set_up_local_hub(self._run_dir, self.hub_store, now=now) as hub:
            enrol_local_booth(
                hub, self._run_dir / "keys", BOOTH_ID, broker_port=port, now=now
            )
            files = hub.broker_files(folder, port)
        if self._prefer_broker == "mosquitto" and find_mosquitto() is not None:
            return start_secure_broker(folder, port, files)
        return start_broker(folder, port, prefer=self._prefer_broker)

    def _service_processes(self, link: Path) -> list[ServiceProcess]:
        config = ("--config", str(self.config_path))
        serve = ("-m", "edge", "serve")
        commands = {
            "edge-hub": (*serve, "hub", *config),
            "firmware-bridge": (
                "-m",
                "firmware_bridge",
                "serve",
                "--port",
                str(link),
                "--socket",
                str(self._run_dir / "scanner.sock"),
            ),
            "edge-sync": (*serve, "sync", *config),
            "edge-booth": (*serve, "booth", *config),
            "edge-console": (*serve, "console", *config),
        }
        return [
            ServiceProcess(name, command, self._run_dir)
            for name, command in commands.items()
        ]

    def _write_config(self) -> None:
        sections: dict[str, dict[str, Any]] = {
            "store": {"path": str(self.booth_store)},
            "models": {"cache_dir": str(self._model_cache)},
            "scanner": {"socket": str(self._run_dir / "scanner.sock")},
            "camera": {"source": self.camera.url},
            "broker": {
                "host": self.broker.host,
                "port": self.broker.port,
                "keepalive_s": 5,
                "certificates": (
                    "enrolment" if self.broker.kind == "mosquitto" else "configured"
                ),
            },
            "keys": {"folder": str(self._run_dir / "keys")},
            "web": {"port": int(self.booth_url.rsplit(":", 1)[1])},
            "console": {"port": int(self.console_url.rsplit(":", 1)[1])},
            "hub": {
                "store": str(self.hub_store),
                "poll_s": 0.05,
                "keys": str(self._run_dir / "hub-keys"),
            },
        }
        write_config(self.config_path, BOOTH_ID, sections)
