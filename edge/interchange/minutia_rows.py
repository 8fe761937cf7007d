"""Minutiae and extended data: the part of a view that all formats share.

A minutia: u16 kind (2 bits) and x (14), u16 reserved (2) and y (14), angle u8, quality
u8. Formats differ in the angle's step and in what a quality of 0 means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import InputError
from edge.interchange.minutiae_record import (
    COORDINATE_LIMIT,
    HIGHEST_QUALITY,
    KIND_OTHER,
    MINUTIAE_LIMIT,
    QUALITY_NOT_REPORTED,
    UNREPORTED_CODES,
    ExtendedBlock,
    MinutiaColumns,
)
from edge.interchange.record_fields import FieldWriter, require_fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.interchange.record_fields import FieldReader

ROW_SIZE, ROW_SIZE_NO_QUALITY = 6, 5
BLOCK_HEADER_SIZE = 4


@dataclass(frozen=True)
class MinutiaRules:
    """In what the formats differ.

    angle_codes: steps of a full turn. zero_is_unreported: a quality of 0 says nothing,
    and 254 and 255 do not exist.
    """

    angle_codes: int
    zero_is_unreported: bool


ISO_2005_RULES = MinutiaRules(angle_codes=256, zero_is_unreported=True)
ISO_2011_RULES = MinutiaRules(angle_codes=256, zero_is_unreported=False)
ANSI_2004_RULES = MinutiaRules(angle_codes=180, zero_is_unreported=True)
ANSI_2009_RULES = MinutiaRules(angle_codes=180, zero_is_unreported=False)


def read_minutiae(
    reader: FieldReader, count: int, rules: MinutiaRules, row_size: int = ROW_SIZE
) -> MinutiaColumns:
    """Read rows.

    Raises:
        InputError: cut off, or a value that the format does not have.
    """
    start = reader.offset
    data = reader.take(count * row_size, f"{count} minutiae")
    rows = np.frombuffer(data, np.uint8).reshape(count, row_size).astype(np.uint16)
    kind_x, flags_y = rows[:, 0] << 8 | rows[:, 1], rows[:, 2] << 8 | rows[:, 3]
    rows_at = _Rows(reader, start, row_size)
    quality = (
        _quality(rows_at, rows[:, 5], rules)
        if row_size == ROW_SIZE
        else np.full(count, QUALITY_NOT_REPORTED, np.uint8)
    )
    rows_at.note(flags_y >= COORDINATE_LIMIT, "y", "reserved bits are set")
    return MinutiaColumns(
        x=(kind_x % COORDINATE_LIMIT).astype(np.uint16),
        y=(flags_y % COORDINATE_LIMIT).astype(np.uint16),
        angle_deg=_angle(rows_at, rows[:, 4], rules),
        kind=_kind(rows_at, kind_x // COORDINATE_LIMIT),
        quality=quality,
    )


def note_outside(
    reader: FieldReader, minutiae: MinutiaColumns, width_px: int, height_px: int
) -> None:
    """Refuse minutiae outside the image; a lenient reader notes and keeps them.

    Some makers state the size of the sensor, others that of a part of the image.
    """
    is_outside = (minutiae.x >= width_px) | (minutiae.y >= height_px)
    if is_outside.any():
        i = int(np.flatnonzero(is_outside)[0])
        reader.deviates(
            f"minutia {i}",
            f"x {minutiae.x[i]} y {minutiae.y[i]} lies outside the image of "
            f"{width_px} x {height_px} px, as do {int(is_outside.sum()) - 1} more",
        )


def write_minutiae(
    minutiae: MinutiaColumns, rules: MinutiaRules, row_size: int = ROW_SIZE
) -> bytes:
    """Write rows.

    Raises:
        InputError: too many, or a value that the format does not have.
    """
    count = len(minutiae)
    if count > MINUTIAE_LIMIT:
        message = f"minutiae record: {count} minutiae; a view holds {MINUTIAE_LIMIT}"
        raise InputError(message)
    _require_writable(minutiae)
    turns = minutiae.angle_deg.astype(np.float64) / 360
    angle = np.rint(turns * rules.angle_codes).astype(np.int64) % rules.angle_codes
    kind_x = minutiae.kind.astype(np.uint16) << 14 | minutiae.x.astype(np.uint16)
    y = minutiae.y.astype(np.uint16)
    quality = minutiae.quality
    if rules.zero_is_unreported:
        # A real 0 must not become "not reported": 1 is the lowest that can be said.
        quality = np.where(
            np.isin(quality, UNREPORTED_CODES), 0, np.maximum(quality, 1)
        )
    columns = [kind_x >> 8, kind_x & 255, y >> 8, y & 255, angle, quality]
    return np.stack(columns, axis=1)[:, :row_size].astype(np.uint8).tobytes()


def read_extended(reader: FieldReader) -> tuple[ExtendedBlock, ...]:
    """Read the blocks after a view's minutiae, known or not, by their lengths.

    Raises:
        InputError: cut off, or a block's length is impossible.
    """
    size = reader.unsigned(2, "extended data length")
    if size > reader.remaining:
        problem = f"{size} bytes announced, {reader.remaining} are left"
        raise reader.refusal("extended data length", problem, reader.offset - 2)
    end = reader.offset + size
    blocks = []
    while end - reader.offset >= BLOCK_HEADER_SIZE:
        kind = reader.unsigned(2, "extended block type")
        length = reader.unsigned(2, "extended block length")
        left = end - reader.offset + BLOCK_HEADER_SIZE
        if not BLOCK_HEADER_SIZE <= length <= left:
            problem = f"{length}; {BLOCK_HEADER_SIZE} to {left} is possible"
            raise reader.refusal("extended block length", problem, reader.offset - 2)
        data = reader.take(length - BLOCK_HEADER_SIZE, "extended block")
        blocks.append(ExtendedBlock(kind, data))
    if reader.offset < end:
        rest = end - reader.offset
        reader.deviates("extended data", f"{rest} bytes are no block")
        reader.take(rest, "extended data")
    return tuple(blocks)


def write_extended(blocks: Sequence[ExtendedBlock]) -> bytes:
    """Write the blocks with their total length.

    Raises:
        InputError: they are too long.
    """
    body = FieldWriter()
    for block in blocks:
        body.unsigned(block.kind, 2, "extended block type")
        length = len(block.data) + BLOCK_HEADER_SIZE
        body.unsigned(length, 2, "extended block length")
        body.append(block.data)
    data = body.joined()
    require_fits(len(data), 16, "extended data length")
    return len(data).to_bytes(2, "big") + data


class _Rows:
    """Says which minutia, at which byte, holds a value that must not be."""

    def __init__(self, reader: FieldReader, start: int, row_size: int) -> None:
        self._reader = reader
        self._start = start
        self._row_size = row_size

    def note(self, is_wrong: NDArray[np.bool_], field: str, problem: str) -> None:
        if is_wrong.any():
            i = int(np.flatnonzero(is_wrong)[0])
            self._reader.deviates(f"{field} of minutia {i}", problem, self._at(i))

    def refuse(self, is_wrong: NDArray[np.bool_], field: str, problem: str) -> None:
        if is_wrong.any():
            i = int(np.flatnonzero(is_wrong)[0])
            raise self._reader.refusal(f"{field} of minutia {i}", problem, self._at(i))

    def _at(self, i: int) -> int:
        return self._start + i * self._row_size


def _angle(
    rows_at: _Rows, codes: NDArray[np.uint16], rules: MinutiaRules
) -> NDArray[np.float64]:
    rows_at.refuse(
        codes >= rules.angle_codes,
        "angle",
        f"{rules.angle_codes} steps make a full turn; is this an ISO record that "
        "calls itself ANSI?",
    )
    return codes.astype(np.float64) * (360 / rules.angle_codes)


def _kind(rows_at: _Rows, kind: NDArray[Any]) -> NDArray[np.uint8]:
    is_reserved = kind == 3
    rows_at.note(is_reserved, "type", "3 is reserved")
    return np.where(is_reserved, KIND_OTHER, kind).astype(np.uint8)


def _quality(
    rows_at: _Rows, quality: NDArray[np.uint16], rules: MinutiaRules
) -> NDArray[np.uint8]:
    is_special = np.isin(quality, UNREPORTED_CODES) & (not rules.zero_is_unreported)
    is_wrong = (quality > HIGHEST_QUALITY) & ~is_special
    rows_at.note(is_wrong, "quality", f"not 0 to {HIGHEST_QUALITY}")
    is_silent = is_wrong | ((quality == 0) & rules.zero_is_unreported)
    return np.where(is_silent, QUALITY_NOT_REPORTED, quality).astype(np.uint8)


def _require_writable(minutiae: MinutiaColumns) -> None:
    for name, values in (("x", minutiae.x), ("y", minutiae.y)):
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < (
            COORDINATE_LIMIT
        ):
            raise InputError(f"minutiae record: {name} of a minutia is not 0 to 16383")
    is_quality = (minutiae.quality <= HIGHEST_QUALITY) | np.isin(
        minutiae.quality, UNREPORTED_CODES
    )
    if not ((minutiae.kind <= 2) & is_quality & np.isfinite(minutiae.angle_deg)).all():
        raise InputError(
            "minutiae record: kind, angle or quality of a minutia is out of range"
        )
