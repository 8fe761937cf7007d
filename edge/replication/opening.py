"""What signed batches and chunks hold: decrypted, inflated within caps, decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason
from edge.replication.chain import chain_step
from edge.replication.changes import MAX_CONTENT_BYTES, changes_context
from edge.replication.manifest import MAX_CHUNK_BYTES, chunk_address, chunk_context
from edge.replication.packing import (
    MAX_INFLATED_BYTES,
    changes_in,
    inflated,
    records_in,
)
from edge.replication.snapshot import entry_key
from edge.terms import ChangeOperation
from edge.trust.cose import decrypt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.replication.changes import Changes
    from edge.replication.manifest import ChunkLine, Manifest
    from edge.replication.position import RecordedChange
    from edge.trust.keys import ContentKey


def open_batch(
    batch: Changes, content_keys: Mapping[int, ContentKey]
) -> tuple[list[RecordedChange], list[bytes]]:
    """Return the changes of a batch, and the chain before the first and after each.

    Raises:
        RefusalError: NO_KEY; TOO_LARGE; MIXED: the content is not what the signed map
            says.
        MessageError: the content cannot be read.
    """
    what = f"changes {batch.after + 1} to {batch.upto}"
    plaintext = inflated(
        decrypt(
            batch.content,
            _content_key(batch.epoch, content_keys, what),
            context=changes_context(batch.log, batch.after, batch.upto),
            limit=MAX_CONTENT_BYTES,
        ),
        limit=MAX_INFLATED_BYTES,
        what=what,
    )
    records = records_in(plaintext, count=batch.upto - batch.after, what=what)
    chains = [batch.chain_before]
    for record in records:
        chains.append(chain_step(batch.log, chains[-1], record))
    if chains[-1] != batch.chain_after:
        raise _mixed(what, "its content is not the one that was chained")
    changes = changes_in(records)
    for sequence, recorded in enumerate(changes, start=batch.after + 1):
        if recorded.change.sequence != sequence:
            found = recorded.change.sequence
            raise _mixed(what, f"change {found} stands in place {sequence}")
    return changes, chains


def open_chunk(
    manifest: Manifest, data: bytes, content_keys: Mapping[int, ContentKey]
) -> list[RecordedChange]:
    """Return the changes that made the entries of one chunk of the manifest.

    Raises:
        RefusalError: NO_KEY; TOO_LARGE; MIXED: not in the manifest, or not what the
            manifest says of it.
        MessageError: the content cannot be read.
    """
    what = f"chunk of snapshot {manifest.sequence}"
    line = _line_of(manifest, data, what)
    plaintext = inflated(
        decrypt(
            data,
            _content_key(manifest.epoch, content_keys, what),
            context=chunk_context(manifest.log, manifest.epoch),
            limit=MAX_CHUNK_BYTES,
        ),
        limit=line.inflated_size,
        what=what,
    )
    if len(plaintext) != line.inflated_size:
        raise _mixed(what, "it is shorter than the manifest says")
    changes = changes_in(records_in(plaintext, count=line.entries, what=what))
    last = b""
    for recorded in changes:
        change, key = recorded.change, entry_key(recorded.change.entry_id)
        if change.operation is ChangeOperation.WITHDRAW:
            raise _mixed(what, f"it holds the withdrawal {change.sequence}")
        if change.sequence > manifest.sequence:
            raise _mixed(what, f"it holds the later change {change.sequence}")
        if key <= last:
            raise _mixed(what, f"entry {change.entry_id} stands in the wrong place")
        last = key
    return changes


def _line_of(manifest: Manifest, data: bytes, what: str) -> ChunkLine:
    if len(data) > MAX_CHUNK_BYTES:
        raise RefusalError(
            RefusalReason.TOO_LARGE,
            f"{what}: {len(data)} bytes, {MAX_CHUNK_BYTES} allowed",
        )
    line = manifest.line_of(chunk_address(data))
    if line is None:
        raise _mixed(what, "it is not in the manifest")
    if line.size != len(data):
        raise _mixed(what, f"{len(data)} bytes, the manifest says {line.size}")
    return line


def _content_key(
    epoch: int, content_keys: Mapping[int, ContentKey], what: str
) -> ContentKey:
    if (key := content_keys.get(epoch)) is None:
        raise RefusalError(
            RefusalReason.NO_KEY, f"{what}: no content key of epoch {epoch} is held"
        )
    return key


def _mixed(what: str, why: str) -> RefusalError:
    return RefusalError(RefusalReason.MIXED, f"{what}: {why}")
