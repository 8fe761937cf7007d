"""What travels on the topics: one CBOR map a message, versioned, strict, capped.

The map holds "v" (the version), "type" (which message) and the fields of that message,
all of them and no others. Instants are integer microseconds since 1970 UTC, so that no
CBOR tag is needed and none is accepted. A reader refuses what it does not know; a new
field is a new version.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

import cbor2
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from edge.errors import MessageError
from edge.sync.topics import is_booth_id

VERSION = 1
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES - 4096
MAX_CHANGES = 256
MAX_SEQUENCE = 2**63 - 1
_MAX_DEPTH = 4
_PLAIN_TYPES = (bool, int, str, bytes)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def _from_microseconds(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if type(value) is not int or not 0 <= value <= _LATEST_US:
        raise ValueError("an instant is microseconds since 1970")
    return _EPOCH + timedelta(microseconds=value)


def _to_microseconds(value: datetime) -> int:
    return (value - _EPOCH) // _MICROSECOND


def _booth_id(value: str) -> str:
    if not is_booth_id(value):
        raise ValueError("not a booth id")
    return value


BoothId = Annotated[str, Field(max_length=63), AfterValidator(_booth_id)]
MessageId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,31}$")]
Instance = Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]
Sequence = Annotated[int, Field(ge=1, le=MAX_SEQUENCE)]
Cursor = Annotated[int, Field(ge=0, le=MAX_SEQUENCE)]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_from_microseconds),
    PlainSerializer(_to_microseconds, return_type=int),
]


class ReceiptOutcome(StrEnum):
    """STORED and DUPLICATE clear the booth's row; REFUSED keeps it for later."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    type_name: ClassVar[str]

    def encode(self) -> bytes:
        body = self.model_dump(mode="python")
        return cbor2.dumps({"v": VERSION, "type": self.type_name, **body})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the message in data.

        Raises:
            MessageError: too long, not CBOR, another type or version, a missing,
                unknown or impossible field.
        """
        body = _read_map(data, cls.type_name)
        if (found := body.pop("type", None)) != cls.type_name:
            raise MessageError(f"{cls.type_name} message: type is {_shown(found)}")
        if (version := body.pop("v", None)) != VERSION or type(version) is not int:
            raise MessageError(
                f"{cls.type_name} message: version {_shown(version)}, "
                f"this software reads version {VERSION}"
            )
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise MessageError(
                f"{cls.type_name} message: {_first_problem(error)}"
            ) from None


class OutboxEnvelope(_Message):
    """One outbox message; sequence is gapless within the booth."""

    type_name = "outbox"
    message_id: MessageId
    booth_id: BoothId
    sequence: Sequence
    kind: Kind
    created_at: Instant
    payload: Annotated[bytes, Field(max_length=MAX_PAYLOAD_BYTES)]


class Receipt(_Message):
    """The hub's word on one outbox message, given after its commit."""

    type_name = "receipt"
    message_id: MessageId
    booth_id: BoothId
    sequence: Sequence
    outcome: Annotated[ReceiptOutcome, Field(strict=False)]
    issued_at: Instant


class WatchlistRequest(_Message):
    """Ask for the changes after a cursor, at most `limit` of them."""

    type_name = "watchlist-request"
    booth_id: BoothId
    after: Cursor
    limit: Annotated[int, Field(ge=1, le=MAX_CHANGES)]


class WatchlistBatch(_Message):
    """Consecutive changes after a cursor, each as edge.records encodes it.

    head: the newest sequence number of the hub when the batch was made.
    """

    type_name = "watchlist"
    booth_id: BoothId
    after: Cursor
    head: Cursor
    changes: Annotated[list[bytes], Field(max_length=MAX_CHANGES)]


class Head(_Message):
    """The newest sequence number of the hub's watchlist log."""

    type_name = "head"
    sequence: Cursor
    announced_at: Instant


class LinkState(_Message):
    """Birth or death of one end of the wire.

    instance: random, one per process. connection: counts its connections, so that a
    birth repeated by the broker can be told from a new one.
    """

    type_name = "state"
    online: bool
    instance: Instance
    connection: Cursor


def _read_map(data: bytes, what: str) -> dict[str, Any]:
    if len(data) > MAX_MESSAGE_BYTES:
        raise MessageError(
            f"{what} message: {len(data)} bytes, {MAX_MESSAGE_BYTES} are allowed"
        )
    try:
        value = cbor2.loads(
            data,
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except Exception as error:  # noqa: BLE001  the decoder's tag handlers raise anything
        raise MessageError(
            f"{what} message: not readable as CBOR ({type(error).__name__})"
        ) from None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MessageError(f"{what} message: not a CBOR map with text keys")
    for part in value.values():
        items = part if type(part) is list else [part]
        if not all(type(item) in _PLAIN_TYPES for item in items):
            raise MessageError(f"{what} message: a field is of no plain CBOR type")
    return value


def _shown(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str | int) else type(value).__name__


def _first_problem(error: ValidationError) -> str:
    item = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in item["loc"])[:60]
    return f"field {field!r}: {item['msg'][:120]}"
