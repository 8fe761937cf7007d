import math
from dataclasses import fields
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.interchange.detection import detect
from edge.interchange.minutiae_formats import (
    WRITABLE_FORMATS,
    converted,
    read_record,
    write_record,
)
from edge.interchange.minutiae_record import (
    ExtendedBlock,
    FingerMinutiaeRecord,
    FingerQuality,
    FingerView,
    MinutiaColumns,
    RecordFormat,
)

COLUMNS = [column.name for column in fields(MinutiaColumns)]


def columns(count, **changes):
    values = {
        "x": np.arange(count, dtype=np.uint16),
        "y": np.arange(count, dtype=np.uint16),
        "angle_deg": np.arange(count) * 90.0 % 360,
        "kind": np.ones(count, np.uint8),
        "quality": np.full(count, 50, np.uint8),
    }
    return MinutiaColumns(**(values | changes))


def view(count=3, **changes):
    values = {
        "position": 2,
        "view_number": 0,
        "width_px": 500,
        "height_px": 500,
        "x_px_per_cm": 197,
        "y_px_per_cm": 197,
        "minutiae": columns(count),
        "qualities": (FingerQuality(60),),
    }
    return FingerView(**(values | changes))


def record(*views, record_format=RecordFormat.ISO_2005, **changes):
    return FingerMinutiaeRecord(record_format, views, **changes)


def read_back(value):
    return read_record(write_record(value)).record


def assert_same_views(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        for name in (f.name for f in fields(FingerView) if f.name != "minutiae"):
            assert getattr(a, name) == getattr(b, name), name
        for name in COLUMNS:
            assert np.array_equal(getattr(a.minutiae, name), getattr(b.minutiae, name))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_record_comes_back_as_it_was(records, data):
    original = data.draw(records)
    encoded = write_record(original)
    assert detect(encoded) is original.format
    read = read_record(encoded)
    assert read.warnings == ()
    assert_same_views(read.record.views, original.views)
    for name in ("product_owner", "product_type", "has_certification"):
        assert getattr(read.record, name) == getattr(original, name)
    assert write_record(read.record) == encoded


@pytest.mark.parametrize("record_format", WRITABLE_FORMATS)
@pytest.mark.parametrize("count", [0, 1, 255])
def test_none_and_most_minutiae_come_back(record_format, count):
    [back] = read_back(record(view(count), record_format=record_format)).views
    assert len(back.minutiae) == count


def test_more_than_255_minutiae_are_not_written():
    with pytest.raises(InputError, match="256 minutiae"):
        write_record(record(view(256)))


def test_an_ansi_record_over_64_kb_has_the_long_length():
    block = ExtendedBlock(0x200, bytes(40_000))
    views = [view(3, position=i, extended=(block,)) for i in (1, 2)]
    value = record(*views, record_format=RecordFormat.ANSI_2004)
    data = write_record(value)
    assert data[8:10] == b"\0\0"
    assert int.from_bytes(data[10:14], "big") == len(data) > 0xFFFF
    assert_same_views(read_back(value).views, value.views)


def test_all_views_of_a_record_are_read():
    views = [view(2, view_number=i) for i in range(3)] + [view(1, position=3)]
    back = read_back(record(*views))
    assert [(v.position, v.view_number) for v in back.views] == [
        (2, 0),
        (2, 1),
        (2, 2),
        (3, 0),
    ]


def test_unknown_blocks_are_kept_by_their_length():
    blocks = (ExtendedBlock(0x1234, b"abc"), ExtendedBlock(7, b""))
    [back] = read_back(record(view(extended=blocks))).views
    assert back.extended == blocks


@pytest.mark.parametrize("record_format", WRITABLE_FORMATS)
@given(degrees=st.floats(0, 360, width=32))
def test_an_angle_is_off_by_half_a_step_at_most(record_format, degrees):
    value = view(1, minutiae=columns(1, angle_deg=np.array([degrees])))
    [back] = read_back(record(value, record_format=record_format)).views
    apart = abs(back.minutiae.angle_deg[0] - degrees)
    step = 2 if record_format is RecordFormat.ANSI_2004 else 360 / 256
    assert min(apart, 360 - apart) <= step / 2
    assert 0 <= back.minutiae.angle_deg[0] < 360


@pytest.mark.parametrize("degrees", [359.9, 360.0, -0.1])
def test_what_rounds_to_a_full_turn_is_written_as_zero(degrees):
    value = view(1, minutiae=columns(1, angle_deg=np.array([degrees])))
    assert read_back(record(value)).views[0].minutiae.angle_deg[0] == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 255))
def test_between_iso_and_ansi_an_angle_moves_by_a_degree_at_most(code):
    degrees = code * 360 / 256
    value = record(view(1, minutiae=columns(1, angle_deg=np.array([degrees]))))
    ansi = read_back(converted(value, RecordFormat.ANSI_2004))
    apart = abs(ansi.views[0].minutiae.angle_deg[0] - degrees)
    assert min(apart, 360 - apart) <= 1
    iso = read_back(converted(ansi, RecordFormat.ISO_2005))
    apart = abs(iso.views[0].minutiae.angle_deg[0] - degrees)
    # Two degrees are the coarser step: no angle moves by more than one of the finer.
    assert math.isclose(min(apart, 360 - apart), 0) or apart in (360 / 256, 358.59375)


def test_quality_not_reported_is_0_before_2011_and_a_real_0_becomes_1():
    qualities = np.array([0, 1, 100, 254, 255], np.uint8)
    value = view(5, minutiae=columns(5, quality=qualities))
    [later] = read_back(record(value, record_format=RecordFormat.ISO_2011)).views
    assert np.array_equal(later.minutiae.quality, qualities)
    [older] = read_back(record(value)).views
    assert np.array_equal(older.minutiae.quality, [1, 1, 100, 254, 254])


@pytest.mark.parametrize("value", [0, 77, 100])
def test_the_finger_quality_comes_back(value):
    original = view(qualities=(FingerQuality(value, 0x0101, 0x37),))
    [older] = read_back(record(original)).views
    assert older.qualities == (FingerQuality(value),)
    [later] = read_back(record(original, record_format=RecordFormat.ISO_2011)).views
    assert later.qualities == original.qualities


def test_a_finger_quality_that_failed_has_no_place_before_2011():
    original = view(qualities=(FingerQuality(255),))
    [later] = read_back(record(original, record_format=RecordFormat.ISO_2011)).views
    assert later.qualities == (FingerQuality(255),)
    [older] = read_back(record(original)).views
    assert older.qualities == (FingerQuality(0),)


@pytest.mark.parametrize(
    ("code", "source", "target", "expected"),
    [
        (9, RecordFormat.ANSI_2004, RecordFormat.ISO_2011, 24),
        (9, RecordFormat.ANSI_2004, RecordFormat.ISO_2005, 0),
        (9, RecordFormat.ISO_2005, RecordFormat.ANSI_2004, 1),
        (24, RecordFormat.ISO_2011, RecordFormat.ANSI_2004, 9),
        (21, RecordFormat.ISO_2011, RecordFormat.ISO_2005, 1),
        (29, RecordFormat.ISO_2011, RecordFormat.ISO_2005, 0),
        (8, RecordFormat.ISO_2005, RecordFormat.ANSI_2004, 8),
    ],
)
def test_impressions_keep_their_meaning_between_formats(code, source, target, expected):
    value = record(view(impression=code), record_format=source)
    assert read_back(converted(value, target)).views[0].impression == expected


def test_blocks_that_formats_spell_differently_are_left_out():
    blocks = tuple(ExtendedBlock(kind, b"\0") for kind in (1, 2, 3, 0x100))
    value = converted(record(view(extended=blocks)), RecordFormat.ISO_2011)
    assert [block.kind for block in value.views[0].extended] == [1, 0x100]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (record(), "0 views"),
        (record(view(view_number=1)), "numbered 0, 1, 2"),
        (record(view(), view()), "numbered 0, 1, 2"),
        (record(view(), view(position=3, width_px=400)), "differ in device"),
        (record(view(position=256)), "finger position 256"),
        (record(view(impression=16)), "impression code 16; this format holds 0 to 15"),
        (record(view(width_px=70_000)), "image width 70000"),
        (record(view(qualities=(FingerQuality(-1),))), "finger quality -1"),
        (
            record(
                view(qualities=(FingerQuality(101),)),
                record_format=RecordFormat.ISO_2011,
            ),
            "finger quality 101",
        ),
        (record(view(extended=(ExtendedBlock(256, bytes(65_535)),))), "block length"),
        (record(view(1, minutiae=columns(1, kind=np.array([3])))), "out of range"),
        (record(view(1, minutiae=columns(1, x=np.array([16384])))), "x of a minutia"),
        (record(view(1, minutiae=columns(1, y=np.array([-1])))), "y of a minutia"),
        (record(view(1, minutiae=columns(1, quality=np.array([101])))), "out of range"),
        (
            record(view(1, minutiae=columns(1, angle_deg=np.array([math.nan])))),
            "out of range",
        ),
    ],
)
def test_what_has_no_place_in_the_format_is_not_written(value, expected):
    with pytest.raises(InputError, match=expected):
        write_record(value)


def test_a_capture_instant_without_a_zone_is_not_written():
    value = record(
        view(captured_at=datetime(2026, 1, 2)),  # noqa: DTZ001  what is tested
        record_format=RecordFormat.ISO_2011,
    )
    with pytest.raises(InputError, match="no time zone"):
        write_record(value)


def test_a_record_of_its_own_format_is_converted_to_itself():
    value = record(view())
    assert converted(value, RecordFormat.ISO_2005) is value
    assert converted(value, RecordFormat.ISO_2011) is not value
