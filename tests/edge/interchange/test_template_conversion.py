import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.interchange.minutiae_formats import (
    WRITABLE_FORMATS,
    converted,
    read_record,
    write_record,
)
from edge.interchange.minutiae_record import (
    ExtendedBlock,
    FingerQuality,
    FingerView,
    MinutiaColumns,
    RecordFormat,
)
from edge.interchange.template_conversion import (
    FOREIGN_MODEL_ID,
    MODEL_BLOCK,
    RESOLUTION_PPI,
    UNCHANGED_WITHIN_PPI,
    UNREPORTED_QUALITY,
    record_of,
    template_of,
    templates_of,
)
from edge.recognition.fingerprint import image
from edge.records.template import decode_template, encode_template
from edge.terms import FingerPosition, FingerprintTemplate


def foreign_view(rows=((10, 20, 90.0, 1, 50),), **changes):
    x, y, angle, kind, quality = zip(*rows, strict=True)
    values = {
        "position": 7,
        "view_number": 0,
        "width_px": 400,
        "height_px": 500,
        "x_px_per_cm": 197,
        "y_px_per_cm": 197,
        "minutiae": MinutiaColumns(
            x=np.array(x, np.uint16),
            y=np.array(y, np.uint16),
            angle_deg=np.array(angle, np.float64),
            kind=np.array(kind, np.uint8),
            quality=np.array(quality, np.uint8),
        ),
    }
    return FingerView(**(values | changes))


def own_template(count, quality):
    spread = np.arange(count)
    return FingerprintTemplate(
        position=FingerPosition.LEFT_INDEX,
        model_id="leader",
        width_px=2000,
        height_px=2000,
        x=spread.astype(np.int16),
        y=spread.astype(np.int16),
        angle_rad=np.zeros(count, np.float32),
        kind=np.ones(count, np.uint8),
        quality=np.asarray(quality, np.uint8),
    )


def exchanged(template, record_format):
    data = write_record(record_of(template, record_format))
    [back] = templates_of(read_record(data).record)
    return back


@settings(max_examples=60, deadline=None)
@given(data=st.data(), record_format=st.sampled_from(WRITABLE_FORMATS))
def test_a_template_loses_only_what_the_angles_step_rounds(
    templates, data, record_format
):
    template = data.draw(templates)
    back = exchanged(template, record_format)
    for name in ("position", "model_id", "width_px", "height_px"):
        assert getattr(back, name) == getattr(template, name)
    for name in ("x", "y", "kind", "quality"):
        assert np.array_equal(getattr(back, name), getattr(template, name))
        assert getattr(back, name).dtype == getattr(template, name).dtype
    apart = np.abs(back.angle_rad - template.angle_rad)
    step = 2 if record_format is RecordFormat.ANSI_2004 else 360 / 256
    half = math.radians(step / 2) + 1e-6
    assert np.all(np.minimum(apart, 2 * math.pi - apart) <= half)
    assert back.angle_rad.dtype == np.float32
    decode_template(encode_template(back))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_record_becomes_storable_templates_or_is_refused(records, data):
    try:
        templates = templates_of(data.draw(records))
    except InputError:
        return
    for template in templates:
        back = decode_template(encode_template(template))
        assert len(back) == len(template)


def test_the_resolution_of_the_templates_is_that_of_recognition():
    assert image.RESOLUTION_PPI == RESOLUTION_PPI
    assert image.UNCHANGED_WITHIN_PPI == UNCHANGED_WITHIN_PPI


@pytest.mark.parametrize("px_per_cm", [195, 196, 197, 198])
def test_a_resolution_near_500_ppi_moves_nothing(px_per_cm):
    view = foreign_view(x_px_per_cm=px_per_cm, y_px_per_cm=px_per_cm)
    template = template_of(view)
    assert (template.x[0], template.y[0]) == (10, 20)
    assert (template.width_px, template.height_px) == (400, 500)


@pytest.mark.parametrize(("px_per_cm", "factor"), [(394, 0.5), (98, 2)])
def test_other_resolutions_are_scaled_to_500_ppi(px_per_cm, factor):
    rows = ((300, 400, 45.0, 1, 50), (101, 33, 0.0, 2, 40))
    view = foreign_view(rows, x_px_per_cm=px_per_cm, y_px_per_cm=px_per_cm)
    template = template_of(view)
    assert np.abs(template.x - factor * np.array([300, 101])).max() <= 1 + factor
    assert np.abs(template.y - factor * np.array([400, 33])).max() <= 1 + factor
    assert template.angle_rad[0] == np.float32(math.pi / 4)
    assert abs(template.width_px - 400 * factor) <= 2 * factor


def test_unequal_resolutions_turn_the_directions():
    view = foreign_view(((100, 100, 45.0, 1, 50),), y_px_per_cm=394)
    template = template_of(view)
    assert (template.x[0], template.y[0]) == (100, 50)
    assert template.angle_rad[0] == pytest.approx(math.atan(0.5), abs=2e-3)


@pytest.mark.parametrize("px_per_cm", [0, 20, 97, 395, 500, 65535])
def test_pixels_per_mm_or_inch_are_not_taken_for_pixels_per_cm(px_per_cm):
    with pytest.raises(InputError, match=r"view 0: x resolution.*500 ppi is 197"):
        template_of(foreign_view(x_px_per_cm=px_per_cm), "view 0")


def test_a_coordinate_beyond_the_template_is_refused():
    view = foreign_view(((9000, 1, 0.0, 1, 1),), x_px_per_cm=98, y_px_per_cm=98)
    with pytest.raises(InputError, match="image width: 18"):
        template_of(view)


def test_a_minutia_outside_the_image_widens_it():
    template = template_of(foreign_view(((450, 20, 0.0, 1, 50),)))
    assert (template.width_px, template.height_px) == (451, 500)


def test_foreign_minutiae_come_strongest_first():
    qualities = (10, 254, 0, 90, 255, 90)
    rows = tuple((i, i, 0.0, 1, q) for i, q in enumerate(qualities))
    template = template_of(foreign_view(rows))
    unreported = UNREPORTED_QUALITY
    assert list(template.quality) == [90, 90, unreported, unreported, 10, 1]
    assert list(template.x) == [3, 5, 1, 4, 0, 2]
    assert template.model_id == FOREIGN_MODEL_ID


def test_a_minutia_of_another_kind_becomes_an_ending():
    rows = tuple((i, i, 0.0, kind, 50) for i, kind in enumerate((0, 1, 2)))
    assert list(template_of(foreign_view(rows)).kind) == [1, 1, 2]


def test_of_more_than_255_minutiae_the_weakest_are_left_out():
    quality = np.full(300, 50)
    quality[:40] = 10
    [view] = record_of(own_template(300, quality), RecordFormat.ISO_2005).views
    assert len(view.minutiae) == 255
    assert np.count_nonzero(view.minutiae.quality == 50) == 255
    assert list(view.minutiae.x) == list(range(40, 295))


def test_our_block_carries_the_model_id_through_all_formats():
    record = record_of(own_template(3, [9, 8, 7]), RecordFormat.ISO_2011)
    for record_format in WRITABLE_FORMATS:
        data = write_record(converted(record, record_format))
        [back] = templates_of(read_record(data).record)
        assert back.model_id == "leader"


def test_without_our_block_a_template_is_foreign():
    record = record_of(own_template(3, [9, 8, 7]), RecordFormat.ISO_2005)
    view = replace(record.views[0], extended=())
    assert template_of(view).model_id == FOREIGN_MODEL_ID


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"edge-template",
        b"edge-template\0\x01",
        b"edge-template\0\x02leader",
        b"edge-template\0\x01" + b"x" * 65,
        b"edge-template\0\x01\xff",
        b"edge-template\0\x01a\nb",
        b"another maker's",
    ],
)
def test_a_block_of_our_number_that_is_not_ours_means_nothing(data):
    view = foreign_view(extended=(ExtendedBlock(MODEL_BLOCK, data),))
    assert template_of(view).model_id == FOREIGN_MODEL_ID


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, FingerPosition.UNKNOWN),
        (10, FingerPosition.LEFT_LITTLE),
        (11, FingerPosition.RIGHT_THUMB),
        (12, FingerPosition.LEFT_THUMB),
        (18, FingerPosition.UNKNOWN),
    ],
)
def test_a_single_finger_has_its_position(code, expected):
    assert template_of(foreign_view(position=code)).position is expected


@pytest.mark.parametrize("code", [13, 14, 15, 21, 40, 81, 255])
def test_several_fingers_and_palms_are_refused(code):
    with pytest.raises(InputError, match=f"finger position {code} is no single"):
        template_of(foreign_view(position=code))


def test_quality_and_instant_of_the_capture_are_written():
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    template = own_template(1, [50])
    record = record_of(
        template, RecordFormat.ISO_2011, finger_quality=80, captured_at=at
    )
    [view] = read_record(write_record(record)).record.views
    assert view.qualities == (FingerQuality(80),)
    assert view.captured_at == at
    assert not record_of(template, RecordFormat.ISO_2011).views[0].qualities


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x": np.array([-1], np.int16)}, "outside of its image"),
        ({"y": np.array([2000], np.int16)}, "outside of its image"),
        ({"angle_rad": np.array([math.inf], np.float32)}, "no number"),
        ({"model_id": ""}, "model id"),
        ({"model_id": "x" * 65}, "model id"),
        ({"model_id": "mödel"}, "model id"),
    ],
)
def test_a_template_that_makes_no_record_is_refused(changes, expected):
    template = replace(own_template(1, [50]), **changes)
    with pytest.raises(InputError, match=expected):
        record_of(template, RecordFormat.ISO_2005)
