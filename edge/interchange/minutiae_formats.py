"""Read a minutiae record of any format, write one, turn one format into another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.interchange import ansi_378, iso_19794_2_2005, iso_19794_2_2011
from edge.interchange.detection import detect
from edge.interchange.minutiae_record import (
    FIRST_VENDOR_BLOCK,
    RIDGE_COUNTS,
    CaptureDevice,
    RecordFormat,
)
from edge.interchange.record_fields import FieldReader

if TYPE_CHECKING:
    from edge.interchange.minutiae_record import FingerMinutiaeRecord, FingerView

_READERS = {
    RecordFormat.ISO_2005: iso_19794_2_2005.read,
    RecordFormat.ISO_2011: iso_19794_2_2011.read,
    RecordFormat.ANSI_2004: ansi_378.read_2004,
    RecordFormat.ANSI_2009: ansi_378.read_2009,
}
_WRITERS = {
    RecordFormat.ISO_2005: iso_19794_2_2005.write,
    RecordFormat.ISO_2011: iso_19794_2_2011.write,
    RecordFormat.ANSI_2004: ansi_378.write_2004,
}
WRITABLE_FORMATS = tuple(_WRITERS)
# Codes from 20 on are plain and rolled in turn; the older formats know 0 and 1 only.
_PLAIN, _ROLLED = 0, 1
_FIRST_LATER_IMPRESSION, _OTHER_IMPRESSION = 20, 28
_ANSI_CONTACTLESS, _VERTICAL_ROLL, _CONTACTLESS_PLAIN = 9, 9, 24


@dataclass(frozen=True)
class ReadRecord:
    """warnings: what a lenient reading let pass; empty after a strict one."""

    record: FingerMinutiaeRecord
    warnings: tuple[str, ...]


def read_record(
    data: bytes, *, lenient: bool = False, what: str = "minutiae record"
) -> ReadRecord:
    """Read a record of any format; what names it in messages.

    A lenient reading notes and lets pass: a record length off by one, trailing bytes,
    minutiae outside the image, views numbered with gaps, reserved bits and codes, a
    quality or capture instant that does not exist.

    Raises:
        InputError: names the byte and the field.
    """
    reader = FieldReader(data, what, lenient=lenient)
    record = _READERS[detect(data, what)](reader)
    return ReadRecord(record, tuple(reader.warnings))


def write_record(record: FingerMinutiaeRecord) -> bytes:
    """Write a record in its own format.

    Raises:
        InputError: a value does not fit the format, or it is not written here.
    """
    if record.format not in _WRITERS:
        allowed = ", ".join(WRITABLE_FORMATS)
        raise InputError(f"minutiae record: {record.format} is not written; {allowed}")
    return _WRITERS[record.format](record)


def converted(
    record: FingerMinutiaeRecord, to_format: RecordFormat
) -> FingerMinutiaeRecord:
    """Return the record as another format can hold it.

    Left out is what the other format spells differently (cores, deltas, zonal quality)
    or has no place for (device, certification). Views that do not share their image
    cannot become one record of 2004 or 2005: writing it refuses.
    """
    if to_format is record.format:
        return record
    views = tuple(_converted_view(v, record.format, to_format) for v in record.views)
    return replace(record, format=to_format, views=views, has_certification=False)


def _converted_view(
    view: FingerView, source: RecordFormat, target: RecordFormat
) -> FingerView:
    kept = tuple(
        block
        for block in view.extended
        if block.kind >= FIRST_VENDOR_BLOCK or block.kind == RIDGE_COUNTS
    )
    return replace(
        view,
        extended=kept,
        impression=_converted_impression(view.impression, source, target),
        device=CaptureDevice(),
        certifications=(),
        has_minutia_quality=True,
    )


def _converted_impression(code: int, source: RecordFormat, target: RecordFormat) -> int:
    if source is RecordFormat.ANSI_2004 and code == _ANSI_CONTACTLESS:
        code = _CONTACTLESS_PLAIN
    elif target is RecordFormat.ANSI_2004 and code == _VERTICAL_ROLL:
        return _ROLLED
    holds_later_codes = target in (RecordFormat.ISO_2011, RecordFormat.ANSI_2009)
    if holds_later_codes or code < _FIRST_LATER_IMPRESSION:
        return code
    if code == _CONTACTLESS_PLAIN and target is RecordFormat.ANSI_2004:
        return _ANSI_CONTACTLESS
    is_rolled = code < _OTHER_IMPRESSION and code % 2 == 1
    return _ROLLED if is_rolled else _PLAIN
