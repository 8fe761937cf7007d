"""Minutiae records as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.interchange.detection import MAGIC, is_minutiae_record
from edge.interchange.minutiae_formats import ReadRecord, read_record, write_record
from edge.interchange.minutiae_record import RECORD_LIMIT

if TYPE_CHECKING:
    from pathlib import Path

    from edge.interchange.minutiae_record import FingerMinutiaeRecord


def is_record_file(path: Path) -> bool:
    """Say whether the file begins as a minutiae record; no, if it cannot be read."""
    try:
        with path.open("rb") as file:
            return is_minutiae_record(file.read(len(MAGIC)))
    except (OSError, ValueError):
        return False


def read_record_file(path: Path, *, lenient: bool = False) -> ReadRecord:
    """Read a record of any format; see read_record for what a lenient reading is.

    Raises:
        InputError: names the file, the byte and the field.
    """
    try:
        with path.open("rb") as file:
            data = file.read(RECORD_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read: {reason}") from error
    return read_record(data, lenient=lenient, what=str(path))


def write_record_file(path: Path, record: FingerMinutiaeRecord) -> int:
    """Write a record in its own format; return the number of bytes.

    Raises:
        InputError: it does not fit its format, or the file cannot be written.
    """
    data = write_record(record)
    try:
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be written: {reason}") from error
    return len(data)
