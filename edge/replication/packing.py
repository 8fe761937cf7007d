"""Change records packed for the wire: zlib (RFC 1950) over a CBOR array of records."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import cbor2

from edge.errors import MessageError, RefusalError, RefusalReason
from edge.records.changes import decode_change
from edge.replication.position import RecordedChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_INFLATED_BYTES = 8 * 1024 * 1024
_LEVEL = 6
_ARRAY = 0x80


def array_of(records: Sequence[bytes]) -> bytes:
    """Return the records as a CBOR array; the same records give the same bytes."""
    return cbor2.dumps(list(records), canonical=True)


def deflated(plaintext: bytes) -> bytes:
    return zlib.compress(plaintext, _LEVEL)


def inflated(data: bytes, *, limit: int, what: str) -> bytes:
    """Return what was compressed, never more than limit bytes.

    Raises:
        RefusalError: TOO_LARGE: it is longer.
        MessageError: no zlib stream, one that is cut off, or something follows it.
    """
    stream = zlib.decompressobj()
    try:
        plaintext = stream.decompress(data, limit + 1)
    except zlib.error:
        raise MessageError(f"{what}: its content is no zlib stream") from None
    if len(plaintext) > limit:
        raise RefusalError(
            RefusalReason.TOO_LARGE, f"{what}: inflates to more than {limit} bytes"
        )
    if not stream.eof or stream.unused_data or stream.unconsumed_tail:
        raise MessageError(f"{what}: its content is cut off, or something follows it")
    return plaintext


def records_in(plaintext: bytes, *, count: int, what: str) -> list[bytes]:
    """Return the records of an array of exactly count.

    Raises:
        RefusalError: MIXED: another number of records.
        MessageError: no array of byte strings.
    """
    # The announced length is compared before anything is built from it.
    if not plaintext.startswith(_array_head(count)):
        raise RefusalError(
            RefusalReason.MIXED, f"{what}: its content is no array of {count} records"
        )
    try:
        records = cbor2.loads(plaintext, max_depth=2, allow_indefinite=False)
    except Exception as error:  # noqa: BLE001  the decoder's tag handlers raise anything
        raise MessageError(
            f"{what}: its content is no CBOR ({type(error).__name__})"
        ) from None
    if not all(type(record) is bytes for record in records):
        raise MessageError(f"{what}: its content holds something else than records")
    # The decoder reads other spellings too, and looks at nothing behind the array.
    if array_of(records) != plaintext:
        raise MessageError(f"{what}: its content is not in deterministic encoding")
    return list(records)


def changes_in(records: Iterable[bytes]) -> list[RecordedChange]:
    """Decode records.

    Raises:
        MessageError: one is no change; says which field is wrong.
    """
    return [RecordedChange(decode_change(record), record) for record in records]


def _array_head(count: int) -> bytes:
    """Return how a deterministic array of count items begins (RFC 8949, 3.1)."""
    if count < 24:
        return bytes([_ARRAY | count])
    size = 0 if count < 1 << 8 else 1 if count < 1 << 16 else 2
    return bytes([_ARRAY | 24 + size]) + count.to_bytes(1 << size, "big")
