"""A hub that keeps its log in memory and a booth that applies what its core accepts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from edge.errors import MessageError, RefusalError
from edge.records.changes import encode_change
from edge.replication.changes import make_changes
from edge.replication.head import make_head
from edge.replication.manifest import chunk_address, position_of
from edge.replication.position import RecordedChange, advanced, beginning
from edge.replication.replica import Replica
from edge.replication.requests import AskChunks, AskManifest, AskNothing
from edge.replication.set_digest import SetDigest, record_digest
from edge.replication.snapshot import SnapshotBuilder, entry_key
from edge.terms import ChangeOperation, WatchlistChange, WatchlistEntry
from edge.trust.keys import ContentKey, SigningKey

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOG = "ab" * 16


@dataclass
class Anchors:
    log: str
    watchlist_keys: dict = field(default_factory=dict)
    operations_keys: dict = field(default_factory=dict)


class HubLog:
    """An honest hub: every message that it ever could send."""

    def __init__(self, *, log=LOG, key=None, content_key=None):
        self.key = key or SigningKey.generate()
        self.operations_key = SigningKey.generate()
        self.content_key = content_key or ContentKey.generate(1)
        self.records = []
        self.positions = [beginning(log)]
        self.entries = {}
        self.snapshot = 0
        self.manifest_data = b""
        self.chunks = {}
        self._by_plaintext = {}
        self._lanes = SetDigest()

    @property
    def log(self):
        return self.positions[0].log

    @property
    def position(self):
        return self.positions[-1]

    def anchors(self):
        return Anchors(
            self.log,
            {self.key.public.key_id: self.key.public},
            {self.operations_key.public.key_id: self.operations_key.public},
        )

    def change(self, operation, entry_id, *, text="Refer to an officer."):
        sequence = self.position.sequence + 1
        record = encode_change(_change(sequence, operation, entry_id, text))
        replaced = self.entries.pop(entry_id, None)
        if operation is not ChangeOperation.WITHDRAW:
            self.entries[entry_id] = record
        self.records.append(record)
        self.positions.append(
            advanced(
                self.position,
                self._lanes,
                RecordedChange(_change(sequence, operation, entry_id, text), record),
                None if replaced is None else record_digest(replaced),
            )
        )

    def add(self, count=1, *, prefix="person", text="Refer to an officer."):
        for _ in range(count):
            name = f"{prefix}-{self.position.sequence + 1}"
            self.change(ChangeOperation.ADD, name, text=text)

    def withdraw(self, entry_id):
        self.change(ChangeOperation.WITHDRAW, entry_id)

    def head(self, at=START, *, sequence=-1, valid_s=3600, key=None):
        position = self.positions[sequence]
        snapshot = self.snapshot if self.snapshot <= position.sequence else 0
        epoch = self.content_key.epoch
        return make_head(position, epoch, snapshot, at, valid_s, key or self.key)

    def changes(self, after, upto, *, key=None):
        return make_changes(
            self.positions[after],
            self.positions[upto],
            self.records[after:upto],
            self.content_key,
            key or self.key,
        )

    def take_snapshot(self, at=START):
        """Return the manifest of what stands now; the chunks are kept."""
        builder = SnapshotBuilder(
            self.position, self.content_key, self._by_plaintext.get
        )
        self.chunks = {}
        for chunk in builder.chunks(sorted_entries(self.entries)):
            self.chunks[chunk.line.digest] = chunk.data
            self._by_plaintext[chunk.plaintext_digest] = chunk.data
        self.manifest_data = builder.manifest(at, self.key)
        self.snapshot = self.position.sequence
        return self.manifest_data

    def answer(self, request, now):
        """Return the messages by which an honest hub answers; it keeps one snapshot."""
        if isinstance(request, AskManifest):
            return [("manifest", self.manifest_data)]
        if isinstance(request, AskChunks):
            kept = [digest for digest in request.digests if digest in self.chunks]
            return [("chunk", self.chunks[digest]) for digest in kept]
        if request.after == self.position.sequence:
            return [("head", self.head(now))]
        upto = min(self.position.sequence, request.after + 256)
        return [("changes", self.changes(request.after, upto))]


class Booth:
    """A booth without disk and wire: applies what the core accepts, and nothing else.

    Every state that it takes is compared with its digest, as the store does.
    """

    def __init__(self, hub, *, anchors=None, content_keys=None, **kept):
        kept = {"held": None, "newest": None, "latest_trusted_at": None} | kept
        keys = {hub.content_key.epoch: hub.content_key}
        self.replica = Replica(
            "booth-1",
            anchors or hub.anchors(),
            keys if content_keys is None else content_keys,
            **kept,
        )
        self.entries = {}
        self._collected = {}

    @property
    def position(self):
        held = self.replica.held
        return beginning(self.replica._authority.log) if held is None else held

    def head(self, data, now=START):
        return self.replica.accept_head(data, now)

    def changes(self, data, now=START):
        accepted = self.replica.accept_changes(data, now)
        entries = dict(self.entries)
        position, lanes = accepted.before, lanes_of(entries)
        for recorded in accepted.changes:
            change = recorded.change
            replaced = entries.pop(change.entry_id, None)
            if change.entry is not None:
                entries[change.entry_id] = recorded.record
            digest = None if replaced is None else record_digest(replaced)
            position = advanced(position, lanes, recorded, digest)
        assert position == accepted.after
        self.entries = entries
        self.replica.moved_to(position)
        return accepted

    def manifest(self, data, now=START):
        manifest = self.replica.accept_manifest(data, now)
        if manifest.sequence > self.position.sequence:
            self.replica.fetch(manifest, self._collected.keys())
            self._finish()
        return manifest

    def chunk(self, data):
        manifest = self.replica.fetching
        if manifest is None:
            return
        digest = chunk_address(data)
        self._collected[digest] = self.replica.open_chunk(manifest, data)
        self.replica.has_chunk(digest)
        self._finish()

    def _finish(self):
        manifest = self.replica.fetching
        if manifest is None or isinstance(self.replica.next_request(), AskChunks):
            return
        entries = {
            recorded.change.entry_id: recorded.record
            for line in manifest.lines()
            for recorded in self._collected[line.digest]
        }
        assert lanes_of(entries).digest() == manifest.digest
        self.entries = entries
        self.replica.moved_to(position_of(manifest))

    def hear(self, message, now):
        """Take a message of any kind, (kind, data); return why it was refused."""
        kind, data = message
        try:
            if kind == "chunk":
                self.chunk(data)
            else:
                getattr(self, kind)(data, now)
        except RefusalError as refusal:
            return refusal.reason
        except MessageError:
            return "unreadable"
        return None

    def ask(self, hub, now):
        """Ask until there is nothing to ask for; the hub answers honestly."""
        while not isinstance(request := self.replica.next_request(), AskNothing):
            answer = hub.answer(request, now)
            if not answer:
                self.replica.stop_fetching()
            for message in answer:
                assert self.hear(message, now) is None


def sorted_entries(entries):
    return sorted(entries.items(), key=lambda item: entry_key(item[0]))


def lanes_of(entries):
    lanes = SetDigest()
    for entry_id, record in entries.items():
        lanes.add(entry_id, record_digest(record))
    return lanes


def _change(sequence, operation, entry_id, text):
    entry = WatchlistEntry(
        entry_id=entry_id,
        version=1,
        category="invented person",
        originator="XX/test",
        handling_code="open",
        legal_basis="none",
        instruction=text,
        valid_from=START,
        expires_at=None,
    )
    is_withdrawal = operation is ChangeOperation.WITHDRAW
    return WatchlistChange(
        sequence=sequence,
        operation=operation,
        entry_id=entry_id,
        entry=None if is_withdrawal else entry,
        references=(),
        changed_at=START + timedelta(seconds=sequence),
    )


@pytest.fixture(scope="session")
def make_hub():
    """Make an honest hub with an empty log."""
    return HubLog


@pytest.fixture(scope="session")
def make_booth():
    """Make a booth that trusts a hub; keywords: what it kept from before."""
    return Booth


@pytest.fixture
def hub():
    """An honest hub with ten entries in its log."""
    made = HubLog()
    made.add(10)
    return made


@pytest.fixture
def booth(hub):
    """A booth that holds nothing yet."""
    return Booth(hub)


@pytest.fixture
def full_booth(hub):
    """A booth that holds all ten entries, proven by a head of START."""
    made = Booth(hub)
    made.head(hub.head(START))
    made.ask(hub, START)
    assert made.position == hub.position
    return made
