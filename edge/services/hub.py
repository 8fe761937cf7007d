"""edge-hub: the process that takes the booths' hits and publishes the watchlist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.hub.hub_service import HubService, hub_will
from edge.logs import EventLog
from edge.services.systemd import Notifier, stop_event
from edge.store.database import open_database
from edge.store.hub import HubStore
from edge.sync.mqtt_client import MqttClient
from edge.sync.sync_agent import new_instance
from edge.sync.topics import hub_subscriptions

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from edge.sync.settings import BrokerSettings

# How long a change that another process wrote may wait until it is announced.
POLL_S = 0.2


def run_hub(
    *,
    store_path: Path,
    broker: BrokerSettings,
    poll_s: float = POLL_S,
    stop: threading.Event | None = None,
) -> None:
    """Run until SIGTERM, SIGINT or stop. Reports READY once the store is open.

    Raises:
        ConfigurationError: a credential file cannot be used.
        StoreError: the database cannot be opened.
    """
    clock = SystemClock()
    log = EventLog(clock, "edge-hub")
    notifier = Notifier(clock)
    instance = new_instance()
    with stop_event(stop) as stopping:
        link = MqttClient(
            broker,
            client_id="edge-hub",
            subscriptions=hub_subscriptions(),
            will=hub_will(instance),
            clock=clock,
        )
        store = HubStore(open_database(store_path, "hub"))
        service = HubService(
            instance=instance, link=link, store=store, clock=clock, log=log
        )
        try:
            log.event("started", host=broker.host, port=broker.port)
            notifier.ready()
            while not stopping.is_set():
                service.step(poll_s)
                notifier.alive()
        finally:
            notifier.stopping()
            service.close()
            store.close()
            log.event("stopped")
