"""Answers what one booth asks about the watchlist: changes, a snapshot, its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.hub.outgoing import Outgoing
from edge.records.message_map import type_of
from edge.sync.messages import (
    ChunkMessage,
    ChunkRequest,
    ManifestRequest,
    TrustRequest,
    WatchlistRequest,
)
from edge.sync.topics import BoothChannel, BoothTopic, HubChannel, HubTopic
from edge.trust.cose import read_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.hub.batch_maker import BatchMaker
    from edge.hub.opening import BoothKeys
    from edge.hub.store_port import HubLog, HubSnapshots

MAX_REQUEST_BYTES = 4096
EXPIRY_S = 120
TRUST_TOPIC = str(HubTopic(HubChannel.TRUST))
Request = WatchlistRequest | ManifestRequest | ChunkRequest | TrustRequest
_REQUESTS: dict[str, type[Request]] = {
    kind.type_name: kind
    for kind in (WatchlistRequest, ManifestRequest, ChunkRequest, TrustRequest)
}


def read_request(booth_id: str, payload: bytes, booths: BoothKeys) -> Request:
    """Return the request that came on the topic of booth_id.

    Raises:
        RefusalError: of another booth than its topic says, by an unknown or revoked
            booth, or by another key.
        MessageError: unreadable, or no request.
    """
    signed = read_signed(payload, limit=MAX_REQUEST_BYTES)
    key = booths.signing_key(booth_id, signed.key_id)
    content = signed.verified(key)
    booths.note_use(booth_id, key.key_id)
    kind = _REQUESTS.get(type_of(content))
    if kind is None:
        raise MessageError(f"request of {booth_id}: of no known type")
    request = kind.decode(content, limit=MAX_REQUEST_BYTES)
    if request.booth_id != booth_id:
        raise RefusalError(
            RefusalReason.WRONG_SIGNER,
            f"request of {request.booth_id} on the topic of {booth_id}",
        )
    return request


class HubVoice(Protocol):
    """What the answers need of the parts that speak to all."""

    def head(self) -> bytes: ...

    def trust(self) -> bytes: ...

    def grant(self, booth_id: str) -> bytes | None: ...


class Answers:
    def __init__(
        self,
        log: HubLog,
        snapshots: HubSnapshots,
        batches: BatchMaker,
        voice: HubVoice,
        want_snapshot: Callable[[], None],
    ) -> None:
        self._log = log
        self._snapshots = snapshots
        self._batches = batches
        self._voice = voice
        self._want_snapshot = want_snapshot

    def answer(self, request: Request) -> Iterator[Outgoing]:
        """Yield the messages that answer a request; each is made when it is taken.

        Raises:
            StoreError: the store cannot be read.
        """
        match request:
            case WatchlistRequest():
                yield self._watchlist(request.booth_id, self._changes(request))
            case ManifestRequest():
                yield self._watchlist(request.booth_id, self._manifest(request.after))
            case ChunkRequest():
                yield from self._chunks(request)
            case TrustRequest():
                yield from self._trust(request.booth_id)

    def _changes(self, request: WatchlistRequest) -> bytes:
        before = self._log.position_at(request.after)
        if before is None or before.chain != request.chain:
            # The booth holds another past than this log: only a snapshot helps.
            return self._manifest(0)
        made = self._batches.after(before, limit=request.limit)
        return self._voice.head() if made is None else made[0]

    def _manifest(self, after: int) -> bytes:
        newest = self._snapshots.newest()
        if newest is None:
            self._want_snapshot()
            return self._voice.head()
        sequence, _epoch, manifest = newest
        return manifest if sequence > after else self._voice.head()

    def _chunks(self, request: ChunkRequest) -> Iterator[Outgoing]:
        topic = str(BoothTopic(request.booth_id, BoothChannel.CHUNK))
        for digest in request.digests:
            data = self._snapshots.chunk(digest)
            if data is not None:
                chunk = ChunkMessage(digest=digest, data=data)
                yield Outgoing(topic, chunk.encode(), expiry_s=EXPIRY_S)

    def _trust(self, booth_id: str) -> Iterator[Outgoing]:
        yield Outgoing(TRUST_TOPIC, self._voice.trust(), is_retained=True)
        grant = self._voice.grant(booth_id)
        if grant is not None:
            topic = str(BoothTopic(booth_id, BoothChannel.GRANT))
            yield Outgoing(topic, grant, is_retained=True)

    def _watchlist(self, booth_id: str, payload: bytes) -> Outgoing:
        topic = str(BoothTopic(booth_id, BoothChannel.WATCHLIST))
        return Outgoing(topic, payload, expiry_s=EXPIRY_S)
