"""edge-sync: the process that moves the outbox and follows the hub's watchlist."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.errors import ConfigurationError
from edge.logs import EventLog
from edge.services.link_note import LinkNote
from edge.services.systemd import Notifier, stop_event
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.outbox import StoredOutbox
from edge.store.reference_images import BoothReferenceImages, ExpectedImage
from edge.store.replica import StoredReplica
from edge.sync.assembly import AgentOptions, BoothStores, assemble_agent
from edge.sync.mqtt_client import MqttClient
from edge.sync.sync_agent import booth_will, new_instance
from edge.sync.topics import booth_subscriptions, check_booth_id
from edge.terms import FingerPosition

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    import sqlite_utils

    from edge.sync.messages import ImagePart, ReferenceImages
    from edge.sync.settings import BrokerSettings
    from edge.sync.sync_agent import Chore
    from edge.trust.anchors import TrustAnchors
    from edge.trust.booth_keys import BoothKeys

    # Of the booth and of its watchlist.
    Databases = tuple[sqlite_utils.Database, sqlite_utils.Database]

# How long a new outbox row may wait until it is noticed.
POLL_S = 0.02
# How often a booth that is not enrolled looks whether it is now.
ENROLMENT_S = 2.0


@dataclass(frozen=True)
class BoothSide:
    """What edge-sync works with.

    load_keys: raises ConfigurationError until the booth is enrolled. broker: how to
    reach the broker with these keys. keep_anchors: stores trust documents beside the
    keys. chores: what else to do now and then. is_gone_elsewhere: whether what was made
    of this watchlist holds nothing that is off it.
    """

    booth_id: str
    store_path: Path
    watchlist_path: Path
    load_keys: Callable[[], BoothKeys]
    broker: Callable[[BoothKeys], BrokerSettings]
    keep_anchors: Callable[[TrustAnchors], None] = lambda _anchors: None
    chores: Callable[[BoothStores, Databases], Sequence[Chore]] = field(
        default=lambda _stores, _databases: ()
    )
    is_gone_elsewhere: Callable[[sqlite_utils.Database], bool] = lambda _list: True


class ArrivingImages:
    """The booth's store of reference images as the wire's commands fill it."""

    def __init__(self, images: BoothReferenceImages) -> None:
        self._images = images

    def expect(self, announced: ReferenceImages, *, at: datetime) -> bool:
        expected = [
            ExpectedImage(
                item.reference_id,
                item.modality,
                FingerPosition(item.position),
                item.size,
                item.digest,
            )
            for item in announced.images
        ]
        return self._images.expect(announced.hit_id, expected, at=at)

    def add_part(self, part: ImagePart, *, at: datetime) -> bool:
        return self._images.add_part(
            part.hit_id, part.reference_id, part.part, part.data, at=at
        )


def run_sync(
    side: BoothSide, *, poll_s: float = POLL_S, stop: threading.Event | None = None
) -> None:
    """Run until SIGTERM, SIGINT or stop. Reports READY once the stores are open.

    A booth that is not enrolled says so and waits; nothing leaves it unsealed.

    Raises:
        ConfigurationError: the booth's id or a credential file cannot be used.
        StoreError: a database cannot be opened.
        MessageError: what the booth has stored of the hub's word is damaged.
    """
    clock = SystemClock()
    log = EventLog(clock, "edge-sync")
    notifier = Notifier(clock)
    booth_id = check_booth_id(side.booth_id)
    with ExitStack() as stack:
        stopping = stack.enter_context(stop_event(stop))
        booth_store = open_database(side.store_path, "booth")
        stack.enter_context(closing(booth_store.conn))
        watchlist_store = open_database(side.watchlist_path, "watchlist")
        stack.enter_context(closing(watchlist_store.conn))
        stack.callback(lambda: log.event("stopped"))
        notifier.ready()
        keys = _await_keys(side.load_keys, stopping, notifier, log)
        if keys is None:
            return
        broker = side.broker(keys)
        instance = new_instance()
        link = MqttClient(
            broker,
            client_id=f"edge-booth-{booth_id}",
            subscriptions=booth_subscriptions(booth_id),
            will=booth_will(booth_id, instance),
            clock=clock,
        )
        stores = BoothStores(
            StoredOutbox(booth_store),
            StoredReplica(watchlist_store),
            StoredCommands(booth_store),
            ArrivingImages(BoothReferenceImages(booth_store)),
        )
        options = AgentOptions(
            instance,
            chores=side.chores(stores, (booth_store, watchlist_store)),
            keep_anchors=side.keep_anchors,
            is_gone_elsewhere=lambda: side.is_gone_elsewhere(watchlist_store),
        )
        agent = assemble_agent(keys, link, stores, clock, log, options)
        stack.callback(agent.close)
        stack.callback(notifier.stopping)
        log.event("started", booth_id=booth_id, host=broker.host, port=broker.port)
        note = LinkNote(side.store_path.parent, clock)
        while not stopping.is_set():
            agent.step(poll_s)
            note.write_if_due(agent.link_word)
            notifier.alive()


def _await_keys(
    load_keys: Callable[[], BoothKeys],
    stopping: threading.Event,
    notifier: Notifier,
    log: EventLog,
) -> BoothKeys | None:
    """Return the booth's keys, None if told to stop before there are any."""
    said = ""
    while not stopping.is_set():
        try:
            return load_keys()
        except ConfigurationError as error:
            if str(error) != said:
                said = str(error)
                log.event("not_enrolled", error=said)
        notifier.alive()
        stopping.wait(ENROLMENT_S)
    return None
