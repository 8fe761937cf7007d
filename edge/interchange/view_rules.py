"""What every format asks of the views of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.interchange.minutiae_record import (
    HIGHEST_QUALITY,
    QUALITY_FAILED,
    QUALITY_NOT_REPORTED,
    UNREPORTED_CODES,
    misnumbered_position,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.interchange.minutiae_record import FingerView
    from edge.interchange.record_fields import FieldReader


def read_finger_quality(reader: FieldReader) -> int:
    """Read 0 to 100, 254 or 255; a lenient reader takes another code for 255."""
    value = reader.unsigned(1, "finger quality")
    if HIGHEST_QUALITY < value < QUALITY_NOT_REPORTED:
        problem = f"{value}; 0 to {HIGHEST_QUALITY}, 254 and 255 are possible"
        reader.deviates("finger quality", problem, reader.offset - 1)
        return QUALITY_FAILED
    return value


def require_finger_quality(value: int) -> None:
    """Raise InputError if it is neither 0 to 100 nor 254 nor 255."""
    if not 0 <= value <= HIGHEST_QUALITY and value not in UNREPORTED_CODES:
        raise InputError(
            f"minutiae record: finger quality {value}; 0 to {HIGHEST_QUALITY}, 254 and "
            "255 are possible"
        )


def read_view_count(reader: FieldReader, size: int, field: str) -> int:
    """Read how many views follow.

    Raises:
        InputError: none; such a record holds no finger.
    """
    count = reader.unsigned(size, field)
    if count == 0:
        raise reader.refusal(field, "0; there is no finger", reader.offset - size)
    return count


def note_numbering(reader: FieldReader, views: Sequence[FingerView]) -> None:
    """Refuse views of a finger that are not numbered from 0 on without a gap."""
    position = misnumbered_position(views)
    if position is not None:
        problem = f"those of finger position {position} do not run 0, 1, 2 and so on"
        reader.deviates("view numbers", problem)


def require_writable(views: Sequence[FingerView], most: int) -> None:
    """Raise InputError if so many views, or so numbered, make no record."""
    if not 1 <= len(views) <= most:
        message = f"minutiae record: {len(views)} views; this format holds 1 to {most}"
        raise InputError(message)
    position = misnumbered_position(views)
    if position is not None:
        raise InputError(
            f"minutiae record: the views of finger position {position} must be "
            "numbered 0, 1, 2 and so on"
        )
