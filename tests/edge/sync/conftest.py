"""A booth's real end of the wire and the real hub, on a broker in memory.

No sockets, and no time but what a test lets pass. The hub's store is a real database;
the booth's stores are those of a simulated booth, in memory, so that a test can take
them apart.
"""

from __future__ import annotations

import io
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from edge.clock import ManualClock
from edge.errors import StoreError
from edge.hub.hub_service import HubService, hub_will
from edge.hub.hub_stores import HubStores
from edge.hub.settings import HubSettings
from edge.logs import EventLog
from edge.records.hits import encode_hit
from edge.replication.snapshot import SnapshotBuilder
from edge.simulate.fleet_stores import MemoryCommands, MemoryOutbox, MemoryReplica
from edge.simulate.hit_source import invented_hit
from edge.simulate.memory_broker import MemoryBroker
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_commands import StoredHubCommands
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_recalls import StoredHubRecalls
from edge.store.hub_registry import StoredHubRegistry
from edge.store.hub_snapshots import StoredHubSnapshots
from edge.sync.assembly import AgentOptions, BoothStores, assemble_agent
from edge.sync.sync_agent import booth_will
from edge.sync.topics import booth_subscriptions, hub_subscriptions
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry
from edge.trust.anchors import TrustDocument, encode_chain, kept_anchors, sign_document
from edge.trust.booth_keys import BoothKeys
from edge.trust.grants import make_grant, seal_epoch
from edge.trust.hub_keys import HubKeys
from edge.trust.keys import ContentKey, SealingKey, SigningKey
from edge.trust.registered_booth import AdmittedBooth

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOG = "ab" * 16


class HubKeyring:
    """A root and working keys, with the trust documents that name them."""

    def __init__(self) -> None:
        self.root = SigningKey.generate()
        self.documents: list[bytes] = []
        self.log = LOG
        self.watchlist = SigningKey.generate()
        self.operations = SigningKey.generate()
        self.sealing = [SealingKey.generate()]
        self.sign_documents()

    def sign_documents(self):
        document = TrustDocument(
            log=self.log,
            version=len(self.documents) + 1,
            issued_at=START,
            expires_at=START + timedelta(days=365),
            threshold=1,
            roots=[self.root.public.raw],
            watchlist=[self.watchlist.public.raw],
            operations=[self.operations.public.raw],
            sealing=[key.public.raw for key in self.sealing],
            ca=b"",
        )
        self.documents.append(sign_document(document, [self.root]))

    @property
    def trust(self):
        return encode_chain(self.documents)

    def hub_keys(self):
        return HubKeys(
            watchlist=self.watchlist,
            operations=self.operations,
            sealing={key.public.key_id: key for key in self.sealing},
            trust=self.trust,
            anchors=kept_anchors(self.trust),
        )


class Booth:
    """One booth: its keys, its stores, and an agent that can be lost and made anew."""

    def __init__(self, wire, booth_id) -> None:
        self.wire = wire
        self.booth_id = booth_id
        self.signing, self.sealing = SigningKey.generate(), SealingKey.generate()
        self.outbox, self.replica = MemoryOutbox(), MemoryReplica()
        self.commands = MemoryCommands()
        self.images = None
        self.output = io.StringIO()
        self.admit()
        self.keys = self._keys()
        self.start()

    def admit(self):
        booth = AdmittedBooth(
            self.booth_id, self.signing.public.raw, self.sealing.public.raw, b"", START
        )
        self.wire.stores.registry.admit(booth, at=START)

    def _keys(self):
        keyring = self.wire.keyring
        grant = make_grant(
            self.booth_id,
            self.sealing.public,
            self.wire.content_keys,
            serial=self.wire.stores.registry.next_serial(self.booth_id),
            issued_at=START,
            key=keyring.operations,
        )
        return BoothKeys(
            booth_id=self.booth_id,
            signing=self.signing,
            sealing=self.sealing,
            anchors=kept_anchors(keyring.trust),
            grant=grant,
            broker_host="",
            broker_port=1,
            tls_key=Path(),
            certificate=Path(),
            authority=Path(),
        )

    def start(self):
        self.link = self.wire.broker.link(
            booth_subscriptions(self.booth_id), booth_will(self.booth_id, "cd")
        )
        self.agent = assemble_agent(
            self.keys,
            self.link,
            BoothStores(self.outbox, self.replica, self.commands, self.images),
            self.wire.clock,
            EventLog(self.wire.clock, "edge-sync", self.output),
            AgentOptions("cd", random=Random(1)),  # noqa: S311  repeatable, no secret
        )

    def restart(self):
        """As after a kill: what was in the stores is all that is left."""
        self.link.kill()
        self.start()

    def record_hit(self):
        hit = invented_hit(self.booth_id, self.wire.clock.now(), evidence_bytes=50)
        self.outbox.post(
            "hit", encode_hit(hit), at=self.wire.clock.now(), message_id=hit.hit_id
        )
        return hit.hit_id

    def lines(self, event):
        lines = map(json.loads, self.output.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]

    def refusals(self):
        return [line.get("reason") for line in self.lines("message_refused")]

    def topic(self, channel):
        return f"edge/{self.booth_id}/{channel}"


class Wire:
    def __init__(self, path) -> None:
        self.clock = ManualClock(START)
        self.broker = MemoryBroker()
        self.output = io.StringIO()
        self.path = path
        self.keyring = HubKeyring()
        self.content_keys = []
        self.booths = []
        self.database = open_database(path, "hub")
        self._open_stores()
        self.stores.log.begin_log(LOG, at=START)
        self.begin_epoch()
        self.start_hub()

    def _open_stores(self):
        database = self.database
        self.recalls = StoredHubRecalls(database)
        self.stores = HubStores(
            log=StoredHubLog(database),
            snapshots=StoredHubSnapshots(database),
            messages=StoredHubMessages(database),
            commands=StoredHubCommands(database),
            booths=StoredHubBooths(database),
            registry=StoredHubRegistry(database),
        )

    def start_hub(self):
        self.hub_link = self.broker.link(hub_subscriptions(), hub_will("ef"))
        self.hub = HubService(
            instance="ef",
            link=self.hub_link,
            stores=self.stores,
            keys=self.keyring.hub_keys(),
            clock=self.clock,
            log=EventLog(self.clock, "edge-hub", self.output),
            settings=HubSettings(look_s=0),
        )

    def restart_hub(self):
        self.hub_link.kill()
        self.database.conn.close()
        self.database = open_database(self.path, "hub")
        self._open_stores()
        self.start_hub()

    def begin_epoch(self):
        key = ContentKey.generate(len(self.content_keys) + 1)
        sealed = seal_epoch(key, self.keyring.sealing[0].public)
        self.stores.registry.add_epoch(key.epoch, sealed, at=START)
        self.content_keys.append(key)

    def booth(self, booth_id="booth-1"):
        booth = Booth(self, booth_id)
        self.booths.append(booth)
        return booth

    def run(self, seconds=3.0, step_s=0.25):
        """Let both ends work while time passes."""
        for _ in range(int(seconds / step_s)):
            for booth in self.booths:
                booth.agent.step(0)
            self.hub.step(0)
            self.clock.advance(step_s)

    def publish(self, *entry_ids, operation=ChangeOperation.ADD):
        drafts = [
            DraftChange(
                operation,
                entry_id,
                None if operation is ChangeOperation.WITHDRAW else entry(entry_id),
            )
            for entry_id in entry_ids
        ]
        return self.stores.log.append(drafts, at=self.clock.now())

    def make_snapshot(self):
        builder = SnapshotBuilder(self.stores.log.position(), self.content_keys[-1])
        chunks = list(builder.chunks(self.stores.log.current_records()))
        for chunk in chunks:
            self.stores.snapshots.add_chunk(chunk)
        self.stores.snapshots.publish(
            sequence=self.stores.log.position().sequence,
            epoch=self.content_keys[-1].epoch,
            manifest=builder.manifest(self.clock.now(), self.keyring.watchlist),
            addresses=[chunk.line.digest for chunk in chunks],
        )

    def send(self, topic, payload):
        """Say something on a topic, as anybody who has got at the broker can."""
        self.broker.deliver(topic, payload, retain=False)
        self.run(0.5)

    def hit_ids(self):
        return [stored.hit.hit_id for stored in self.stores.messages.hits()]


def entry(entry_id):
    return WatchlistEntry(
        entry_id=entry_id,
        version=1,
        category="wanted",
        originator="test",
        handling_code="A",
        legal_basis="none",
        instruction="call",
        valid_from=START - timedelta(days=1),
        expires_at=None,
    )


@pytest.fixture
def wire(tmp_path):
    wire = Wire(tmp_path / "hub.db")
    yield wire
    with closing(wire.database.conn):
        pass


@pytest.fixture
def booth(wire):
    return wire.booth()


@pytest.fixture
def disk_full():
    def fail(*_args, **_options):
        raise StoreError("disk full")

    return fail
