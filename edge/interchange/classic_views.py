"""Views of the formats that state device and image once for all views.

ISO/IEC 19794-2:2005 and ANSI/INCITS 378-2004 share this part:

    u16 device: certification (4 bits) and id (12), u16 width, u16 height, u16 x and
    u16 y resolution in pixels per cm, u8 number of views, u8 reserved; then a view:
    u8 position, u8 view number (4 bits) and impression (4), u8 quality, u8 count,
    minutiae, u16 length of the extended data, blocks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.interchange.minutia_rows import (
    note_outside,
    read_extended,
    read_minutiae,
    write_extended,
    write_minutiae,
)
from edge.interchange.minutiae_record import (
    HIGHEST_QUALITY,
    CaptureDevice,
    FingerQuality,
    FingerView,
)
from edge.interchange.record_fields import FieldWriter, require_fits
from edge.interchange.view_rules import (
    note_numbering,
    read_view_count,
    require_finger_quality,
    require_writable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.interchange.minutia_rows import MinutiaRules
    from edge.interchange.record_fields import FieldReader

_GEOMETRY = ("image width", "image height", "x resolution", "y resolution")


def read_views(reader: FieldReader, rules: MinutiaRules) -> tuple[FingerView, ...]:
    """Read the second half of the header and all views, to the record's end.

    Raises:
        InputError: names the byte and the field.
    """
    device = reader.unsigned(2, "capture device")
    width, height, x_per_cm, y_per_cm = (reader.unsigned(2, f) for f in _GEOMETRY)
    count = read_view_count(reader, 1, "number of views")
    reader.require_zero(reader.unsigned(1, "reserved byte"), "reserved byte")
    views = []
    for _ in range(count):
        position = reader.unsigned(1, "finger position")
        packed = reader.unsigned(1, "view number and impression")
        qualities = _read_quality(reader)
        minutia_count = reader.unsigned(1, "number of minutiae")
        minutiae = read_minutiae(reader, minutia_count, rules)
        note_outside(reader, minutiae, width, height)
        view = FingerView(
            position=position,
            view_number=packed >> 4,
            width_px=width,
            height_px=height,
            x_px_per_cm=x_per_cm,
            y_px_per_cm=y_per_cm,
            minutiae=minutiae,
            impression=packed & 15,
            qualities=qualities,
            extended=read_extended(reader),
            device=CaptureDevice(device_id=device & 0x0FFF, certification=device >> 12),
        )
        views.append(view)
    note_numbering(reader, views)
    reader.require_end()
    return tuple(views)


def write_views(views: Sequence[FingerView], rules: MinutiaRules) -> bytes:
    """Write the second half of the header and all views.

    Raises:
        InputError: the views differ in device or image, or do not fit the format.
    """
    require_writable(views, most=255)
    first = views[0]
    if any(_shared(view) != _shared(first) for view in views):
        raise InputError(
            "minutiae record: the views differ in device, image size or resolution; "
            "this format states them once, write a record for each"
        )
    out = FieldWriter()
    require_fits(first.device.device_id, 12, "device id")
    require_fits(first.device.certification, 4, "device certification")
    device = first.device.certification << 12 | first.device.device_id
    out.unsigned(device, 2, "capture device")
    geometry = (
        first.width_px,
        first.height_px,
        first.x_px_per_cm,
        first.y_px_per_cm,
    )
    for value, name in zip(geometry, _GEOMETRY, strict=True):
        out.unsigned(value, 2, name)
    out.unsigned(len(views), 1, "number of views")
    out.unsigned(0, 1, "reserved byte")
    for view in views:
        require_fits(view.view_number, 4, "view number")
        require_fits(view.impression, 4, "impression code")
        out.unsigned(view.position, 1, "finger position")
        packed = view.view_number << 4 | view.impression
        out.unsigned(packed, 1, "view number and impression")
        out.unsigned(_written_quality(view), 1, "finger quality")
        rows = write_minutiae(view.minutiae, rules)
        out.unsigned(len(view.minutiae), 1, "number of minutiae")
        out.append(rows)
        out.append(write_extended(view.extended))
    return out.joined()


def _read_quality(reader: FieldReader) -> tuple[FingerQuality, ...]:
    quality = reader.unsigned(1, "finger quality")
    if quality <= HIGHEST_QUALITY:
        return (FingerQuality(quality),)
    problem = f"{quality}; 0 to {HIGHEST_QUALITY} is possible"
    reader.deviates("finger quality", problem, reader.offset - 1)
    return ()


def _written_quality(view: FingerView) -> int:
    """Return the first quality; 0 where there is none, as these formats say no more."""
    if not view.qualities:
        return 0
    value = view.qualities[0].value
    require_finger_quality(value)
    return value if value <= HIGHEST_QUALITY else 0


def _shared(view: FingerView) -> tuple[object, ...]:
    device = (view.device.device_id, view.device.certification)
    size = (view.width_px, view.height_px)
    return *device, *size, view.x_px_per_cm, view.y_px_per_cm
