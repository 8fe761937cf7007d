"""edge-hub: the process that takes the booths' hits and publishes the watchlist."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.errors import ConfigurationError, EdgeError
from edge.hub.hub_service import HubService, hub_will
from edge.hub.hub_stores import BuildingStores, HubStores
from edge.hub.settings import HubSettings
from edge.hub.snapshot_maker import SnapshotMaker
from edge.logs import EventLog
from edge.services.systemd import Notifier, stop_event
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_commands import StoredHubCommands
from edge.store.hub_images import StoredReferenceImages
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import HISTORICAL_AFTER_S, StoredHubMessages
from edge.store.hub_registry import StoredHubRegistry
from edge.store.hub_snapshots import StoredHubSnapshots
from edge.sync.mqtt_client import MqttClient
from edge.sync.settings import HUB_RECEIVE_MAXIMUM
from edge.sync.sync_agent import new_instance
from edge.sync.topics import hub_subscriptions

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import sqlite_utils

    from edge.clock import Clock
    from edge.sync.settings import BrokerSettings
    from edge.trust.hub_keys import HubKeys

# How long a change that another process wrote may wait until it is announced.
POLL_S = 0.2
KEYS_LOOK_S = 5.0
CLIENT_ID = "edge-hub"


def run_hub(
    *,
    store_path: Path,
    broker: BrokerSettings,
    load_keys: Callable[[], HubKeys],
    settings: HubSettings | None = None,
    poll_s: float = POLL_S,
    stop: threading.Event | None = None,
) -> None:
    """Run until SIGTERM, SIGINT or stop. Reports READY once the store is open.

    load_keys: called again and again; when the keys have changed, the hub goes on with
    the new ones.

    Raises:
        ConfigurationError: a credential or a key cannot be used, or the store does not
            belong to the keys.
        StoreError: the database cannot be opened.
    """
    clock = SystemClock()
    hub = _Hub(
        store_path=store_path,
        broker=replace(broker, receive_maximum=HUB_RECEIVE_MAXIMUM),
        settings=replace(settings or HubSettings(), look_s=poll_s),
        poll_s=poll_s,
        clock=clock,
        log=EventLog(clock, "edge-hub"),
    )
    with stop_event(stop) as stopping:
        keys = load_keys()
        try:
            while True:
                hub.serve(keys, stopping, load_keys)
                if stopping.is_set():
                    break
                keys = load_keys()
        finally:
            hub.notifier.stopping()
            hub.log.event("stopped")


class _Hub:
    """What stays while keys come and go."""

    def __init__(
        self,
        *,
        store_path: Path,
        broker: BrokerSettings,
        settings: HubSettings,
        poll_s: float,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self.log = log
        self.notifier = Notifier(clock)
        self._store_path = store_path
        self._broker = broker
        self._settings = settings
        self._poll_s = poll_s
        self._clock = clock

    def serve(
        self,
        keys: HubKeys,
        stopping: threading.Event,
        load_keys: Callable[[], HubKeys],
    ) -> None:
        """Serve with these keys until told to stop, or until there are others."""
        instance = new_instance()
        with ExitStack() as stack:
            link = MqttClient(
                self._broker,
                client_id=CLIENT_ID,
                subscriptions=hub_subscriptions(),
                will=hub_will(instance),
                clock=self._clock,
            )
            stores = hub_stores(
                stack.enter_context(_opened(self._store_path)),
                late_after_s=self._settings.late_after_s,
            )
            _require_same_log(stores, keys)
            maker = stack.enter_context(
                SnapshotMaker(
                    lambda: building_stores(self._store_path),
                    keys,
                    self._clock,
                    self.log,
                    self._settings,
                )
            )
            service = HubService(
                instance=instance,
                link=link,
                stores=stores,
                keys=keys,
                clock=self._clock,
                log=self.log,
                settings=self._settings,
                want_snapshot=maker.want,
            )
            stack.callback(service.close)
            self.log.event("started", host=self._broker.host, port=self._broker.port)
            self.notifier.ready()
            next_look_s = self._clock.monotonic_s() + KEYS_LOOK_S
            while not stopping.is_set():
                service.step(self._poll_s)
                self.notifier.alive()
                if self._clock.monotonic_s() >= next_look_s:
                    next_look_s = self._clock.monotonic_s() + KEYS_LOOK_S
                    if self._have_changed(keys, load_keys):
                        return

    def _have_changed(self, keys: HubKeys, load_keys: Callable[[], HubKeys]) -> bool:
        try:
            has_changed = not _are_same(load_keys(), keys)
        except EdgeError as error:
            # They are being replaced, or cannot be read; the hub goes on with its own.
            self.log.event("keys_failed", error=str(error))
            return False
        if has_changed:
            self.log.event("keys_changed")
        return has_changed


def _require_same_log(stores: HubStores, keys: HubKeys) -> None:
    found = stores.log.log()
    if found != keys.anchors.log:
        raise ConfigurationError(
            f"the store holds watchlist log {found}, the trust document names "
            f"{keys.anchors.log}: run `edge hub init`, or put back the store that "
            "belongs to the keys"
        )


def _are_same(keys: HubKeys, others: HubKeys) -> bool:
    return (
        keys.watchlist.raw == others.watchlist.raw
        and keys.operations.raw == others.operations.raw
        and keys.sealing.keys() == others.sealing.keys()
        and keys.trust == others.trust
    )


def hub_stores(
    database: sqlite_utils.Database,
    *,
    actor: str = "edge-hub",
    late_after_s: float = HISTORICAL_AFTER_S,
) -> HubStores:
    """Return the parts of a hub's store; actor: who stands in the audit log."""
    return HubStores(
        log=StoredHubLog(database, actor=actor),
        snapshots=StoredHubSnapshots(database),
        messages=StoredHubMessages(database, historical_after_s=late_after_s),
        commands=StoredHubCommands(database, actor=actor),
        booths=StoredHubBooths(database),
        registry=StoredHubRegistry(database, actor=actor),
        images=StoredReferenceImages(database, actor=actor),
    )


@contextmanager
def building_stores(path: Path) -> Iterator[BuildingStores]:
    """Open what building a snapshot needs, on connections of its own.

    Raises:
        StoreError: the database cannot be opened.
    """
    with _opened(path) as reading, _opened(path) as writing:
        yield BuildingStores(
            log=StoredHubLog(reading),
            snapshots=StoredHubSnapshots(writing),
            registry=StoredHubRegistry(writing),
        )


@contextmanager
def _opened(path: Path) -> Iterator[sqlite_utils.Database]:
    database = open_database(path, "hub")
    try:
        yield database
    finally:
        database.conn.close()
