import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.interchange.detection import detect
from edge.interchange.minutiae_formats import read_record, write_record
from edge.interchange.minutiae_record import RECORD_LIMIT, RecordFormat
from edge.interchange.template_conversion import templates_of

HEADERS = {
    RecordFormat.ISO_2005: "464D5200 20323000 0000002C 00B5 0200 0200 00C5 00C5 01 00",
    RecordFormat.ANSI_2004: "464D5200 20323000 002E 0042 0011 00B5 0200 0200 00C5 00C5"
    "01 00",
    RecordFormat.ISO_2011: "464D5200 30333000 00000044 0001 00 00000035"
    "07D50C0F1123140000 00 ABCD 00B5 01 5AABCD0123 07 00 00C5 00C5 00 0200 0200 60",
    RecordFormat.ANSI_2009: "464D5200 30333000 00000036 0042 0011 80 00B5 01 00"
    "07 00 00 5A 0101 0021 0200 0200 00C5 00C5",
}
VIEW_HEADS = {
    RecordFormat.ISO_2005: "07 00 5A 01",
    RecordFormat.ANSI_2004: "07 00 5A 01",
    RecordFormat.ISO_2011: "01",
    RecordFormat.ANSI_2009: "01",
}
MINUTIA = "4064 000E 38 5A"
BLOCK = "0008 0100 0008 01020304"


def sample(record_format, minutia=MINUTIA, block=BLOCK):
    parts = (HEADERS[record_format], VIEW_HEADS[record_format], minutia, block)
    return bytes.fromhex("".join(parts))


SAMPLES = {record_format: sample(record_format) for record_format in RecordFormat}


def changed(data, offset, values):
    return data[:offset] + bytes(values) + data[offset + len(values) :]


def read_or_refuse(data, *, lenient):
    """Only InputError may leave; what is read must be convertible or refused too."""
    try:
        record = read_record(data, lenient=lenient).record
        templates_of(record)
    except InputError:
        return None
    return record


@pytest.mark.parametrize("record_format", RecordFormat)
def test_the_samples_are_sound(record_format):
    read = read_record(SAMPLES[record_format])
    assert read.record.format is record_format


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("record_format", RecordFormat)
def test_a_record_cut_off_at_any_byte_is_refused(record_format, lenient):
    data = SAMPLES[record_format]
    for size in range(len(data)):
        with pytest.raises(InputError, match="byte"):
            read_record(data[:size], lenient=lenient)


@pytest.mark.parametrize("record_format", RecordFormat)
def test_a_trailing_byte_is_refused_or_noted(record_format):
    data = SAMPLES[record_format] + b"\0"
    with pytest.raises(InputError, match="record length"):
        read_record(data)
    read = read_record(data, lenient=True)
    assert read.record.format is record_format
    assert any("record length" in warning for warning in read.warnings)
    assert any("1 bytes too many" in warning for warning in read.warnings)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), lenient=st.booleans())
def test_changed_bytes_are_read_or_refused(data, lenient):
    record = bytearray(SAMPLES[data.draw(st.sampled_from(RecordFormat))])
    places = st.tuples(st.integers(0, len(record) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, max_size=6)):
        record[place] = value
    read_or_refuse(bytes(record), lenient=lenient)


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from([b"", b"FMR\0", b"FMR\0 20\0", b"FMR\x00030\0"]),
    rest=st.binary(max_size=300),
    lenient=st.booleans(),
)
def test_random_bytes_are_read_or_refused(head, rest, lenient):
    read_or_refuse(head + rest, lenient=lenient)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_a_strict_reader_takes_is_written_as_it_was(records, data):
    encoded = bytearray(write_record(data.draw(records)))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] = data.draw(st.integers(0, 255))
    record = read_or_refuse(bytes(encoded), lenient=False)
    if record is not None and record.format is not RecordFormat.ANSI_2009:
        assert write_record(record) == bytes(encoded)


def test_the_largest_record_of_many_small_views_is_read():
    view = SAMPLES[RecordFormat.ISO_2011][15:]
    count = min((RECORD_LIMIT - 15) // len(view), 0xFFFF)
    size = 15 + count * len(view)
    header = (
        b"FMR\x00030\0" + size.to_bytes(4, "big") + count.to_bytes(2, "big") + b"\0"
    )
    read = read_record(header + view * count, lenient=True)
    assert len(read.record.views) == count
    assert read.warnings  # all of them have the number 0


def test_an_oversized_record_is_refused_unread():
    with pytest.raises(InputError, match="at most"):
        read_record(b"FMR\0 20\0" + bytes(RECORD_LIMIT))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "byte 0, format"),
        (b"RMF\0 20\0", "byte 0, format"),
        (b"FMR\x00040\0" + bytes(40), "byte 4, version"),
        (b"FMR\0 20\0" + bytes(40), "byte 8, record length: impossible"),
    ],
)
def test_what_is_no_record_is_refused_with_its_place(data, expected):
    with pytest.raises(InputError, match=expected):
        detect(data)


@pytest.mark.parametrize(
    "record_format", [RecordFormat.ISO_2005, RecordFormat.ANSI_2004]
)
@pytest.mark.parametrize("off_by", [-1, 1])
def test_a_length_off_by_one_does_not_hide_the_format(record_format, off_by):
    data = SAMPLES[record_format]
    at = 11 if record_format is RecordFormat.ISO_2005 else 9
    data = changed(data, at, [data[at] + off_by])
    assert detect(data) is record_format
    with pytest.raises(InputError, match="byte 8, record length"):
        read_record(data)
    assert read_record(data, lenient=True).warnings


def test_an_iso_angle_in_an_ansi_record_is_refused_even_leniently():
    data = sample(RecordFormat.ANSI_2004, minutia="4064 000E B4 5A")
    for lenient in (False, True):
        with pytest.raises(InputError, match=r"byte 30, angle of minutia 0.*ISO"):
            read_record(data, lenient=lenient)


@pytest.mark.parametrize(
    ("minutia", "field"),
    [
        ("C064 000E 38 5A", "type of minutia 0: 3 is reserved"),
        ("4064 800E 38 5A", "y of minutia 0: reserved bits"),
        ("4064 000E 38 65", "quality of minutia 0: not 0 to 100"),
        ("4064 0200 38 5A", "minutia 0: x 100 y 512 lies outside"),
    ],
)
def test_a_deviating_minutia_is_refused_or_noted_and_kept(minutia, field):
    data = sample(RecordFormat.ISO_2005, minutia=minutia)
    with pytest.raises(InputError, match=field):
        read_record(data)
    read = read_record(data, lenient=True)
    [view] = read.record.views
    assert len(view.minutiae) == 1
    assert view.minutiae.x[0] == 100
    assert view.minutiae.y[0] in (14, 512)
    assert view.minutiae.kind[0] in (0, 1)
    assert view.minutiae.quality[0] in (90, 254)
    assert any(field in warning for warning in read.warnings)


@pytest.mark.parametrize("length", ["0000", "0003", "0009", "FFFF"])
def test_an_impossible_block_length_is_refused_even_leniently(length):
    data = sample(RecordFormat.ISO_2005, block=f"0008 0100 {length} 01020304")
    for lenient in (False, True):
        with pytest.raises(InputError, match="extended block length"):
            read_record(data, lenient=lenient)


def test_bytes_that_are_no_block_are_refused_or_noted():
    data = sample(RecordFormat.ISO_2005, block="0008 0100 0005 01020304")
    with pytest.raises(InputError, match="3 bytes are no block"):
        read_record(data)
    [view] = read_record(data, lenient=True).record.views
    assert view.extended[0].data == b"\1"


@pytest.mark.parametrize(
    ("record_format", "offset", "values", "field"),
    [
        (RecordFormat.ISO_2005, 22, [0], "byte 22, number of views"),
        (RecordFormat.ANSI_2004, 24, [0], "byte 24, number of views"),
        (RecordFormat.ANSI_2009, 19, [0], "byte 19, number of views"),
        (RecordFormat.ISO_2011, 15, [0, 0, 0, 0x37], "representation length"),
        (RecordFormat.ISO_2011, 50, [0x70], "byte 50, minutia size"),
    ],
)
def test_a_broken_structure_is_refused_even_leniently(
    record_format, offset, values, field
):
    data = changed(SAMPLES[record_format], offset, values)
    for lenient in (False, True):
        with pytest.raises(InputError, match=field):
            read_record(data, lenient=lenient)


@pytest.mark.parametrize(
    ("record_format", "offset", "values", "field"),
    [
        (RecordFormat.ISO_2005, 23, [1], "reserved byte"),
        (RecordFormat.ISO_2005, 25, [0x10], "view numbers"),
        (RecordFormat.ISO_2005, 26, [101], "finger quality"),
        (RecordFormat.ISO_2011, 14, [2], "certification flag"),
        (RecordFormat.ISO_2011, 15, [0, 0, 0, 0x34], "representation length"),
        (RecordFormat.ISO_2011, 21, [13], "capture instant"),
        (RecordFormat.ISO_2011, 26, [0x03, 0xE8], "capture instant"),
        (RecordFormat.ISO_2011, 34, [101], "finger quality"),
        (RecordFormat.ISO_2011, 50, [0x62], "ridge ending type"),
        (RecordFormat.ANSI_2009, 24, [253], "finger quality"),
    ],
)
def test_a_deviating_field_is_refused_or_noted(record_format, offset, values, field):
    data = changed(SAMPLES[record_format], offset, values)
    with pytest.raises(InputError, match=field):
        read_record(data)
    read = read_record(data, lenient=True)
    assert any(field in warning for warning in read.warnings)
    assert read.record.format is record_format
