"""The first view and first minutia of the standards' worked examples, byte by byte."""

from datetime import UTC, datetime

import numpy as np
import pytest

from edge.errors import InputError
from edge.interchange.minutiae_formats import read_record, write_record
from edge.interchange.minutiae_record import (
    CaptureDevice,
    DeviceCertification,
    ExtendedBlock,
    FingerQuality,
    RecordFormat,
)

ISO_2005 = bytes.fromhex(
    "464D5200 20323000 00000024 00B5 0200 0200 00C5 00C5 01 00"
    "07 00 5A 01 4064 000E 50 5A 0000"
)
ANSI_2004 = bytes.fromhex(
    "464D5200 20323000 0026 0042 0011 00B5 0200 0200 00C5 00C5 01 00"
    "07 00 5A 01 4064 000E 38 5A 0000"
)
ISO_2011 = bytes.fromhex(
    "464D5200 30333000 0000003C 0001 00"
    "0000002D 07D50C0F1123140000 00 ABCD 00B5 01 5AABCD0123"
    "07 00 00C5 00C5 00 0200 0200 60 01 4064 000E 50 5A 0000"
)
ANSI_2009 = bytes.fromhex(
    "464D5200 30333000 0000002E 0042 0011 80 00B5 01 00"
    "07 00 00 5A 0101 0021 0200 0200 00C5 00C5 01 4064 000E 38 5A 0000"
)
EXAMPLES = {
    RecordFormat.ISO_2005: ISO_2005,
    RecordFormat.ANSI_2004: ANSI_2004,
    RecordFormat.ISO_2011: ISO_2011,
    RecordFormat.ANSI_2009: ANSI_2009,
}
# As published: 341 bytes whose length field says 340.
PUBLISHED_HEADER = "464D5200 20323000 00000154 00B5 0200 0200 00C5 00C5 02 00"


def as_published():
    """The published header and size; one minutia repeated, a block to fill up."""
    rows = "4064 000E 50 5A"
    views = [f"07 00 5A 1B {rows * 27} 0000", f"08 00 5A 16 {rows * 22} 000B"]
    return bytes.fromhex(
        PUBLISHED_HEADER + " ".join(views) + "0100 000B 01020304050607"
    )


@pytest.mark.parametrize("record_format", EXAMPLES)
def test_the_first_minutia_of_the_example_is_read(record_format):
    record, warnings = vars(read_record(EXAMPLES[record_format])).values()
    [view] = record.views
    assert (record.format, warnings) == (record_format, ())
    assert (view.position, view.view_number, view.impression) == (7, 0, 0)
    assert (view.width_px, view.height_px) == (512, 512)
    assert (view.x_px_per_cm, view.y_px_per_cm) == (197, 197)
    assert view.qualities[0].value == 90
    assert view.device.device_id == 0xB5
    [x], [y] = view.minutiae.x, view.minutiae.y
    [kind], [quality] = view.minutiae.kind, view.minutiae.quality
    assert (x, y, kind, quality) == (100, 14, 1, 90)
    is_ansi = record_format in (RecordFormat.ANSI_2004, RecordFormat.ANSI_2009)
    assert view.minutiae.angle_deg[0] == (112.0 if is_ansi else 112.5)


@pytest.mark.parametrize("data", [ISO_2005, ANSI_2004, ISO_2011])
def test_the_example_is_written_as_it_was_read(data):
    assert write_record(read_record(data).record) == data


def test_the_edition_of_2009_is_only_read():
    with pytest.raises(InputError, match="ansi-378-2009 is not written; iso-2005"):
        write_record(read_record(ANSI_2009).record)


def test_the_ids_of_the_ansi_examples_are_read():
    older, later = (read_record(d).record for d in (ANSI_2004, ANSI_2009))
    assert (older.product_owner, older.product_type) == (0x42, 0x11)
    assert (later.product_owner, later.product_type) == (0x42, 0x11)
    assert later.views[0].device == CaptureDevice(0xB5, certification=0x80)
    assert later.views[0].qualities == (FingerQuality(90, 0x0101, 0x21),)


def test_the_example_of_2011_tells_when_and_with_what_it_was_captured():
    [view] = read_record(ISO_2011).record.views
    assert view.captured_at == datetime(2005, 12, 15, 17, 35, 20, tzinfo=UTC)
    assert view.device == CaptureDevice(device_id=0xB5, vendor_id=0xABCD)
    assert view.qualities == (FingerQuality(90, 0xABCD, 0x0123),)
    assert not view.ends_on_ridge


def test_the_published_length_is_one_too_small_and_only_leniently_read():
    data = as_published()
    assert len(data) == 341
    with pytest.raises(InputError, match="byte 8, record length: 340 bytes announced"):
        read_record(data)
    read = read_record(data, lenient=True)
    assert [len(view.minutiae) for view in read.record.views] == [27, 22]
    assert read.record.views[1].extended == (ExtendedBlock(0x100, b"\1\2\3\4\5\6\7"),)
    [warning] = read.warnings
    assert "341 are there" in warning


def test_certifications_follow_the_qualities_if_the_flag_is_set():
    at = ISO_2011.index(bytes.fromhex("0700 00C5"))
    inserted = bytes.fromhex("02 000102 000203")
    data = bytearray(ISO_2011[:at] + inserted + ISO_2011[at:])
    data[8:12] = len(data).to_bytes(4, "big")
    data[14] = 1
    data[15:19] = (len(data) - 15).to_bytes(4, "big")
    record = read_record(bytes(data)).record
    assert record.has_certification
    expected = (DeviceCertification(1, 2), DeviceCertification(2, 3))
    assert record.views[0].certifications == expected
    assert write_record(record) == bytes(data)


def test_minutiae_of_five_bytes_report_no_quality():
    at = ISO_2011.index(bytes.fromhex("6001 4064"))
    data = bytearray(ISO_2011[:at] + bytes.fromhex("5001 4064 000E 50 0000"))
    data[8:12] = len(data).to_bytes(4, "big")
    data[15:19] = (len(data) - 15).to_bytes(4, "big")
    record = read_record(bytes(data)).record
    assert np.array_equal(record.views[0].minutiae.quality, [254])
    assert not record.views[0].has_minutia_quality
    assert write_record(record) == bytes(data)


def test_an_unknown_capture_instant_is_none():
    at = ISO_2011.index(bytes.fromhex("07D50C0F"))
    data = ISO_2011[:at] + b"\xff" * 9 + ISO_2011[at + 9 :]
    record = read_record(data).record
    assert record.views[0].captured_at is None
    assert write_record(record) == data
