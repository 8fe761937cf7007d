"""Records and templates as Hypothesis draws them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import strategies as st

from edge.interchange.minutiae_record import (
    CaptureDevice,
    DeviceCertification,
    ExtendedBlock,
    FingerMinutiaeRecord,
    FingerQuality,
    FingerView,
    MinutiaColumns,
    RecordFormat,
)
from edge.terms import FingerPosition, FingerprintTemplate

U16 = st.integers(0, 0xFFFF)
RESOLUTIONS = st.just(197) | st.integers(98, 394) | U16
BLOCKS = st.lists(
    st.builds(ExtendedBlock, U16, st.binary(max_size=40)), max_size=3
).map(tuple)
INSTANTS = st.datetimes(
    min_value=datetime(1, 1, 1),  # noqa: DTZ001  Hypothesis adds the zone
    max_value=datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
FORMATS = (RecordFormat.ISO_2005, RecordFormat.ISO_2011, RecordFormat.ANSI_2004)


@st.composite
def drawn_columns(draw, record_format, width, height):
    count = draw(st.integers(0, 255))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    is_ansi = record_format is RecordFormat.ANSI_2004
    is_later = record_format is RecordFormat.ISO_2011
    qualities = np.array([*range(0 if is_later else 1, 101), 254])
    codes = 180 if is_ansi else 256
    return MinutiaColumns(
        x=random.integers(0, width, count).astype(np.uint16),
        y=random.integers(0, height, count).astype(np.uint16),
        angle_deg=random.integers(0, codes, count) * (360 / codes),
        kind=random.integers(0, 3, count).astype(np.uint8),
        quality=random.choice(qualities, count).astype(np.uint8),
    )


@st.composite
def drawn_records(draw, record_format):
    is_later = record_format is RecordFormat.ISO_2011
    width, height = draw(st.tuples(st.integers(1, 16384), st.integers(1, 16384)))
    shared = {
        "width_px": width,
        "height_px": height,
        "x_px_per_cm": draw(RESOLUTIONS),
        "y_px_per_cm": draw(RESOLUTIONS),
        "device": CaptureDevice(draw(st.integers(0, 4095)), certification=draw(NIBBLE)),
    }
    own = {}
    is_certified = is_later and draw(st.booleans())
    if is_later:
        shared["device"] = CaptureDevice(draw(U16), draw(U16), draw(BYTE))
        own["captured_at"] = st.none() | INSTANTS
        own["ends_on_ridge"] = st.booleans()
        quality = st.builds(FingerQuality, st.integers(0, 100), U16, U16)
        own["qualities"] = st.lists(quality, max_size=3).map(tuple)
        if is_certified:
            one = st.builds(DeviceCertification, U16, BYTE)
            own["certifications"] = st.lists(one, max_size=3).map(tuple)
    else:
        own["qualities"] = st.integers(0, 100).map(lambda q: (FingerQuality(q),))
    views = tuple(
        draw(
            st.builds(
                FingerView,
                position=st.just(position),
                view_number=st.just(0),
                minutiae=drawn_columns(record_format, width, height),
                impression=BYTE if is_later else NIBBLE,
                extended=BLOCKS,
                **{name: st.just(value) for name, value in shared.items()},
                **own,
            )
        )
        for position in draw(st.lists(BYTE, unique=True, min_size=1, max_size=3))
    )
    is_ansi = record_format is RecordFormat.ANSI_2004
    return FingerMinutiaeRecord(
        record_format,
        views,
        product_owner=draw(U16) if is_ansi else 0,
        product_type=draw(U16) if is_ansi else 0,
        has_certification=is_certified,
    )


@st.composite
def drawn_templates(draw):
    count = draw(st.integers(0, 255))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    width, height = draw(st.integers(1, 2000)), draw(st.integers(1, 2000))
    full_turn = np.nextafter(np.float32(2 * np.pi), np.float32(0))
    angle = random.uniform(0, 2 * np.pi, count).astype(np.float32)
    return FingerprintTemplate(
        position=draw(st.sampled_from(FingerPosition)),
        model_id=draw(st.sampled_from(["leader", "other-net v2", "iso-19794-2"])),
        width_px=width,
        height_px=height,
        x=random.integers(0, width, count).astype(np.int16),
        y=random.integers(0, height, count).astype(np.int16),
        angle_rad=np.minimum(angle, full_turn),
        kind=random.integers(1, 3, count).astype(np.uint8),
        quality=-np.sort(-random.integers(1, 101, count)).astype(np.uint8),
    )


BYTE, NIBBLE = st.integers(0, 255), st.integers(0, 15)


@pytest.fixture(scope="session")
def records():
    return st.sampled_from(FORMATS).flatmap(drawn_records)


@pytest.fixture(scope="session")
def templates():
    return drawn_templates()
