"""The signed list of the chunks that together are the watchlist at one sequence."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import cbor2
from pydantic import BeforeValidator, Field

from edge.errors import RefusalError, RefusalReason
from edge.records.message_map import Cursor, Digest, Instant
from edge.records.message_map import Sequence as Number
from edge.replication.authority import LogMessage, read_message
from edge.replication.packing import MAX_INFLATED_BYTES
from edge.replication.position import LogPosition
from edge.trust.cose import OVERHEAD_BYTES, sign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge.replication.authority import LogAuthority
    from edge.trust.keys import SigningKey

MAX_CHUNKS = 65_536
MAX_TOTAL_BYTES = 4 * 1024**3
MAX_ENTRIES = 5_000_000
MAX_CHUNK_BYTES = MAX_INFLATED_BYTES
MAX_MANIFEST_BYTES = 64 * MAX_CHUNKS + 1024 + OVERHEAD_BYTES


class ChunkLine(NamedTuple):
    """One chunk in the manifest.

    digest: SHA-256 of the chunk, its address. size, inflated_size: bytes.
    """

    digest: bytes
    size: int
    inflated_size: int
    entries: int


_Bytes = Annotated[int, Field(ge=1, le=MAX_CHUNK_BYTES)]
_Line = tuple[Digest, _Bytes, _Bytes, Number]


def _as_tuple(value: Any) -> Any:  # noqa: ANN401  anything may stand there
    return tuple(value) if isinstance(value, list) else value


class Manifest(LogMessage):
    type_name = "manifest"
    sequence: Number
    chain: Digest
    digest: Digest
    count: Cursor
    chunks: list[Annotated[_Line, BeforeValidator(_as_tuple)]]
    issued_at: Instant

    def lines(self) -> Sequence[ChunkLine]:
        """Return the chunks in the order of their buckets."""
        return list(self._by_digest.values())

    def line_of(self, digest: bytes) -> ChunkLine | None:
        """Return the chunk with this address; None if it is not of this snapshot."""
        return self._by_digest.get(digest)

    @cached_property
    def _by_digest(self) -> dict[bytes, ChunkLine]:
        return {line[0]: ChunkLine(*line) for line in self.chunks}


def make_manifest(
    position: LogPosition,
    epoch: int,
    lines: Sequence[ChunkLine],
    issued_at: datetime,
    key: SigningKey,
) -> bytes:
    """Return the signed manifest of the chunks that hold the entries at position."""
    manifest = Manifest(
        log=position.log,
        epoch=epoch,
        sequence=position.sequence,
        chain=position.chain,
        digest=position.digest,
        count=position.count,
        chunks=[(*line,) for line in lines],
        issued_at=issued_at,
    )
    return sign(manifest.encode(), key)


def read_manifest(data: bytes, authority: LogAuthority) -> Manifest:
    """Return a manifest that a watchlist key signed and whose sums are right.

    Raises:
        RefusalError: TOO_LARGE, WRONG_SIGNER, WRONG_LOG, or MIXED: the chunks do not
            hold as many entries as it says, or one stands there twice.
        MessageError: no manifest, or changed since it was signed.
    """
    what = "manifest"
    manifest = read_message(data, Manifest, authority, limit=MAX_MANIFEST_BYTES)
    lines = [ChunkLine(*line) for line in manifest.chunks]
    total = sum(line.inflated_size for line in lines)
    if (
        len(lines) > MAX_CHUNKS
        or total > MAX_TOTAL_BYTES
        or manifest.count > MAX_ENTRIES
    ):
        raise RefusalError(
            RefusalReason.TOO_LARGE,
            f"{what}: {len(lines)} chunks of {total} bytes, {manifest.count} entries",
        )
    if sum(line.entries for line in lines) != manifest.count:
        raise RefusalError(
            RefusalReason.MIXED,
            f"{what}: its chunks do not hold the {manifest.count} entries it names",
        )
    if len({line.digest for line in lines}) != len(lines):
        raise RefusalError(RefusalReason.MIXED, f"{what}: a chunk stands there twice")
    return manifest


def position_of(manifest: Manifest) -> LogPosition:
    return LogPosition(
        log=manifest.log,
        sequence=manifest.sequence,
        chain=manifest.chain,
        digest=manifest.digest,
        count=manifest.count,
    )


def chunk_address(data: bytes) -> bytes:
    """Return what a manifest names a chunk by: SHA-256 of its bytes."""
    return hashlib.sha256(data).digest()


def chunk_context(log: str, epoch: int) -> bytes:
    return cbor2.dumps(["edge-chunk", log, epoch], canonical=True)
