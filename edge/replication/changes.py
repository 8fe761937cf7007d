"""Batches of changes: a stretch of the watchlist log, signed and encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import cbor2
from pydantic import Field

from edge.errors import RefusalError, RefusalReason, WatchlistError
from edge.records.message_map import (  # noqa: TC001  pydantic reads annotations
    Cursor,
    Digest,
)
from edge.records.message_map import (
    Sequence as Number,  # noqa: TC001  pydantic reads annotations
)
from edge.replication.authority import LogMessage, read_message
from edge.replication.packing import array_of, deflated
from edge.trust.cose import OVERHEAD_BYTES, encrypt, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge.replication.authority import LogAuthority
    from edge.replication.position import LogPosition
    from edge.trust.keys import ContentKey, SigningKey

MAX_CHANGES = 256
CONTENT_BYTES = 512 * 1024
# A single change may be as long as a record; what cannot be compressed grows a little.
MAX_CONTENT_BYTES = 2 * 1024 * 1024 + 4096
MAX_CHANGES_BYTES = MAX_CONTENT_BYTES + 1024 + OVERHEAD_BYTES
_PACKING_BYTES = 4096  # what packing and encryption add, at most, to 512 KiB


class Changes(LogMessage):
    """The changes after + 1 to upto of a log, and the states before and after them."""

    type_name = "changes"
    after: Cursor
    upto: Number
    chain_before: Digest
    chain_after: Digest
    digest_after: Digest
    count_after: Cursor
    content: Annotated[bytes, Field(max_length=MAX_CONTENT_BYTES)]


def make_changes(
    before: LogPosition,
    after: LogPosition,
    records: Sequence[bytes],
    content_key: ContentKey,
    key: SigningKey,
) -> bytes:
    """Return the signed batch of the records that lead from before to after.

    Raises:
        WatchlistError: not as many records as changes, or too long together.
    """
    what = f"changes {before.sequence + 1} to {after.sequence}"
    if not len(records) == after.sequence - before.sequence > 0:
        raise WatchlistError(f"{what}: {len(records)} records for them")
    content = encrypt(
        deflated(array_of(records)),
        content_key,
        context=changes_context(before.log, before.sequence, after.sequence),
    )
    if len(content) > MAX_CONTENT_BYTES:
        raise WatchlistError(
            f"{what}: {len(content)} bytes, {MAX_CONTENT_BYTES} allowed in a batch"
        )
    changes = Changes(
        log=before.log,
        epoch=content_key.epoch,
        after=before.sequence,
        upto=after.sequence,
        chain_before=before.chain,
        chain_after=after.chain,
        digest_after=after.digest,
        count_after=after.count,
        content=content,
    )
    return sign(changes.encode(), key)


def batches(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Split a stretch of the log so that each part fits one batch.

    At most 256 records and 512 KiB; a longer record goes alone.
    """
    batch: list[bytes] = []
    size = 0
    for record in records:
        is_full = size + len(record) > CONTENT_BYTES - _PACKING_BYTES
        if batch and (is_full or len(batch) == MAX_CHANGES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield batch


def read_changes(data: bytes, authority: LogAuthority) -> Changes:
    """Return a batch that a watchlist key signed; its content is still encrypted.

    Raises:
        RefusalError: TOO_LARGE, WRONG_SIGNER, WRONG_LOG, or MIXED: it holds nothing.
        MessageError: no batch, or changed since it was signed.
    """
    changes = read_message(data, Changes, authority, limit=MAX_CHANGES_BYTES)
    count = changes.upto - changes.after
    if count > MAX_CHANGES:
        raise RefusalError(
            RefusalReason.TOO_LARGE,
            f"changes: {count} in one batch, {MAX_CHANGES} allowed",
        )
    if count < 1:
        raise RefusalError(
            RefusalReason.MIXED,
            f"changes: they end at {changes.upto}, before they begin",
        )
    return changes


def changes_context(log: str, after: int, upto: int) -> bytes:
    return cbor2.dumps(["edge-changes", log, after, upto], canonical=True)
