"""Messages as CBOR maps: versioned, strict, capped.

The map holds "v" (the version), "type" (which message) and the fields of that message,
all of them and no others, in the order of deterministic encoding (RFC 8949, 4.2.1).
Instants are integer microseconds since 1970 UTC, so that no CBOR tag is needed and none
is accepted. A reader refuses what it does not know; a new field is a new version.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
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

VERSION = 1
HUB_NAME = "hub"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_SEQUENCE = 2**63 - 1
DIGEST_BYTES = 32
_BOOTH_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_MAX_DEPTH = 5
_PLAIN_TYPES = (bool, int, str, bytes, type(None))
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


def is_booth_id(text: str) -> bool:
    """Return whether a booth can have this name; "hub" is the other end's."""
    return text != HUB_NAME and _BOOTH_ID.fullmatch(text) is not None


def _booth_id(value: str) -> str:
    if not is_booth_id(value):
        raise ValueError("not a booth id")
    return value


BoothId = Annotated[str, Field(max_length=63), AfterValidator(_booth_id)]
MessageId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,31}$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
Sequence = Annotated[int, Field(ge=1, le=MAX_SEQUENCE)]
Cursor = Annotated[int, Field(ge=0, le=MAX_SEQUENCE)]
Digest = Annotated[bytes, Field(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
PublicKey = Digest
KeyId = Annotated[bytes, Field(min_length=8, max_length=8)]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_from_microseconds),
    PlainSerializer(_to_microseconds, return_type=int),
]


class MapPart(BaseModel):
    """A map inside a message."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MessageMap(MapPart):
    """Base of every message; type_name stands in the map as "type"."""

    type_name: ClassVar[str]

    def encode(self) -> bytes:
        body = self.model_dump(mode="python")
        content = {"v": VERSION, "type": self.type_name, **body}
        return cbor2.dumps(content, canonical=True)

    @classmethod
    def decode(cls, data: bytes, *, limit: int = MAX_MESSAGE_BYTES) -> Self:
        """Return the message in data.

        Raises:
            MessageError: too long, not CBOR, another type or version, a missing,
                unknown or impossible field.
        """
        body = _read_map(data, cls.type_name, limit)
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


def type_of(data: bytes) -> str:
    """Return which message the map in data says it is, to choose a reader.

    Raises:
        MessageError: no CBOR map with a type.
    """
    found = _read_map(data, "unknown", MAX_MESSAGE_BYTES).get("type")
    if not isinstance(found, str):
        raise MessageError("message: no type")
    return found


def _read_map(data: bytes, what: str, limit: int) -> dict[str, Any]:
    if len(data) > limit:
        raise MessageError(f"{what} message: {len(data)} bytes, {limit} are allowed")
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        ).decode()
    except Exception as error:  # noqa: BLE001  the decoder's tag handlers raise anything
        raise MessageError(
            f"{what} message: not readable as CBOR ({type(error).__name__})"
        ) from None
    if stream.tell() != len(data):
        raise MessageError(f"{what} message: something follows the map")
    if not isinstance(value, dict) or not _is_plain(value):
        raise MessageError(f"{what} message: not a map of plain CBOR types")
    return value


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and _is_plain(v) for key, v in value.items())
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    return type(value) in _PLAIN_TYPES


def _shown(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str | int) else type(value).__name__


def _first_problem(error: ValidationError) -> str:
    item = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in item["loc"])[:60]
    return f"field {field!r}: {item['msg'][:120]}"
