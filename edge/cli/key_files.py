"""Files that are carried between booth and hub."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, InputError, MessageError, RefusalError
from edge.trust.enrolment import ANSWER_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Text needs four bytes for three, and a mail breaks it into lines.
_MAX_FILE_BYTES = 2 * ANSWER_LIMIT


def read_outside(path: Path) -> bytes:
    """Return a carried file's bytes.

    Raises:
        InputError: missing, unreadable or too long.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        message = f"{path}: cannot read: {error.strerror}"
        raise InputError(message) from None
    if len(data) > _MAX_FILE_BYTES:
        message = f"{path}: too long for a request or an answer"
        raise InputError(message)
    return data


@contextmanager
def named(path: Path, what: str) -> Iterator[None]:
    """Say of a file that cannot be read which one it was, and what was expected."""
    try:
        yield
    except RefusalError:
        raise  # it says whose it is and why
    except MessageError as error:
        message = f"{path}: not {what} that can be used: {error}"
        raise InputError(message) from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet.

    Raises:
        ConfigurationError: it is there, or cannot be written.
    """
    try:
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        message = f"{path}: is there already, and is not overwritten"
        raise ConfigurationError(message) from None
    except OSError as error:
        message = f"{path}: cannot write: {error.strerror}"
        raise ConfigurationError(message) from None
