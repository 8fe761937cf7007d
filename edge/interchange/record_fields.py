"""Big-endian fields with their names, so that a refusal can say where it stands."""

from __future__ import annotations

from edge.errors import InputError
from edge.interchange.minutiae_record import RECORD_LIMIT

_WARNINGS_LIMIT = 50


class FieldReader:
    """Walks through a record. A strict reader refuses what a lenient one notes."""

    def __init__(self, data: bytes, what: str, *, lenient: bool) -> None:
        """Take the record; what names it in messages.

        Raises:
            InputError: longer than any record may be.
        """
        if len(data) > RECORD_LIMIT:
            raise InputError(
                f"{what}: {len(data)} bytes; a minutiae record has at most "
                f"{RECORD_LIMIT}"
            )
        self.offset = 0
        self.warnings: list[str] = []
        self._data = data
        self._what = what
        self._lenient = lenient

    @property
    def remaining(self) -> int:
        return len(self._data) - self.offset

    @property
    def size(self) -> int:
        return len(self._data)

    def take(self, count: int, field: str) -> bytes:
        if count > self.remaining:
            raise self.refusal(
                field, f"{count} bytes expected, {self.remaining} are left: cut off?"
            )
        start = self.offset
        self.offset += count
        return self._data[start : self.offset]

    def unsigned(self, size: int, field: str) -> int:
        return int.from_bytes(self.take(size, field), "big")

    def refusal(self, field: str, problem: str, at: int | None = None) -> InputError:
        """Return the error that names the place; at: an offset other than here."""
        offset = self.offset if at is None else at
        return InputError(f"{self._what}: byte {offset}, {field}: {problem}")

    def deviates(self, field: str, problem: str, at: int | None = None) -> None:
        """Refuse if strict, else note.

        Raises:
            InputError: the reader is strict.
        """
        error = self.refusal(field, problem, at)
        if not self._lenient:
            raise error
        if len(self.warnings) < _WARNINGS_LIMIT:
            self.warnings.append(str(error))

    def require_length(self, announced: int, at: int) -> None:
        """Compare the announced length with the bytes that are there.

        Raises:
            InputError: wrong; a lenient reader allows one byte and trailing bytes.
        """
        if announced == self.size:
            return
        problem = f"{announced} bytes announced, {self.size} are there"
        if announced > self.size + 1:
            raise self.refusal("record length", f"{problem}: cut off?", at)
        self.deviates("record length", problem, at)

    def require_end(self) -> None:
        if self.remaining:
            self.deviates("end of record", f"{self.remaining} bytes too many")

    def require_zero(self, value: int, field: str) -> None:
        if value:
            problem = f"{value}; reserved, must be 0"
            self.deviates(field, problem, self.offset - 1)


class FieldWriter:
    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def unsigned(self, value: int, size: int, field: str) -> None:
        """Append a field.

        Raises:
            InputError: the value does not fit.
        """
        require_fits(value, 8 * size, field)
        self._parts.append(value.to_bytes(size, "big"))

    def append(self, data: bytes) -> None:
        self._parts.append(data)

    def joined(self) -> bytes:
        return b"".join(self._parts)


def require_fits(value: int, bits: int, field: str) -> None:
    """Raise InputError if the value has no place in that many bits."""
    if not 0 <= value < 1 << bits:
        most = (1 << bits) - 1
        raise InputError(
            f"minutiae record: {field} {value}; this format holds 0 to {most}"
        )
