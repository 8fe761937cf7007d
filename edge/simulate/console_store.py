"""Fills a hub's store with invented posts and hits, as a country's would be.

The prints of the hits are drawn by the project: nobody in them exists.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from edge.records.hits import encode_hit
from edge.records.hub_values import HealthReport, ReceivedContent
from edge.records.message_map import MessageMap
from edge.simulate.hit_source import invented_hit
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_registry import StoredHubRegistry
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry
from edge.trust.cose import sign
from edge.trust.keys import SealingKey, SigningKey
from edge.trust.registered_booth import AdmittedBooth

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from edge.terms import Hit

AT_ONCE = 200
CATEGORIES = ("wanted", "terrorism", "overstay", "missing person", "person of interest")
STREAM = "0" * 16


class Body(MessageMap):
    """Stands where the content of an opened outbox message stands."""

    type_name = "content"
    body: bytes


@dataclass(frozen=True)
class StoreSize:
    """evidence_bytes: of each hit. entries: on the watchlist."""

    hits: int = 10_000
    posts: int = 500
    entries: int = 1_000
    evidence_bytes: int = 8_000


class HitWriter:
    """Stores hits as edge-hub does, with the next number of a post's stream."""

    def __init__(self, path: Path, *, entries: int, evidence_bytes: int) -> None:
        self._database = open_database(path, "hub")
        self._messages = StoredHubMessages(self._database)
        self._key = SigningKey.generate()
        self._entries = entries
        self._evidence_bytes = evidence_bytes
        self._sequences: dict[str, int] = {}
        self._rng = np.random.default_rng(1)

    def close(self) -> None:
        self._database.conn.close()

    def content(self, booth_id: str, at: datetime) -> ReceivedContent:
        """Return a hit of a post as the hub has opened it."""
        hit = self._hit(booth_id, at)
        signed = sign(Body(body=encode_hit(hit)).encode(), self._key)
        sequence = self._sequences[booth_id] = self._sequences.get(booth_id, 0) + 1
        return ReceivedContent(
            booth_id=booth_id,
            stream=STREAM,
            sequence=sequence,
            message_id=hit.hit_id,
            kind="hit",
            created_at=at,
            signed=signed,
            digest=hashlib.sha256(signed).digest(),
            hit=hit,
        )

    def store(self, contents: list[ReceivedContent], at: datetime) -> None:
        self._messages.accept(contents, at=at)

    def _hit(self, booth_id: str, at: datetime) -> Hit:
        hit = invented_hit(booth_id, at, evidence_bytes=self._evidence_bytes)
        entry_id = f"entry-{self._rng.integers(self._entries):05}"
        candidates = tuple(replace(c, entry_id=entry_id) for c in hit.candidates)
        return replace(hit, entry_id=entry_id, candidates=candidates)


def fill_store(
    path: Path,
    size: StoreSize,
    now: datetime,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Fill a hub's store whose log has begun; on_progress: hits done, hits in all.

    Raises:
        StoreError: the store cannot be written.
    """
    database = open_database(path, "hub")
    try:
        log = StoredHubLog(database)
        drafts = [_draft(number, now) for number in range(size.entries)]
        log.append(drafts, at=now)
        _add_posts(path, size.posts, now)
    finally:
        database.conn.close()
    writer = HitWriter(path, entries=size.entries, evidence_bytes=size.evidence_bytes)
    try:
        for start in range(0, size.hits, AT_ONCE):
            on_progress(start, size.hits)
            at = now - timedelta(seconds=size.hits - start)
            count = min(AT_ONCE, size.hits - start)
            some = [
                writer.content(f"post-{(start + n) % size.posts:03}", at)
                for n in range(count)
            ]
            writer.store(some, at)
    finally:
        writer.close()


def _draft(number: int, now: datetime) -> DraftChange:
    entry = WatchlistEntry(
        entry_id=f"entry-{number:05}",
        version=1,
        category=CATEGORIES[number % len(CATEGORIES)],
        originator="invented office",
        handling_code=("inform", "detain", "refuse entry")[number % 3],
        legal_basis="invented act",
        instruction="Refer to the supervisor; nobody in this list exists.",
        valid_from=now,
        expires_at=now + timedelta(days=1 + number % 700),
        name=f"Invented Person {number}",
    )
    return DraftChange(ChangeOperation.ADD, entry.entry_id, entry, ())


def _add_posts(path: Path, count: int, now: datetime) -> None:
    database = open_database(path, "hub")
    try:
        registry, booths = StoredHubRegistry(database), StoredHubBooths(database)
        messages = StoredHubMessages(database)
        names = [f"post-{number:03}" for number in range(count)]
        keys = (SigningKey.generate().public.raw, SealingKey.generate().public.raw)
        for name in names:
            booth = AdmittedBooth(name, *keys, b"certificate", now)
            registry.admit(booth, at=now)
        states = {
            name: "offline" if place % 17 == 5 else "online"
            for place, name in enumerate(names)
        }
        booths.seen_all(states, at=now)
        messages.accept([_health(name, now) for name in names], at=now)
    finally:
        database.conn.close()


def _health(booth_id: str, now: datetime) -> ReceivedContent:
    message_id = uuid4().hex
    signed = message_id.encode()
    report = HealthReport(now, 1, now, 0, 40 * 10**9, True, "1.0", {"checks": 900})
    return ReceivedContent(
        booth_id=booth_id,
        stream="1" * 16,
        sequence=1,
        message_id=message_id,
        kind="health",
        created_at=now,
        signed=signed,
        digest=hashlib.sha256(signed).digest(),
        health=report,
    )
