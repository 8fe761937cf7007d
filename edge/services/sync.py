"""edge-sync: the process that moves the outbox and follows the hub's watchlist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.logs import EventLog
from edge.records.changes import decode_change
from edge.services.systemd import Notifier, stop_event
from edge.store.database import open_database
from edge.store.outbox import StoredOutbox
from edge.store.watchlist import BoothWatchlist
from edge.sync.mqtt_client import MqttClient
from edge.sync.sync_agent import SyncAgent, booth_will, new_instance
from edge.sync.topics import booth_subscriptions, check_booth_id

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from edge.sync.settings import BrokerSettings

# How long a new outbox row may wait until it is noticed.
POLL_S = 0.05


def run_sync(
    *,
    booth_id: str,
    store_path: Path,
    watchlist_path: Path,
    broker: BrokerSettings,
    poll_s: float = POLL_S,
    stop: threading.Event | None = None,
) -> None:
    """Run until SIGTERM, SIGINT or stop. Reports READY once the store is open.

    Raises:
        ConfigurationError: the booth's id or a credential file cannot be used.
        StoreError: the database cannot be opened.
    """
    clock = SystemClock()
    log = EventLog(clock, "edge-sync")
    notifier = Notifier(clock)
    instance = new_instance()
    with stop_event(stop) as stopping:
        link = MqttClient(
            broker,
            client_id=f"edge-booth-{check_booth_id(booth_id)}",
            subscriptions=booth_subscriptions(booth_id),
            will=booth_will(booth_id, instance),
            clock=clock,
        )
        database = open_database(store_path, "booth")
        watchlist = open_database(watchlist_path, "watchlist")
        agent = SyncAgent(
            booth_id=booth_id,
            instance=instance,
            link=link,
            outbox=StoredOutbox(database),
            watchlist=BoothWatchlist(watchlist),
            decode_change=decode_change,
            clock=clock,
            log=log,
        )
        try:
            log.event("started", booth_id=booth_id, host=broker.host, port=broker.port)
            notifier.ready()
            while not stopping.is_set():
                agent.step(poll_s)
                notifier.alive()
        finally:
            notifier.stopping()
            agent.close()
            watchlist.conn.close()
            database.conn.close()
            log.event("stopped")
