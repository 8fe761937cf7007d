"""What travels on the topics besides the watchlist log: the maps and their limits.

Each is a map of edge.records.message_map; README.md says which are signed, by whom, and
which are sealed. The watchlist's own messages are in edge.replication, those about keys
in edge.trust.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from edge.records.message_map import (
    MAX_MESSAGE_BYTES,
    MAX_SEQUENCE,
    BoothId,
    Cursor,
    Digest,
    Hex,
    Instant,
    KeyId,
    MapPart,
    MessageId,
    MessageMap,
    Name,
    Sequence,
)
from edge.terms import Modality  # noqa: TC001  pydantic reads it at run time

MAX_SEALED_BYTES = MAX_MESSAGE_BYTES - 4096
MAX_BODY_BYTES = MAX_SEALED_BYTES - 4096
MAX_ITEMS = 64
MAX_WITHDRAWN = 256
MAX_LINES = 1000
MAX_DIGESTS = 16
MAX_RANGES = 64
MAX_IMAGES = 8
MAX_IMAGE_BYTES = 160 * 1024
# So that a part with its seal is a command that older booths read and answer.
PART_BYTES = 14_000
MAX_PARTS = -(-MAX_IMAGE_BYTES // PART_BYTES)
Stream = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
LogName = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
EntryId = Annotated[str, Field(min_length=1, max_length=100)]


class ReceiptOutcome(StrEnum):
    """STORED and DUPLICATE clear the booth's row; REFUSED keeps it for later."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class CommandKind(StrEnum):
    INSTRUCTION = "instruction"
    RESYNC = "resync"
    RESEND = "resend"
    TEST = "test"
    REFERENCE_IMAGES = "reference-images"
    IMAGE_PART = "image-part"


class AnswerOutcome(StrEnum):
    DONE = "done"
    EXPIRED = "expired"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class OutboxEnvelope(MessageMap):
    """One outbox message on the wire; says what the hub needs to open it."""

    type_name = "outbox"
    booth_id: BoothId
    stream: Stream
    sequence: Sequence
    message_id: MessageId
    key: KeyId
    sealed: Annotated[bytes, Field(max_length=MAX_SEALED_BYTES)]


class Content(MessageMap):
    """What the booth signs of an outbox message; the envelope repeats its name."""

    type_name = "content"
    booth_id: BoothId
    stream: Stream
    sequence: Sequence
    message_id: MessageId
    kind: Name
    created_at: Instant
    body: Annotated[bytes, Field(max_length=MAX_BODY_BYTES)]


class ReceiptItem(MapPart):
    """digest: SHA-256 of the content map, whatever key signed it."""

    sequence: Sequence
    message_id: MessageId
    digest: Digest
    outcome: Annotated[ReceiptOutcome, Field(strict=False)]


class Receipt(MessageMap):
    """The hub's word on outbox messages, given after its commit."""

    type_name = "receipt"
    booth_id: BoothId
    stream: Stream
    items: Annotated[list[ReceiptItem], Field(min_length=1, max_length=MAX_ITEMS)]
    issued_at: Instant


class WatchlistRequest(MessageMap):
    """Ask for the changes after a position, at most limit of them."""

    type_name = "watchlist-request"
    booth_id: BoothId
    after: Cursor
    chain: Digest
    limit: Annotated[int, Field(ge=1, le=256)]


class ManifestRequest(MessageMap):
    """Ask for the newest snapshot; after: what is held, 0 for nothing."""

    type_name = "manifest-request"
    booth_id: BoothId
    after: Cursor


class ChunkRequest(MessageMap):
    type_name = "chunk-request"
    booth_id: BoothId
    digests: Annotated[list[Digest], Field(min_length=1, max_length=MAX_DIGESTS)]


class TrustRequest(MessageMap):
    """Ask for the trust documents and the booth's grant."""

    type_name = "trust-request"
    booth_id: BoothId


class ChunkMessage(MessageMap):
    """A chunk of a snapshot; unsigned, because the manifest names its digest."""

    type_name = "chunk"
    digest: Digest
    data: Annotated[bytes, Field(max_length=MAX_SEALED_BYTES)]


class WithdrawnEntry(MapPart):
    """sequence: of the change that withdrew it."""

    sequence: Sequence
    entry_id: EntryId


class Holding(MessageMap):
    """The booth's word: this position is what I hold, and these are deleted."""

    type_name = "holding"
    log: LogName
    sequence: Cursor
    chain: Digest
    digest: Digest
    count: Cursor
    withdrawn: Annotated[list[WithdrawnEntry], Field(max_length=MAX_WITHDRAWN)]
    at: Instant


class Void(MessageMap):
    """The content of this number was dropped by policy; nothing will come for it."""

    type_name = "void"
    reason: Annotated[str, Field(max_length=200)]


class Health(MessageMap):
    """counts: checks by outcome since the store was made."""

    type_name = "health"
    at: Instant
    watchlist_sequence: Cursor
    head_issued_at: Instant | None
    outbox_depth: Cursor
    disk_free_bytes: Cursor
    clock_is_trusted: bool
    software: Annotated[str, Field(max_length=100)]
    counts: Annotated[dict[str, Cursor], Field(max_length=20)]


class AuditLine(MapPart):
    number: Sequence
    at: Annotated[str, Field(max_length=40)]
    actor: Annotated[str, Field(max_length=100)]
    action: Annotated[str, Field(max_length=100)]
    subject: Annotated[str, Field(max_length=1000)]
    hash: Digest


class AuditExtract(MessageMap):
    """Consecutive lines of the booth's audit log; hash: of the last of them."""

    type_name = "audit"
    first: Sequence
    last: Sequence
    hash: Digest
    lines: Annotated[list[AuditLine], Field(min_length=1, max_length=MAX_LINES)]


class Answer(MessageMap):
    """What became of a command."""

    type_name = "answer"
    command_id: MessageId
    outcome: Annotated[AnswerOutcome, Field(strict=False)]
    detail: Annotated[str, Field(max_length=1000)]


class Command(MessageMap):
    """Do this, once, before it expires.

    body: of the kind, sealed to the booth; empty for resync and test. kind is a name,
    so that a booth can answer "unknown" to newer kinds.
    """

    type_name = "command"
    command_id: MessageId
    booth_id: BoothId
    kind: Name
    issued_at: Instant
    expires_at: Instant
    body: Annotated[bytes, Field(max_length=16_384)]


class Instruction(MessageMap):
    """What the operator tells the officer about a hit."""

    type_name = "instruction"
    hit_id: MessageId
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class ReferenceImage(MapPart):
    """An image of a reference; digest: SHA-256 of its bytes, PNG or JPEG."""

    reference_id: EntryId
    modality: Annotated[Modality, Field(strict=False)]
    position: Annotated[int, Field(ge=0, le=10)]
    size: Annotated[int, Field(ge=1, le=MAX_IMAGE_BYTES)]
    digest: Digest


class ReferenceImages(MessageMap):
    """Which images come for the officers who decide on a hit."""

    type_name = "reference-images"
    hit_id: MessageId
    images: Annotated[list[ReferenceImage], Field(min_length=1, max_length=MAX_IMAGES)]


class ImagePart(MessageMap):
    """The bytes of an image from part * PART_BYTES on, at most so many."""

    type_name = "image-part"
    hit_id: MessageId
    reference_id: EntryId
    part: Annotated[int, Field(ge=0, lt=MAX_PARTS)]
    data: Annotated[bytes, Field(min_length=1, max_length=PART_BYTES)]


def _ordered(ranges: list[list[int]]) -> list[list[int]]:
    for item in ranges:
        if len(item) != 2 or not 1 <= item[0] <= item[1] <= MAX_SEQUENCE:
            raise ValueError("a range is [first, last]")
    return ranges


class Resend(MessageMap):
    """Send the messages of these numbers of a stream again; ranges: first and last."""

    type_name = "resend"
    stream: Stream
    ranges: Annotated[
        list[list[int]],
        Field(min_length=1, max_length=MAX_RANGES),
        AfterValidator(_ordered),
    ]


class LinkState(MessageMap):
    """Birth or death of one end of the wire; a hint, unsigned.

    instance: random, one per process. connection: counts its connections, so that a
    birth repeated by the broker can be told from a new one.
    """

    type_name = "state"
    online: bool
    instance: Annotated[Hex, Field(max_length=32)]
    connection: Cursor


def outbox_info(
    booth_id: str, stream: str, sequence: int, message_id: str
) -> list[str | int]:
    """Return what an outbox message is sealed with, besides the key."""
    return ["edge-outbox", booth_id, stream, sequence, message_id]


def command_info(booth_id: str, command_id: str) -> list[str | int]:
    """Return what the body of a command is sealed with, besides the key."""
    return ["edge-command", booth_id, command_id]
