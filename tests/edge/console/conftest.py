"""A hub's store with an entry and hits on it, and a console over it."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import cv2
import httpx
import numpy as np
import pytest

from edge.clock import ManualClock
from edge.console.access import Person
from edge.console.app import create_console
from edge.console.desk import ConsoleDesk, ConsoleSettings
from edge.console.enrolling import Prepared
from edge.console.live_events import LiveEvents
from edge.logs import EventLog
from edge.records.accounts import Role
from edge.records.decisions import encode_decision
from edge.records.hits import encode_hit
from edge.records.hub_values import ReceivedContent
from edge.records.message_map import MessageMap
from edge.records.template import encode_template
from edge.store.database import open_database
from edge.store.hub_images import StoredReferenceImages
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.terms import (
    Candidate,
    ChangeOperation,
    ComparisonScore,
    DecisionState,
    DraftChange,
    Evidence,
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Hit,
    HitDecision,
    Modality,
    OfficerVerdict,
    Reference,
    SampleEvidence,
    Verdict,
    VerdictReason,
    WatchlistEntry,
)
from edge.trust.cose import sign
from edge.trust.keys import SigningKey
from edge.web.accounts import Authenticator
from edge.web.pages import Pages
from edge.web.sessions import Sessions
from edge.web.site import Site

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOG = "ab" * 16
KEY = SigningKey(bytes(32))
FINGER = (Modality.FINGERPRINT, FingerPosition.RIGHT_INDEX)


class Body(MessageMap):
    type_name = "content"
    body: bytes


def png(shade):
    image = np.full((60, 40), shade, np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()


def template(seed=1, count=40):
    rng = np.random.default_rng(seed)
    return FingerprintTemplate(
        position=FingerPosition.RIGHT_INDEX,
        model_id="leader",
        width_px=256,
        height_px=288,
        x=rng.integers(10, 240, count).astype(np.int16),
        y=rng.integers(10, 270, count).astype(np.int16),
        angle_rad=rng.uniform(0, 6.2, count).astype(np.float32),
        kind=rng.integers(1, 3, count).astype(np.uint8),
        quality=rng.integers(50, 100, count).astype(np.uint8),
    )


class Hub:
    """What edge-hub would have written."""

    def __init__(self, path):
        self.path = path
        with closing(open_database(path, "hub").conn):
            pass
        self.count = 0

    def begin(self):
        with self.opened() as database:
            StoredHubLog(database).begin_log(LOG, at=AT)

    def opened(self):
        return Opening(self.path)

    def publish(self, entry_id="e1", *, category="wanted", version=1, **fields):
        entry = WatchlistEntry(
            **{
                "entry_id": entry_id,
                "version": version,
                "category": category,
                "originator": "north office",
                "handling_code": "detain",
                "legal_basis": "test act",
                "instruction": "Refer.",
                "valid_from": AT,
                "expires_at": AT + timedelta(days=30),
                "name": "Nobody",
                **fields,
            }
        )
        reference = Reference(f"{entry_id}-r1", entry_id, *FINGER, template(1))
        operation = ChangeOperation.ADD if version == 1 else ChangeOperation.REPLACE
        draft = DraftChange(operation, entry_id, entry, (reference,))
        with self.opened() as database:
            StoredReferenceImages(database, actor="edge-hub").append(
                [draft], {reference.reference_id: png(90)}, at=AT
            )

    def receive(self, hit_id=None, *, entry_id="e1", booth_id="booth-1", at=AT):
        """Store a hit as edge-hub does; return its id."""
        self.count += 1
        hit_id = hit_id or f"hit-{self.count}"
        score = ComparisonScore(0.9, 1e-7)
        sample = SampleEvidence(*FINGER, f"{entry_id}-r1", score, 5.0, is_deciding=True)
        hit = Hit(
            hit_id=hit_id,
            check_id=f"check-{self.count}",
            booth_id=booth_id,
            occurred_at=at,
            entry_id=entry_id,
            entry_version=1,
            candidates=(
                Candidate(entry_id, f"{entry_id}-r1", *FINGER, score, (sample,)),
            ),
            evidence=(
                Evidence(*FINGER, "image/png", png(120)),
                Evidence(
                    *FINGER, "application/octet-stream", encode_template(template(1))
                ),
            ),
        )
        signed = sign(Body(body=encode_hit(hit)).encode(), KEY)
        content = ReceivedContent(
            booth_id=booth_id,
            stream="0" * 16,
            sequence=self.count,
            message_id=hit_id,
            kind="hit",
            created_at=at,
            signed=signed,
            digest=hashlib.sha256(signed).digest(),
            hit=hit,
        )
        with self.opened() as database:
            StoredHubMessages(database).accept([content], at=at)
        return hit_id

    def decide(self, hit_id, number, state, officer, *, booth_id="booth-1"):
        """Store what an officer said, as edge-hub does."""
        self.count += 1
        said = OfficerVerdict(officer, Verdict.CONFIRM, VerdictReason.OTHER, "sure", AT)
        decision = HitDecision(
            hit_id,
            booth_id,
            number,
            needs_second=True,
            state=DecisionState(state),
            verdict=said,
        )
        signed = sign(Body(body=encode_decision(decision)).encode(), KEY)
        content = ReceivedContent(
            booth_id=booth_id,
            stream="0" * 16,
            sequence=self.count,
            message_id=f"decision-{self.count}",
            kind="decision",
            created_at=AT,
            signed=signed,
            digest=hashlib.sha256(signed).digest(),
            decision=decision,
        )
        with self.opened() as database:
            StoredHubMessages(database).accept([content], at=AT)


class Opening:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.database = open_database(self.path, "hub")
        return self.database

    def __exit__(self, *_error):
        self.database.conn.close()


class Engines:
    """Stands where the recognition stands: all images are good but those named."""

    def __init__(self):
        self.poor = set()

    @staticmethod
    def template(modality, seed):
        if modality is Modality.FINGERPRINT:
            return template(seed)
        return FaceTemplate("face", np.linspace(-1, 1, 128, dtype=np.float32))

    def prepare(self, entry_id, images):
        return [
            Prepared(item.origin, 5, 30, ("too dark",), None)
            if item.origin in self.poor
            else Prepared(
                item.origin,
                70,
                30,
                (),
                Reference(
                    f"{entry_id}-{n}",
                    entry_id,
                    item.modality,
                    item.position,
                    self.template(item.modality, n),
                ),
                png(n),
            )
            for n, item in enumerate(images)
        ]


class Keys:
    """The part of the hub's keys that the console asks for."""

    operations = KEY
    trust = b"trust documents"


@pytest.fixture
def clock():
    return ManualClock(AT)


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path / "hub.db")
    hub.begin()
    hub.publish()
    return hub


@pytest.fixture
def engines():
    return Engines()


@pytest.fixture
def desk(hub, clock, engines):
    return ConsoleDesk(
        store_path=hub.path,
        clock=clock,
        settings=ConsoleSettings(),
        load_keys=Keys,
        prepare=engines.prepare,
    )


@pytest.fixture
def take_in(desk):
    """Make cases of what has come, as the console's own thread does."""

    def take_in():
        with desk.opened("edge-console") as opened:
            count = opened.intake.take_in()
            opened.intake.follow_decisions()
            opened.intake.settle_instructions(at=desk.clock.now())
            while opened.entries.follow():
                pass
        return count

    return take_in


ROLES = {
    "operator-1": "operator",
    "operator-2": "operator",
    "supervisor-1": "supervisor",
    "administrator-1": "administrator",
    "auditor-1": "auditor",
}


def identify(request):
    name = request.headers.get("x-test-account", "")
    return Person(name, Role(ROLES[name])) if name in ROLES else None


@contextmanager
def opened_accounts(path):
    with closing(open_database(path, "hub").conn):
        yield None


@pytest.fixture
def app(desk, clock):
    with LiveEvents(desk, EventLog(clock, "edge-console")) as live:
        path = desk.store_path
        site = Site(
            cookie="edge_hub",
            authenticator=Authenticator(lambda: opened_accounts(path), clock),
            sessions=Sessions(clock, idle_s=600, longest_s=3600),
            pages=Pages(["edge.console", "edge.web"], site="Hub"),
            clock=clock,
        )
        yield create_console(desk, live, identify, site)


class Browser:
    """Asks the application without a socket between."""

    def __init__(self, app, name):
        self.app = app
        self.headers = {"x-test-account": name}

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def request(self, method, path, **options):
        return asyncio.run(self._request(method, path, options))

    async def _request(self, method, path, options):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://console", headers=self.headers
        ) as client:
            return await client.request(method, path, **options)


@pytest.fixture
def browser(app):
    """Return a client that is signed in as this account."""
    return lambda name: Browser(app, name)
