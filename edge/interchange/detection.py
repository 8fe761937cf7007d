"""Which format a minutiae record is in.

ISO and ANSI share their magic numbers and versions, so the lengths must tell:

" 20" (ISO 2005, ANSI 2004): ISO has a u32 length at byte 8, ANSI a u16 length there,
or 0 and a u32 at byte 10. What equals the number of bytes decides; if nothing does,
what is possible as a length. Angles decide nothing.
"030" (ISO 2011, ANSI 2009): both have a u32 length at byte 8. It is ISO if as many
representations as announced, by their own lengths, fill the record, else ANSI if its
views do; if neither, ISO if the first representation's length is possible.
"""

from __future__ import annotations

from edge.errors import InputError
from edge.interchange.minutiae_record import RECORD_LIMIT, RecordFormat

MAGIC = b"FMR\0"
_CLASSIC, _LATER = b" 20\0", b"030\0"
_ISO_2005_HEADER, _ANSI_2004_HEADER, _ANSI_2004_LONG_HEADER = 24, 26, 30
_ISO_2011_HEADER, _ANSI_2009_HEADER = 15, 21
_SMALLEST_REPRESENTATION, _ANSI_2009_VIEW = 33, 17


def is_minutiae_record(data: bytes) -> bool:
    """Say whether the bytes begin as a minutiae record of any format does."""
    return data.startswith(MAGIC)


def detect(data: bytes, what: str = "minutiae record") -> RecordFormat:
    """Return the format of a record.

    Raises:
        InputError: no minutiae record, or of an edition that is not read here.
    """
    if not is_minutiae_record(data):
        raise InputError(
            f'{what}: byte 0, format: no minutiae record, "FMR" and a zero expected'
        )
    version = data[4:8]
    if version == _CLASSIC:
        return _classic_format(data, what)
    if version == _LATER:
        return _later_format(data, what)
    raise InputError(
        f"{what}: byte 4, version: {version!a}; read are {_CLASSIC!a} (ISO 2005, "
        f"ANSI 2004) and {_LATER!a} (ISO 2011, ANSI 2009)"
    )


def _classic_format(data: bytes, what: str) -> RecordFormat:
    size = len(data)
    if size < _ISO_2005_HEADER:
        raise InputError(f"{what}: byte 8, header: {size} bytes in all: cut off?")
    whole, short, long = _number(data, 8, 4), _number(data, 8, 2), _number(data, 10, 4)
    if whole == size:
        return RecordFormat.ISO_2005
    if short == size or (short == 0 and long == size):
        return RecordFormat.ANSI_2004
    if _ISO_2005_HEADER <= whole <= RECORD_LIMIT:
        return RecordFormat.ISO_2005
    is_short = short >= _ANSI_2004_HEADER
    is_long = short == 0 and _ANSI_2004_LONG_HEADER <= long <= RECORD_LIMIT
    if is_short or is_long:
        return RecordFormat.ANSI_2004
    raise InputError(f"{what}: byte 8, record length: impossible as ISO and as ANSI")


def _later_format(data: bytes, what: str) -> RecordFormat:
    if len(data) < _ANSI_2009_HEADER:
        raise InputError(f"{what}: byte 8, header: {len(data)} bytes in all: cut off?")
    if _is_filled_by_representations(data):
        return RecordFormat.ISO_2011
    if _is_filled_by_views(data):
        return RecordFormat.ANSI_2009
    # Something is wrong with it anyway; the format only decides what is said of it.
    first = _number(data, _ISO_2011_HEADER, 4)
    is_iso = _SMALLEST_REPRESENTATION <= first <= RECORD_LIMIT and data[14] <= 1
    return RecordFormat.ISO_2011 if is_iso else RecordFormat.ANSI_2009


def _is_filled_by_representations(data: bytes) -> bool:
    count, offset = _number(data, 12, 2), _ISO_2011_HEADER
    for _ in range(count):
        length = _number(data, offset, 4)
        if length < _SMALLEST_REPRESENTATION or offset + length > len(data):
            return False
        offset += length
    return count > 0 and offset == len(data)


def _is_filled_by_views(data: bytes) -> bool:
    count, offset = data[19], _ANSI_2009_HEADER
    for _ in range(count):
        end = offset + _ANSI_2009_VIEW + 2
        if end > len(data):
            return False
        offset = end - 2 + 6 * data[end - 3]
        offset += 2 + _number(data, offset, 2)
    return count > 0 and offset == len(data)


def _number(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")
