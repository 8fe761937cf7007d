"""A hub with its real store on a wire in memory, and a booth's end to speak with."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from edge.clock import ManualClock
from edge.hub.hub_service import HubService, hub_will
from edge.logs import EventLog
from edge.records.hits import encode_hit
from edge.simulate.memory_broker import MemoryBroker
from edge.store.database import open_database
from edge.store.hub import HubStore
from edge.sync.link import Arrived, Will
from edge.sync.messages import OutboxEnvelope, Receipt
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

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_hit(hit_id="hit-1", booth_id="booth-1"):
    position = FingerPosition.RIGHT_INDEX
    candidate = Candidate(
        "entry-1",
        "reference-1",
        Modality.FINGERPRINT,
        position,
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
        evidence=(Evidence(Modality.FINGERPRINT, position, "image/png", b"png"),),
    )


def envelope_of(hit, sequence=1, **changes):
    fields = {
        "message_id": hit.hit_id,
        "booth_id": hit.booth_id,
        "sequence": sequence,
        "kind": "hit",
        "created_at": START,
        "payload": encode_hit(hit),
    }
    return OutboxEnvelope(**{**fields, **changes})


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


class HubWire:
    def __init__(self, path) -> None:
        self.clock = ManualClock(START)
        self.broker = MemoryBroker()
        self.output = io.StringIO()
        self.store = HubStore(open_database(path, "hub"))
        self.start_hub()
        self.booth = self.broker.link(
            ("edge/+/down/receipt", "edge/+/down/watchlist", "edge/hub/head"),
            Will("edge/booth-1/state", b""),
        )
        self.received: list[Arrived] = []

    def start_hub(self) -> None:
        self.link = self.broker.link(hub_subscriptions(), hub_will("ab"))
        self.service = HubService(
            instance="ab",
            link=self.link,
            store=self.store,
            clock=self.clock,
            log=EventLog(self.clock, "hub", self.output),
        )

    def run(self) -> None:
        for _ in range(3):
            self.service.step(0)
            events = self.booth.poll(0)
            self.received += [e for e in events if isinstance(e, Arrived)]

    def send(self, topic: str, payload: bytes) -> None:
        self.booth.publish(topic, payload)
        self.run()

    def receipts(self) -> list[Receipt]:
        return [
            Receipt.decode(event.payload)
            for event in self.received
            if event.topic.endswith("down/receipt")
        ]

    def publish_entry(self, entry_id: str) -> None:
        draft = DraftChange(ChangeOperation.ADD, entry_id, make_entry(entry_id))
        self.store.append([draft], at=START)

    def lines(self, event: str) -> list[dict]:
        lines = map(json.loads, self.output.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def hub(tmp_path):
    wire = HubWire(tmp_path / "hub.db")
    wire.run()
    yield wire
    wire.store.close()


@pytest.fixture
def new_hit():
    return make_hit


@pytest.fixture
def envelope():
    return envelope_of
