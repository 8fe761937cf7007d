"""A hub with its real store and real keys on a wire in memory, and booths to speak."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import cbor2
import pytest

from edge.clock import ManualClock
from edge.hub.hub_service import HubService, hub_will
from edge.hub.hub_stores import HubStores
from edge.hub.settings import HubSettings
from edge.logs import EventLog
from edge.records.hits import encode_hit
from edge.replication.changes import read_changes
from edge.replication.head import read_head
from edge.simulate.memory_broker import MemoryBroker
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_commands import StoredHubCommands
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_registry import StoredHubRegistry
from edge.store.hub_snapshots import StoredHubSnapshots
from edge.sync.link import Arrived, Will
from edge.sync.messages import Command, Content, OutboxEnvelope, Receipt, outbox_info
from edge.sync.topics import hub_subscriptions
from edge.terms import (
    Candidate,
    ChangeOperation,
    ComparisonScore,
    DraftChange,
    Evidence,
    FingerPosition,
    Hit,
    Modality,
    WatchlistEntry,
)
from edge.trust.cose import read_signed, sign
from edge.trust.grants import seal_epoch
from edge.trust.hub_keys import HubKeys
from edge.trust.keys import ContentKey, SealingKey, SigningKey
from edge.trust.registered_booth import AdmittedBooth

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOG = "ab" * 16
STREAM = "0123456789abcdef"


def make_hit(hit_id="hit-1", booth_id="booth-1", image=b"png"):
    position = FingerPosition.RIGHT_INDEX
    candidate = Candidate(
        *("entry-1", "reference-1", Modality.FINGERPRINT, position),
        ComparisonScore(50.0, 1e-7),
    )
    return Hit(
        hit_id=hit_id,
        check_id="check-1",
        booth_id=booth_id,
        occurred_at=START,
        entry_id="entry-1",
        entry_version=1,
        candidates=(candidate,),
        evidence=(Evidence(Modality.FINGERPRINT, position, "image/png", image),),
    )


def hit_body(hit_id="hit-1", booth_id="booth-1", image=b"png"):
    return encode_hit(make_hit(hit_id, booth_id, image))


def make_entry(entry_id):
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


def parts_of(database):
    return HubStores(
        log=StoredHubLog(database),
        snapshots=StoredHubSnapshots(database),
        messages=StoredHubMessages(database),
        commands=StoredHubCommands(database),
        booths=StoredHubBooths(database),
        registry=StoredHubRegistry(database),
    )


class TalkingBooth:
    """What a booth says, made by hand: any part can be made wrong."""

    def __init__(self, booth_id, hub_sealing_key) -> None:
        self.booth_id = booth_id
        self.signing = SigningKey.generate()
        self.sealing = SealingKey.generate()
        self.hub_key = hub_sealing_key

    def admitted(self):
        return AdmittedBooth(
            self.booth_id,
            self.signing.public.raw,
            self.sealing.public.raw,
            b"",
            START,
        )

    def content(self, body, sequence=1, **changes):
        fields = {
            "booth_id": self.booth_id,
            "stream": STREAM,
            "sequence": sequence,
            "message_id": f"{self.booth_id}-{sequence}",
            "kind": "hit",
            "created_at": START,
            "body": body,
        }
        return Content(**{**fields, **changes})

    def hit(self, sequence=1, **changes):
        fields = {"body": hit_body(f"hit-{self.booth_id}-{sequence}", self.booth_id)}
        return self.content(sequence=sequence, **{**fields, **changes})

    def signed(self, content, key=None):
        return sign(content.encode(), key or self.signing)

    def digest(self, content):
        return hashlib.sha256(content.encode()).digest()

    def sealed(self, content, *, signing_key=None, **outside):
        """Return the outbox message of content; outside: fields of the envelope."""
        place = {
            name: getattr(content, name)
            for name in ("booth_id", "stream", "sequence", "message_id")
        } | outside
        info = outbox_info(**place)
        sealed = self.hub_key.seal(
            self.signed(content, signing_key), info=cbor2.dumps(info, canonical=True)
        )
        return OutboxEnvelope(**place, key=self.hub_key.key_id, sealed=sealed).encode()


class HubWire:
    """A hub and, on its broker, a listener that hears what all booths hear."""

    def __init__(self, path) -> None:
        self.clock = ManualClock(START)
        self.broker = MemoryBroker()
        self.output = io.StringIO()
        self.path = path
        self.database = open_database(path, "hub")
        self.stores = parts_of(self.database)
        self.settings = HubSettings(look_s=0)
        self.snapshots_wanted = 0
        self._make_keys()
        self.booth = TalkingBooth("booth-1", self.sealing.public)
        self.stores.log.begin_log(LOG, at=START)
        self.stores.registry.admit(self.booth.admitted(), at=START)
        self.begin_epoch(1)
        self.start_hub()
        self.line = self.broker.link(
            (
                *(f"edge/+/down/{name}" for name in CHANNELS),
                *("edge/hub/head", "edge/hub/changes", "edge/hub/trust"),
            ),
            Will("edge/booth-1/state", b""),
        )
        self.received: list[Arrived] = []

    # What the hub accepts as authority on the log, for reading what it says.
    log = LOG

    def _make_keys(self) -> None:
        self.sealing = SealingKey.generate()
        self.keys = HubKeys(
            watchlist=SigningKey.generate(),
            operations=SigningKey.generate(),
            sealing={self.sealing.public.key_id: self.sealing},
            trust=b"trust documents",
            anchors=None,  # what the documents say is the booths' business
        )
        public = self.keys.watchlist.public
        self.watchlist_keys = {public.key_id: public}

    def begin_epoch(self, number):
        self.content_key = ContentKey.generate(number)
        sealed = seal_epoch(self.content_key, self.sealing.public)
        self.stores.registry.add_epoch(number, sealed, at=START)

    def start_hub(self) -> None:
        self.link = self.broker.link(hub_subscriptions(), hub_will("ab"))
        self.service = HubService(
            instance="ab",
            link=self.link,
            stores=self.stores,
            keys=self.keys,
            clock=self.clock,
            log=EventLog(self.clock, "hub", self.output),
            settings=self.settings,
            want_snapshot=self._want_snapshot,
        )

    def restart_hub(self) -> None:
        """As after a kill: only what is on the disk is left."""
        self.link.kill()
        self.database.conn.close()
        self.database = open_database(self.path, "hub")
        self.stores = parts_of(self.database)
        self.start_hub()
        self.run()

    def _want_snapshot(self):
        self.snapshots_wanted += 1

    def run(self, steps=3) -> None:
        for _ in range(steps):
            self.service.step(0)
            self.received += [e for e in self.line.poll(0) if isinstance(e, Arrived)]

    def send(self, topic: str, payload: bytes) -> None:
        self.line.publish(topic, payload)
        self.run()

    def deliver(self, *payloads, booth_id="booth-1"):
        """Bring outbox messages to the hub in one batch."""
        for payload in payloads:
            self.line.publish(f"edge/{booth_id}/up/outbox", payload)
        self.run()

    def ask(self, request, *, key=None, booth_id="booth-1"):
        """Send a request and return what comes back for the booth."""
        self.received.clear()
        signed = sign(request.encode(), key or self.booth.signing)
        self.send(f"edge/{booth_id}/up/request", signed)
        return [e for e in self.received if e.topic.startswith(f"edge/{booth_id}/down")]

    def heard(self, topic):
        return [event.payload for event in self.received if event.topic == topic]

    def receipts(self, booth_id="booth-1"):
        payloads = self.heard(f"edge/{booth_id}/down/receipt")
        return [Receipt.decode(self._by_operations(data)) for data in payloads]

    def outcomes(self, booth_id="booth-1"):
        return [
            (item.sequence, str(item.outcome))
            for receipt in self.receipts(booth_id)
            for item in receipt.items
        ]

    def commands(self, booth_id="booth-1"):
        payloads = self.heard(f"edge/{booth_id}/down/command")
        return [Command.decode(self._by_operations(data)) for data in payloads]

    def _by_operations(self, data):
        return read_signed(data, limit=1 << 23).verified(self.keys.operations.public)

    def head(self):
        return read_head(self.broker.retained["edge/hub/head"], self)

    def changes(self):
        return [read_changes(data, self) for data in self.heard("edge/hub/changes")]

    def hit_ids(self):
        return [stored.hit.hit_id for stored in self.stores.messages.hits()]

    def publish_entries(self, *entry_ids):
        drafts = [
            DraftChange(ChangeOperation.ADD, entry_id, make_entry(entry_id))
            for entry_id in entry_ids
        ]
        return self.stores.log.append(drafts, at=START)

    def lines(self, event: str) -> list[dict]:
        lines = map(json.loads, self.output.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]


CHANNELS = ("receipt", "watchlist", "chunk", "command", "grant")


@pytest.fixture
def hub(tmp_path):
    wire = HubWire(tmp_path / "hub.db")
    wire.run()
    with closing(wire.database.conn):
        yield wire


@pytest.fixture
def body_of_a_hit():
    return hit_body


@pytest.fixture
def talking_booth(hub):
    """Make another booth, admitted unless told otherwise."""

    def make(booth_id, *, is_admitted=True):
        booth = TalkingBooth(booth_id, hub.sealing.public)
        if is_admitted:
            hub.stores.registry.admit(booth.admitted(), at=START)
            hub.run()
        return booth

    return make
