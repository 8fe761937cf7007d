"""edge-console: the process that serves the operators' console.

It is not part of edge-hub, as was first designed: a browser, a burst of requests or a
defect of a page must neither slow nor stop the taking of hits, and the process that
faces people needs no line to the broker. Both share the hub's store as booth and sync
share theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.console.alarms import AlarmLimits
from edge.console.desk import ConsoleDesk, ConsoleSettings
from edge.console.guarded import guarded_console
from edge.console.live_events import LiveEvents
from edge.console.posts import PostLimits
from edge.errors import EdgeError
from edge.logs import EventLog
from edge.services.console_enrolling import ImagePreparation
from edge.services.sites import hub_site, hub_store
from edge.services.systemd import Notifier, stop_event
from edge.services.web_server import serving
from edge.services.wiring import hub_keys, shown_image

if TYPE_CHECKING:
    import threading

    from edge.config import Config

ALIVE_S = 0.5


def run_console(config: Config, stop: threading.Event | None = None) -> None:
    """Run until SIGTERM, SIGINT or stop. Reports READY once pages are served.

    Raises:
        ConfigurationError: this machine is no hub; the port is taken; the certificate
            cannot be used.
        StoreError: the store cannot be opened.
    """
    clock = SystemClock()
    log, notifier = EventLog(clock, "edge-console"), Notifier(clock)
    console = config.console
    desk = console_desk(config)
    # Fails now, and not at the first page, if the store cannot be used.
    with desk.opened("edge-console"):
        pass
    files = None
    if console.certificate_file is not None and console.key_file is not None:
        files = (console.certificate_file, console.key_file)
    with stop_event(stop) as stopping, LiveEvents(desk, log) as live:
        app = guarded_console(
            desk,
            live,
            hub_site(config, clock, ["edge.console"]),
            names=[*console.names, console.host],
            is_tls=files is not None,
        )
        with serving(
            app, host=console.host, port=console.port, key="console", certificate=files
        ):
            log.event("started", host=console.host, port=console.port)
            notifier.ready()
            while not stopping.wait(ALIVE_S):
                if not live.is_alive:
                    raise EdgeError("the thread of the events has ended; restarting")
                notifier.alive()
            notifier.stopping()
            live.close()
    log.event("stopped")


def console_desk(config: Config) -> ConsoleDesk:
    """Return the desk of this hub.

    Raises:
        ConfigurationError: this machine is no hub.
    """
    console = config.console
    return ConsoleDesk(
        store_path=hub_store(config),
        clock=SystemClock(),
        settings=ConsoleSettings(
            alarms=AlarmLimits(console.overdue_after_s, console.lost_after_s),
            posts=PostLimits(console.stale_after_s, console.stale_changes),
        ),
        load_keys=lambda: hub_keys(config),
        prepare=ImagePreparation(config).prepare,
        shown=shown_image,
    )
