"""Both ends of the wire in memory: no sockets, no time but what a test lets pass."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edge.clock import ManualClock
from edge.errors import MessageError, StoreError, WatchlistError
from edge.logs import EventLog
from edge.simulate.memory_broker import MemoryBroker
from edge.sync.link import Arrived, Will
from edge.sync.messages import (
    Head,
    OutboxEnvelope,
    Receipt,
    ReceiptOutcome,
    WatchlistBatch,
    WatchlistRequest,
)
from edge.sync.outbox_sender import SenderSettings
from edge.sync.sync_agent import SyncAgent, booth_will
from edge.sync.topics import hub_subscriptions
from edge.terms import ChangeOperation, OutboxMessage, WatchlistChange

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOOTH = "booth-1"


class MemoryOutbox:
    """Implements edge.ports.Outbox."""

    def __init__(self) -> None:
        self.rows: dict[str, OutboxMessage] = {}
        self.sent: list[str] = []
        self.is_broken = False
        self._sequence = 0

    def add(self, payload=b"hit", kind="hit") -> str:
        self._sequence += 1
        message_id = f"m-{self._sequence}"
        self.rows[message_id] = OutboxMessage(
            message_id, self._sequence, kind, payload, 0, START
        )
        return message_id

    def pending(self, *, limit, retry_before):  # noqa: ARG002  the port has it
        if self.is_broken:
            raise StoreError("disk full")
        return list(self.rows.values())[:limit]

    def mark_sent(self, message_id, *, at):  # noqa: ARG002  the port has it
        self.sent.append(message_id)
        if message_id in self.rows:
            row = self.rows[message_id]
            self.rows[message_id] = replace(row, attempts=row.attempts + 1)

    def clear(self, message_id, *, at):  # noqa: ARG002  the port has it
        return self.rows.pop(message_id, None) is not None

    def depth(self):
        return len(self.rows)


class MemoryReplica:
    """Implements edge.ports.WatchlistReplica."""

    def __init__(self) -> None:
        self.applied: list[int] = []

    def cursor(self):
        return len(self.applied)

    def apply(self, changes):
        fresh = [c.sequence for c in changes if c.sequence > self.cursor()]
        expected = list(range(self.cursor() + 1, self.cursor() + 1 + len(fresh)))
        if fresh != expected:
            raise WatchlistError("gap")
        self.applied += fresh
        return self.cursor()


class ScriptedHub:
    """The hub's end of the wire with a memory instead of a store."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.accepted: list[str] = []
        self.arrivals: list[OutboxEnvelope] = []
        self.head = 0
        self.refuse: set[str] = set()
        self.is_silent = False
        self.link = broker.link(hub_subscriptions(), Will("edge/hub/state", b""))

    def step(self) -> None:
        for event in self.link.poll(0):
            if not isinstance(event, Arrived) or self.is_silent:
                continue
            if event.topic.endswith("up/outbox"):
                self._receive(OutboxEnvelope.decode(event.payload))
            elif event.topic.endswith("watchlist-request"):
                self._answer(WatchlistRequest.decode(event.payload))

    def announce(self) -> None:
        head = Head(sequence=self.head, announced_at=START)
        self.link.publish("edge/hub/head", head.encode(), retain=True)

    def _receive(self, envelope: OutboxEnvelope) -> None:
        self.arrivals.append(envelope)
        outcome = ReceiptOutcome.DUPLICATE
        if envelope.message_id in self.refuse:
            outcome = ReceiptOutcome.REFUSED
        elif envelope.message_id not in self.accepted:
            self.accepted.append(envelope.message_id)
            outcome = ReceiptOutcome.STORED
        receipt = Receipt(
            message_id=envelope.message_id,
            booth_id=envelope.booth_id,
            sequence=envelope.sequence,
            outcome=outcome,
            issued_at=START,
        )
        self.link.publish(f"edge/{BOOTH}/down/receipt", receipt.encode())

    def _answer(self, request: WatchlistRequest) -> None:
        last = min(self.head, request.after + request.limit)
        batch = WatchlistBatch(
            booth_id=request.booth_id,
            after=request.after,
            head=self.head,
            changes=[str(n).encode() for n in range(request.after + 1, last + 1)],
        )
        self.link.publish(f"edge/{BOOTH}/down/watchlist", batch.encode())


def decode_numbered_change(data: bytes) -> WatchlistChange:
    if not data.isdigit():
        raise MessageError("not a change")
    return WatchlistChange(
        int(data), ChangeOperation.WITHDRAW, "entry", None, (), START
    )


class Wire:
    """Broker, booth and hub, moved together."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.broker = MemoryBroker()
        self.outbox = MemoryOutbox()
        self.replica = MemoryReplica()
        self.hub = ScriptedHub(self.broker)
        self.output = io.StringIO()
        self.start_booth()

    def start_booth(self) -> None:
        """Start the booth's agent anew, as after a restart of its process."""
        self.link = self.broker.link(
            (
                f"edge/{BOOTH}/down/receipt",
                f"edge/{BOOTH}/down/watchlist",
                "edge/hub/head",
                "edge/hub/state",
            ),
            booth_will(BOOTH, "ab"),
        )
        self.agent = SyncAgent(
            booth_id=BOOTH,
            instance="ab",
            link=self.link,
            outbox=self.outbox,
            watchlist=self.replica,
            decode_change=decode_numbered_change,
            clock=self.clock,
            log=EventLog(self.clock, "sync", self.output),
            sending=SenderSettings(in_flight=4),
        )

    def run(self, rounds=6, *, seconds=0.0) -> None:
        for _ in range(rounds):
            self.hub.step()
            self.agent.step(0)
            self.clock.advance(seconds)

    def events(self) -> list[str]:
        lines = self.output.getvalue().splitlines()
        return [json.loads(line)["event"] for line in lines]


@pytest.fixture
def wire():
    return Wire()
