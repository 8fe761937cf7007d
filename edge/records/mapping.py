"""Strict CBOR maps (RFC 8949): known keys, right types, capped lengths."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from io import BytesIO
from typing import Any, TypeVar

import cbor2

from edge.errors import MessageError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

TEXT_LIMIT = 4_000
ID_LIMIT = 100
INTEGER_BITS = 64
MAX_DEPTH = 5


def encode_map(value: dict[str, Any]) -> bytes:
    """Encode deterministically: the same value gives the same bytes."""
    return cbor2.dumps(value, canonical=True)


def decode_map(data: bytes, *, what: str, limit: int) -> Fields:
    """Decode one CBOR map with nothing before or after it.

    Raises:
        MessageError: too long, not CBOR, not a map, nested too deep, a key twice, a
            length that is not said, or trailing bytes.
    """
    if len(data) > limit:
        message = f"{what}: {len(data)} bytes, {limit} allowed"
        raise MessageError(message)
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(
            stream,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        ).decode()
    except Exception as error:
        # The decoder meets arbitrary bytes and raises far more than its own errors.
        message = f"{what}: not CBOR: {type(error).__name__}"
        raise MessageError(message) from error
    if stream.tell() != len(data):
        message = f"{what}: {len(data) - stream.tell()} bytes too many"
        raise MessageError(message)
    return Fields(value, what)


class Fields:
    """Takes the fields of a map one by one; done() refuses what is left."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict) or not all(isinstance(k, str) for k in value):
            message = f"{what}: not a map with text keys"
            raise MessageError(message)
        self._rest = dict(value)
        self._what = what

    def take(self, key: str, kind: type[T]) -> T:
        if key not in self._rest:
            message = f"{self._what}: {key} is missing"
            raise MessageError(message)
        value = self._rest.pop(key)
        is_bool = isinstance(value, bool) and kind is not bool
        if not isinstance(value, kind) or is_bool:
            found = type(value).__name__
            message = f"{self._what}: {key} is {found}, {kind.__name__} expected"
            raise MessageError(message)
        # CBOR has integers of any length; Python refuses to print the longest of them.
        if isinstance(value, int) and value.bit_length() > INTEGER_BITS:
            message = f"{self._what}: {key} is an integer of over {INTEGER_BITS} bits"
            raise MessageError(message)
        return value

    def text(self, key: str, *, limit: int = TEXT_LIMIT) -> str:
        value = self.take(key, str)
        if len(value) > limit:
            message = (
                f"{self._what}: {key} has {len(value)} characters, {limit} allowed"
            )
            raise MessageError(message)
        # JSON can spell half a surrogate pair, which no store or message can hold.
        is_plain = value.isascii()
        if not is_plain and any(
            "\ud800" <= character <= "\udfff" for character in value
        ):
            message = f"{self._what}: {key} is not Unicode text"
            raise MessageError(message)
        return value

    def identifier(self, key: str) -> str:
        value = self.text(key, limit=ID_LIMIT)
        if not value or not value.isprintable():
            message = f"{self._what}: {key} is empty or not printable"
            raise MessageError(message)
        return value

    def optional_text(self, key: str) -> str | None:
        if key in self._rest and self._rest[key] is None:
            del self._rest[key]
            return None
        return self.text(key)

    def count(self, key: str, *, limit: int = 2**53) -> int:
        value = self.take(key, int)
        if not 0 <= value <= limit:
            message = f"{self._what}: {key} = {value}, 0 to {limit} allowed"
            raise MessageError(message)
        return value

    def instant(self, key: str) -> datetime:
        value = self.text(key, limit=40)
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            message = f"{self._what}: {key} is no instant with a time zone"
            raise MessageError(message)
        try:
            return instant.astimezone(UTC)
        except OverflowError as error:
            message = f"{self._what}: {key} is out of range"
            raise MessageError(message) from error

    def optional_instant(self, key: str) -> datetime | None:
        if key in self._rest and self._rest[key] is None:
            del self._rest[key]
            return None
        return self.instant(key)

    def items(self, key: str, *, limit: int) -> list[object]:
        value = self.take(key, list)
        if len(value) > limit:
            message = f"{self._what}: {key} has {len(value)} items, {limit} allowed"
            raise MessageError(message)
        return list(value)

    def optional_items(self, key: str, *, limit: int) -> list[object]:
        """Return a list that older senders leave out; then it is empty."""
        return self.items(key, limit=limit) if key in self._rest else []

    def optional_flag(self, key: str) -> bool:
        """Return a truth value that is left out where it is false."""
        return self.take(key, bool) if key in self._rest else False

    def done(self) -> None:
        """Raise MessageError if a key is left that nobody asked for."""
        if self._rest:
            names = ", ".join(sorted(self._rest))[:100]
            message = f"{self._what}: unknown key {names}"
            raise MessageError(message)


def term(value: object, kind: type[E], what: str) -> E:
    """Make an enumeration member of a code from outside."""
    try:
        return kind(value)
    except ValueError as error:
        message = f"{what}: {value!r} is no {kind.__name__}"
        raise MessageError(message) from error
