"""A hub with an invented past and its console as a process, for measurements."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from edge.clock import SystemClock
from edge.services.config_file import write_config
from edge.services.local_accounts import HUB_PEOPLE, add_people
from edge.services.local_trust import set_up_local_hub
from edge.services.processes import ServiceProcess
from edge.simulate.broker import free_port
from edge.simulate.console_store import StoreSize, fill_store
from edge.web.client import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

READY_S = 60.0


class MeasuredConsole:
    """Start with `with`. store: the hub's; url: of the console; config: of both."""

    def __init__(
        self,
        folder: Path,
        size: StoreSize,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._folder = folder
        self._size = size
        self._on_progress = on_progress
        self._stack = ExitStack()
        self.store = folder / "hub.db"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.config = folder / "edge.toml"
        self._passwords: dict[str, str] = {}

    def __enter__(self) -> Self:
        now = SystemClock().now()
        with set_up_local_hub(self._folder, self.store, now=now):
            pass
        people = add_people(self.store, "hub", HUB_PEOPLE)
        self._passwords = {name: password for (_, name), password in people.items()}
        fill_store(self.store, self._size, now, self._on_progress)
        write_config(
            self.config,
            "hub",
            {
                "hub": {
                    "store": str(self.store),
                    "keys": str(self._folder / "hub-keys"),
                },
                "console": {"port": int(self.url.rsplit(":", 1)[1])},
            },
        )
        command = ("-m", "edge", "serve", "console", "--config", str(self.config))
        process = ServiceProcess("edge-console", command, self._folder)
        process.start()
        self._stack.callback(process.stop)
        process.wait_ready(READY_S)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def client(self, name: str) -> httpx.Client:
        """Return a client that is signed in; the caller closes it.

        Raises:
            ClientError: the console did not let it in.
        """
        return signed_in(self.url, name, self._passwords[name])
