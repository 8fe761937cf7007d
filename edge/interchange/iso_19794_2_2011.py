"""ISO/IEC 19794-2:2011, the record format.

Header: "FMR" 0, "030" 0, u32 record length, u16 number of representations, u8
certification flag. A representation: u32 length with itself, 9 bytes capture instant
(u16 year, month, day, hour, minute, second, u16 ms; all FF: unknown), u8 technology,
u16 vendor and u16 type of the device, u8 count of quality blocks {u8 value, u16 vendor,
u16 algorithm}, with the flag u8 count of certification blocks {u16 authority, u8
scheme}, u8 position, u8 representation number, u16 x and u16 y resolution, u8
impression, u16 width, u16 height, u8 size of a minutia (4 bits) and ridge ending type
(4), u8 count, minutiae of 6 bytes or, without quality, 5, u16 length of the extended
data, blocks.

256 steps of angle make a full turn; a quality of 0 is a quality, 254 is "not reported".
"""

from __future__ import annotations

from datetime import UTC, datetime

from edge.errors import InputError
from edge.interchange.minutia_rows import (
    ISO_2011_RULES,
    ROW_SIZE,
    ROW_SIZE_NO_QUALITY,
    note_outside,
    read_extended,
    read_minutiae,
    write_extended,
    write_minutiae,
)
from edge.interchange.minutiae_record import (
    CaptureDevice,
    DeviceCertification,
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
    require_finger_quality,
    require_writable,
)

MAGIC = b"FMR\0"
VERSION = b"030\0"
HEADER_SIZE = 15
_LENGTH_AT = 8
_UNKNOWN_INSTANT = b"\xff" * 9
_VIEWS_LIMIT = 0xFFFF


def read(reader: FieldReader) -> FingerMinutiaeRecord:
    """Read a whole record.

    Raises:
        InputError: names the byte and the field.
    """
    reader.take(_LENGTH_AT, "format and version")
    reader.require_length(reader.unsigned(4, "record length"), _LENGTH_AT)
    count = read_view_count(reader, 2, "number of representations")
    flag = reader.unsigned(1, "certification flag")
    if flag > 1:
        reader.deviates("certification flag", f"{flag}; 0 or 1 is possible")
    is_certified = flag == 1
    views = tuple(_read_view(reader, is_certified=is_certified) for _ in range(count))
    note_numbering(reader, views)
    reader.require_end()
    return FingerMinutiaeRecord(
        RecordFormat.ISO_2011, views, has_certification=is_certified
    )


def write(record: FingerMinutiaeRecord) -> bytes:
    """Write a whole record.

    Raises:
        InputError: a value does not fit the format.
    """
    require_writable(record.views, most=_VIEWS_LIMIT)
    is_certified = record.has_certification or any(
        view.certifications for view in record.views
    )
    rest = b"".join(
        _written_view(view, is_certified=is_certified) for view in record.views
    )
    out = FieldWriter()
    out.append(MAGIC + VERSION)
    out.unsigned(HEADER_SIZE + len(rest), 4, "record length")
    out.unsigned(len(record.views), 2, "number of representations")
    out.unsigned(int(is_certified), 1, "certification flag")
    out.append(rest)
    return out.joined()


def _read_view(reader: FieldReader, *, is_certified: bool) -> FingerView:
    start = reader.offset
    length = reader.unsigned(4, "representation length")
    captured_at = _read_instant(reader)
    technology = reader.unsigned(1, "device technology")
    vendor = reader.unsigned(2, "device vendor")
    device = CaptureDevice(reader.unsigned(2, "device type"), vendor, technology)
    qualities = _read_qualities(reader)
    certifications = _read_certifications(reader) if is_certified else ()
    position = reader.unsigned(1, "finger position")
    number = reader.unsigned(1, "representation number")
    x_per_cm, y_per_cm = (reader.unsigned(2, f"{axis} resolution") for axis in "xy")
    impression = reader.unsigned(1, "impression")
    width, height = (reader.unsigned(2, f"image {s}") for s in ("width", "height"))
    row_size, ends_on_ridge = _read_row_form(reader)
    count = reader.unsigned(1, "number of minutiae")
    minutiae = read_minutiae(reader, count, ISO_2011_RULES, row_size)
    note_outside(reader, minutiae, width, height)
    extended = read_extended(reader)
    _check_length(reader, start, length)
    return FingerView(
        position=position,
        view_number=number,
        width_px=width,
        height_px=height,
        x_px_per_cm=x_per_cm,
        y_px_per_cm=y_per_cm,
        minutiae=minutiae,
        impression=impression,
        qualities=qualities,
        extended=extended,
        device=device,
        certifications=certifications,
        captured_at=captured_at,
        ends_on_ridge=ends_on_ridge,
        has_minutia_quality=row_size == ROW_SIZE,
    )


def _written_view(view: FingerView, *, is_certified: bool) -> bytes:
    out = FieldWriter()
    out.append(_written_instant(view.captured_at))
    out.unsigned(view.device.technology, 1, "device technology")
    out.unsigned(view.device.vendor_id, 2, "device vendor")
    out.unsigned(view.device.device_id, 2, "device type")
    out.unsigned(len(view.qualities), 1, "number of quality blocks")
    for quality in view.qualities:
        require_finger_quality(quality.value)
        out.unsigned(quality.value, 1, "finger quality")
        out.unsigned(quality.vendor_id, 2, "quality vendor")
        out.unsigned(quality.algorithm_id, 2, "quality algorithm")
    if is_certified:
        out.unsigned(len(view.certifications), 1, "number of certifications")
        for certification in view.certifications:
            out.unsigned(certification.authority, 2, "certification authority")
            out.unsigned(certification.scheme, 1, "certification scheme")
    out.unsigned(view.position, 1, "finger position")
    out.unsigned(view.view_number, 1, "representation number")
    out.unsigned(view.x_px_per_cm, 2, "x resolution")
    out.unsigned(view.y_px_per_cm, 2, "y resolution")
    out.unsigned(view.impression, 1, "impression")
    out.unsigned(view.width_px, 2, "image width")
    out.unsigned(view.height_px, 2, "image height")
    row_size = ROW_SIZE if view.has_minutia_quality else ROW_SIZE_NO_QUALITY
    out.unsigned(row_size << 4 | view.ends_on_ridge, 1, "minutia size")
    rows = write_minutiae(view.minutiae, ISO_2011_RULES, row_size)
    out.unsigned(len(view.minutiae), 1, "number of minutiae")
    out.append(rows)
    out.append(write_extended(view.extended))
    body = out.joined()
    return (len(body) + 4).to_bytes(4, "big") + body


def _read_instant(reader: FieldReader) -> datetime | None:
    at = reader.offset
    data = reader.take(len(_UNKNOWN_INSTANT), "capture instant")
    if data == _UNKNOWN_INSTANT:
        return None
    year, milliseconds = _number(data[:2]), _number(data[7:])
    month, day, hour, minute, second = data[2:7]
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return whole.replace(microsecond=milliseconds * 1000)
    except ValueError as error:
        reader.deviates("capture instant", str(error), at)
        return None


def _written_instant(instant: datetime | None) -> bytes:
    if instant is None:
        return _UNKNOWN_INSTANT
    if instant.tzinfo is None:
        raise InputError("minutiae record: the capture instant has no time zone")
    utc = instant.astimezone(UTC)
    parts = bytes([utc.month, utc.day, utc.hour, utc.minute, utc.second])
    milliseconds = utc.microsecond // 1000
    return utc.year.to_bytes(2, "big") + parts + milliseconds.to_bytes(2, "big")


def _read_qualities(reader: FieldReader) -> tuple[FingerQuality, ...]:
    found = []
    for _ in range(reader.unsigned(1, "number of quality blocks")):
        value = read_finger_quality(reader)
        vendor = reader.unsigned(2, "quality vendor")
        algorithm = reader.unsigned(2, "quality algorithm")
        found.append(FingerQuality(value, vendor, algorithm))
    return tuple(found)


def _read_certifications(reader: FieldReader) -> tuple[DeviceCertification, ...]:
    return tuple(
        DeviceCertification(
            reader.unsigned(2, "certification authority"),
            reader.unsigned(1, "certification scheme"),
        )
        for _ in range(reader.unsigned(1, "number of certifications"))
    )


def _read_row_form(reader: FieldReader) -> tuple[int, bool]:
    packed = reader.unsigned(1, "minutia size")
    row_size, ending_type = packed >> 4, packed & 15
    at = reader.offset - 1
    if row_size not in (ROW_SIZE, ROW_SIZE_NO_QUALITY):
        raise reader.refusal("minutia size", f"{row_size} bytes; 5 or 6 possible", at)
    if ending_type > 1:
        reader.deviates("ridge ending type", f"{ending_type}; 0 or 1 possible", at)
    return row_size, ending_type == 1


def _check_length(reader: FieldReader, start: int, length: int) -> None:
    found = reader.offset - start
    if found == length:
        return
    problem = f"{length} bytes announced, {found} read"
    if abs(found - length) > 1:
        raise reader.refusal("representation length", problem, start)
    reader.deviates("representation length", problem, start)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
