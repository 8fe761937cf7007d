"""ANSI/INCITS 378: the 2004 edition to read and write, that of 2009 to read.

2004: "FMR" 0, " 20" 0, u16 record length (0: a u32 with the length follows), u16
product owner, u16 product type, then as in classic_views.
2009: "FMR" 0, "030" 0, u32 record length, u16 product owner, u16 product type, u8
certification, u16 device id, u8 number of views, u8 reserved; then a view: u8 position,
u8 view number, u8 impression, u8 quality, u16 and u16 vendor and algorithm of the
quality, u16 width, u16 height, u16 x and u16 y resolution, u8 count, minutiae, u16
length of the extended data, blocks.
A step of angle is 2 degrees in both. A minutia's quality of 0 is "not reported" in that
of 2004; in that of 2009 it is a quality, and 254 is "not reported".
"""

from __future__ import annotations

from edge.interchange.classic_views import read_views, write_views
from edge.interchange.minutia_rows import (
    ANSI_2004_RULES,
    ANSI_2009_RULES,
    note_outside,
    read_extended,
    read_minutiae,
)
from edge.interchange.minutiae_record import (
    CaptureDevice,
    FingerMinutiaeRecord,
    FingerQuality,
    FingerView,
    RecordFormat,
)
from edge.interchange.record_fields import FieldReader, FieldWriter
from edge.interchange.view_rules import (
    note_numbering,
    read_finger_quality,
    read_view_count,
)

MAGIC = b"FMR\0"
VERSION_2004, VERSION_2009 = b" 20\0", b"030\0"
_LENGTH_AT = 8
_SHORT_START, _LONG_START = 10, 14
_SHORT_LIMIT = 0xFFFF


def read_2004(reader: FieldReader) -> FingerMinutiaeRecord:
    """Read a whole record of 2004.

    Raises:
        InputError: names the byte and the field.
    """
    reader.take(_LENGTH_AT, "format and version")
    length = reader.unsigned(2, "record length")
    if length == 0:
        length = reader.unsigned(4, "record length")
    reader.require_length(length, _LENGTH_AT)
    owner = reader.unsigned(2, "product owner")
    product = reader.unsigned(2, "product type")
    views = read_views(reader, ANSI_2004_RULES)
    return FingerMinutiaeRecord(RecordFormat.ANSI_2004, views, owner, product)


def write_2004(record: FingerMinutiaeRecord) -> bytes:
    """Write a whole record of 2004.

    Raises:
        InputError: a value does not fit the format.
    """
    product = FieldWriter()
    product.unsigned(record.product_owner, 2, "product owner")
    product.unsigned(record.product_type, 2, "product type")
    rest = product.joined() + write_views(record.views, ANSI_2004_RULES)
    out = FieldWriter()
    out.append(MAGIC + VERSION_2004)
    if _SHORT_START + len(rest) <= _SHORT_LIMIT:
        out.unsigned(_SHORT_START + len(rest), 2, "record length")
    else:
        out.unsigned(0, 2, "record length")
        out.unsigned(_LONG_START + len(rest), 4, "record length")
    out.append(rest)
    return out.joined()


def read_2009(reader: FieldReader) -> FingerMinutiaeRecord:
    """Read a whole record of 2009.

    Raises:
        InputError: names the byte and the field.
    """
    reader.take(_LENGTH_AT, "format and version")
    reader.require_length(reader.unsigned(4, "record length"), _LENGTH_AT)
    owner = reader.unsigned(2, "product owner")
    product = reader.unsigned(2, "product type")
    certification = reader.unsigned(1, "certification")
    device_id = reader.unsigned(2, "capture device")
    device = CaptureDevice(device_id=device_id, certification=certification)
    count = read_view_count(reader, 1, "number of views")
    reader.require_zero(reader.unsigned(1, "reserved byte"), "reserved byte")
    views = tuple(_read_view_2009(reader, device) for _ in range(count))
    note_numbering(reader, views)
    reader.require_end()
    return FingerMinutiaeRecord(RecordFormat.ANSI_2009, views, owner, product)


def _read_view_2009(reader: FieldReader, device: CaptureDevice) -> FingerView:
    position = reader.unsigned(1, "finger position")
    view_number = reader.unsigned(1, "view number")
    impression = reader.unsigned(1, "impression")
    quality = FingerQuality(
        read_finger_quality(reader),
        reader.unsigned(2, "quality vendor"),
        reader.unsigned(2, "quality algorithm"),
    )
    width, height = (reader.unsigned(2, f"image {s}") for s in ("width", "height"))
    x_per_cm, y_per_cm = (reader.unsigned(2, f"{axis} resolution") for axis in "xy")
    count = reader.unsigned(1, "number of minutiae")
    minutiae = read_minutiae(reader, count, ANSI_2009_RULES)
    note_outside(reader, minutiae, width, height)
    return FingerView(
        position=position,
        view_number=view_number,
        width_px=width,
        height_px=height,
        x_px_per_cm=x_per_cm,
        y_px_per_cm=y_per_cm,
        minutiae=minutiae,
        impression=impression,
        qualities=(quality,),
        extended=read_extended(reader),
        device=device,
    )
