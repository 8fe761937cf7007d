"""Keeps the booth's watchlist at the hub's head: a thin adapter around the pure core.

What is true is decided in edge.replication.replica; here it is stored, and asked for in
time. The hub tells all booths of changes before it shows the new head, so that asking
is the exception: after a gap, a lost connection, or when the hub is silent. When, and
for how much, is decided in edge.sync.asking_pace.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from edge.errors import MessageError, RefusalError, RefusalReason, StoreError
from edge.records.message_map import MAX_MESSAGE_BYTES, MessageMap, type_of
from edge.replication.head import Head
from edge.replication.manifest import position_of
from edge.replication.replica import Replica
from edge.replication.requests import AskChanges, AskChunks, AskManifest
from edge.sync.asking_pace import AskingPace
from edge.sync.messages import (
    ChunkMessage,
    ChunkRequest,
    ManifestRequest,
    TrustRequest,
    WatchlistRequest,
)
from edge.sync.topics import BoothChannel, BoothTopic
from edge.trust.cose import read_signed, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime
    from random import Random

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.replication.manifest import Manifest
    from edge.replication.position import LogPosition, RecordedChange
    from edge.replication.replica import AcceptedChanges
    from edge.sync.asking_pace import FollowerSettings
    from edge.sync.booth_trust import BoothTrust
    from edge.sync.link import Link

# The newest head accepted, and the newest that the list had reached.
HEAD, PROOF = "head", "proof"
_HEAD_LIMIT = 8192
# As much on the wire as so many changes.
_CHUNK_WORTH = 16
Withdrawn = tuple[int, str]


class ReplicaStore(Protocol):
    """The booth's copy of the watchlist, with its position in the same transactions."""

    def position(self) -> LogPosition | None: ...

    def apply(
        self, accepted: AcceptedChanges, *, at: datetime
    ) -> Sequence[Withdrawn]: ...

    def begin_snapshot(self, manifest: bytes, digests: Collection[bytes]) -> None: ...

    def snapshot(self) -> bytes | None: ...

    def missing_chunks(self, digests: Sequence[bytes]) -> Sequence[bytes]: ...

    def add_chunk(self, digest: bytes, data: bytes) -> None: ...

    def chunk(self, digest: bytes) -> bytes: ...

    def apply_snapshot(
        self, position: LogPosition, records: Iterator[RecordedChange], *, at: datetime
    ) -> Sequence[Withdrawn]: ...

    def drop_snapshot(self) -> None: ...

    def document(self, name: str) -> bytes | None: ...

    def save_document(self, name: str, data: bytes) -> None: ...

    def latest_trusted_at(self) -> datetime | None: ...

    def save_latest_trusted_at(self, at: datetime) -> None: ...


class ReplicaFollower:
    """on_held: told the new position after each commit.

    on_pause: called now and then during long work, to keep the line alive.
    """

    def __init__(  # noqa: PLR0913  the parts that meet here
        self,
        link: Link,
        store: ReplicaStore,
        trust: BoothTrust,
        clock: Clock,
        log: EventLog,
        *,
        random: Random,
        on_held: Callable[[LogPosition], None],
        on_pause: Callable[[], None] = lambda: None,
        settings: FollowerSettings | None = None,
    ) -> None:
        self._link = link
        self._store = store
        self._trust = trust
        self._clock = clock
        self._log = log
        self._on_held = on_held
        self._on_pause = on_pause
        self._request_topic = str(BoothTopic(trust.booth_id, BoothChannel.REQUEST))
        self._pace = AskingPace(clock, random, settings)
        self._asked: set[bytes] = set()
        self._replica = self._restored()

    @property
    def replica(self) -> Replica:
        return self._replica

    def ask_now(self) -> None:
        """Make a question due, a moment from now: the link is new, or there is news."""
        self._pace.ask_now()

    def on_head(self, data: bytes) -> None:
        """Take a head and keep it; ask if it is ahead of what is held.

        Raises:
            RefusalError, MessageError: see Replica.accept_head; EXPIRED: the trust
                document is over, and nobody's word on the present counts.
            StoreError: it cannot be kept.
        """
        anchors = self._trust.anchors
        if anchors.expires_at <= self._clock.now():
            raise RefusalError(
                RefusalReason.EXPIRED,
                f"trust document {anchors.version} was valid until "
                f"{anchors.expires_at}; the hub must sign a new one",
            )
        known = self._replica.newest
        head = self._replica.accept_head(data, self._clock.now())
        if head == known:
            return
        self._store.save_document(HEAD, data)
        self._keep_proof()
        self._keep_time()
        self._ask_if_behind()

    def on_changes(self, data: bytes) -> None:
        """Apply changes that continue what is held.

        Raises:
            RefusalError, MessageError: see Replica.accept_changes; a gap is asked for.
            StoreError: they cannot be written; they are asked for again.
        """
        try:
            accepted = self._replica.accept_changes(data, self._clock.now())
        except RefusalError as error:
            if error.reason is RefusalReason.GAP:
                self._pace.ask_soon()
            elif error.reason is RefusalReason.ROLLBACK:
                return  # late or repeated, as brokers do
            raise
        if not accepted.changes:
            return
        self._store.apply(accepted, at=self._clock.now())
        self._moved(accepted.after)

    def on_manifest(self, data: bytes) -> None:
        """Begin to collect a snapshot, or go on with one.

        Raises:
            RefusalError, MessageError: see Replica.accept_manifest.
            StoreError: it cannot be kept.
        """
        manifest = self._replica.accept_manifest(data, self._clock.now())
        known = self._replica.fetching
        if known is not None and known.sequence >= manifest.sequence:
            return
        held = self._replica.held
        if held is not None and position_of(manifest) == held:
            return
        self._store.begin_snapshot(data, [line.digest for line in manifest.lines()])
        self._fetch(manifest)

    def on_chunk(self, data: bytes) -> None:
        """Keep a chunk that was asked for.

        Raises:
            RefusalError: MIXED: not of the snapshot that is collected; NO_KEY.
            MessageError: no chunk.
            StoreError: it cannot be kept.
        """
        message = ChunkMessage.decode(data)
        manifest = self._replica.fetching
        if manifest is None:
            return
        if hashlib.sha256(message.data).digest() != message.digest:
            raise RefusalError(RefusalReason.MIXED, "chunk: not of its address")
        self._replica.open_chunk(manifest, message.data)
        self._store.add_chunk(message.digest, message.data)
        self._replica.has_chunk(message.digest)
        self._asked.discard(message.digest)
        if self._asked:
            self._pace.await_more()
        else:
            self._pace.answered()
            self._pace.ask_at_once()

    def on_answer(self, data: bytes) -> None:
        """Take what came on the booth's own watchlist topic: head, changes, manifest.

        Raises:
            RefusalError, MessageError, StoreError: as the methods for each.
        """
        kind = _claimed_type(data)
        if kind == "head":
            self.on_head(data)
            if self._replica.freshness(self._clock.now()).behind == 0:
                self._pace.rest()
        elif kind == "changes":
            self.on_changes(data)
        elif kind == "manifest":
            self.on_manifest(data)
        else:
            raise MessageError(f"watchlist answer of type {kind[:40]!r}")

    def trust_changed(self) -> None:
        """Judge by the new trust document and keys from now on; ask what is missing."""
        self._replica.trust(self._trust.anchors)
        self._replica.use_content_keys(self._trust.content_keys)
        self.ask_now()

    def ask_for_trust(self) -> None:
        """Ask for the trust documents and keys: what came is by keys unknown here.

        Raises:
            LinkError: the connection went away meanwhile.
        """
        if not self._pace.may_ask_for_trust():
            return
        request = TrustRequest(booth_id=self._trust.booth_id)
        data = sign(request.encode(), self._trust.signing_key)
        self._link.publish(self._request_topic, data)

    def resync(self) -> None:
        """Ask for a snapshot, whatever is held: compare entry by entry, mend."""
        held = self._replica.held
        self._ask(
            ManifestRequest(
                booth_id=self._trust.booth_id,
                after=0 if held is None else held.sequence,
            )
        )

    def ask_if_due(self) -> None:
        """Send the question whose time has come, or apply a snapshot that is complete.

        Raises:
            LinkError: the connection went away meanwhile.
            StoreError: the snapshot cannot be applied.
        """
        if not self._pace.is_due():
            return
        booth_id = self._trust.booth_id
        request = self._replica.next_request()
        match request:
            case AskChanges():
                message: MessageMap = WatchlistRequest(
                    booth_id=booth_id,
                    after=request.after,
                    chain=request.chain,
                    limit=self._pace.limit,
                )
            case AskManifest():
                message = ManifestRequest(booth_id=booth_id, after=request.after)
            case AskChunks():
                wanted = request.digests[: max(1, self._pace.limit // _CHUNK_WORTH)]
                self._asked = set(wanted)
                message = ChunkRequest(booth_id=booth_id, digests=list(wanted))
            case _:
                self._pace.rest()
                if self._replica.fetching is not None:
                    self._apply_snapshot(self._replica.fetching)
                return
        self._ask(message)

    def _ask(self, message: MessageMap) -> None:
        data = sign(message.encode(), self._trust.signing_key)
        self._link.publish(self._request_topic, data)
        self._pace.asked()
        if self._pace.is_repeated and self._replica.fetching is not None:
            self._refresh_manifest()

    def _refresh_manifest(self) -> None:
        """The hub may have dropped this snapshot: ask which is the newest now."""
        request = ManifestRequest(booth_id=self._trust.booth_id, after=0)
        self._link.publish(
            self._request_topic, sign(request.encode(), self._trust.signing_key)
        )

    def _ask_if_behind(self) -> None:
        if self._replica.freshness(self._clock.now()).behind > 0:
            self._pace.ask_soon()
        else:
            self._pace.rest()

    def _moved(self, position: LogPosition) -> None:
        self._replica.moved_to(position)
        self._keep_proof()
        self._log.event(
            "watchlist_applied", cursor=position.sequence, count=position.count
        )
        self._pace.answered()
        if self._replica.freshness(self._clock.now()).behind > 0:
            self._pace.ask_at_once()
        else:
            self._pace.rest()
        self._on_held(position)

    def _fetch(self, manifest: Manifest) -> None:
        digests = [line.digest for line in manifest.lines()]
        missing = set(self._store.missing_chunks(digests))
        self._replica.fetch(manifest, [d for d in digests if d not in missing])
        self._log.event(
            "snapshot_begun", sequence=manifest.sequence, count=len(missing)
        )
        self._pace.begin_anew()

    def _apply_snapshot(self, manifest: Manifest) -> None:
        self._log.event("snapshot_complete", sequence=manifest.sequence)
        position = position_of(manifest)
        records = self._records(manifest)
        try:
            self._store.apply_snapshot(position, records, at=self._clock.now())
        except RefusalError:
            # What was collected does not make the set: get all of it anew.
            self._replica.stop_fetching()
            self._store.drop_snapshot()
            raise
        except StoreError:
            # A chunk was damaged on the disk and is gone: collect what is missing.
            self._fetch(manifest)
            raise
        self._moved(position)

    def _records(self, manifest: Manifest) -> Iterator[RecordedChange]:
        for line in manifest.lines():
            yield from self._replica.open_chunk(
                manifest, self._store.chunk(line.digest)
            )
            self._on_pause()

    def _keep_proof(self) -> None:
        """Keep the newest head as proof of completeness, if the list reaches it."""
        newest, held = self._replica.newest, self._replica.held
        if newest is None or held is None or newest.sequence > held.sequence:
            return
        data = self._store.document(HEAD)
        if data is not None and data != self._store.document(PROOF):
            self._store.save_document(PROOF, data)

    def _keep_time(self) -> None:
        latest = self._replica.latest_trusted_at
        if latest is not None:
            self._store.save_latest_trusted_at(latest)

    def _restored(self) -> Replica:
        replica = Replica(
            self._trust.booth_id,
            self._trust.anchors,
            self._trust.content_keys,
            self._store.position(),
            _kept_head(self._store.document(HEAD)),
            self._store.latest_trusted_at(),
        )
        manifest = self._store.snapshot()
        self._replica = replica
        if manifest is not None:
            try:
                self._fetch(replica.accept_manifest(manifest, self._clock.now()))
            except MessageError as error:
                self._log.event("snapshot_given_up", reason=str(error))
        return replica


def _claimed_type(data: bytes) -> str:
    """Return what a signed object claims to be; its reader checks all of it."""
    return type_of(read_signed(data, limit=MAX_MESSAGE_BYTES).payload)


def _kept_head(data: bytes | None) -> Head | None:
    """Return the head that was accepted before; its signer may be rotated away now."""
    if data is None:
        return None
    return Head.decode(read_signed(data, limit=_HEAD_LIMIT).payload)
