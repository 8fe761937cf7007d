"""Minutiae packed into three words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint.packed import (
    ANGLE_STEPS,
    MOST_MINUTIAE,
    WORDS,
    pack,
)
from edge.records.template import decode_template, encode_template

STEP_RAD = 2 * np.pi / ANGLE_STEPS
minutia = st.tuples(
    st.integers(0, 16383),
    st.integers(0, 16383),
    st.integers(0, ANGLE_STEPS - 1),
    st.integers(1, 2),
    st.integers(1, 100),
)


def _columns(rows):
    return np.array(rows, np.int64).reshape(-1, 5).T


def _unpacked(words):
    words = words.astype(np.int64)
    step = words[:, 1] >> 14 | words[:, 2] >> 8 << 2
    return np.stack(
        [
            words[:, 0] & 0x3FFF,
            words[:, 1] & 0x3FFF,
            step,
            words[:, 0] >> 14,
            words[:, 2] & 0xFF,
        ]
    )


@given(rows=st.lists(minutia, max_size=MOST_MINUTIAE))
@settings(max_examples=100, deadline=None)
def test_what_is_packed_is_all_there_and_in_order(template_of, rows):
    x, y, step, kind, quality = _columns(rows)
    packed = pack(template_of(x, y, step * STEP_RAD, kind, quality))
    assert (packed.dtype, packed.shape) == (np.uint16, (len(rows), WORDS))
    assert (_unpacked(packed) == _columns(rows)).all()


@given(rows=st.lists(minutia, max_size=200))
@settings(max_examples=50, deadline=None)
def test_a_template_from_a_record_packs_as_it_did_before(template_of, rows):
    x, y, step, kind, quality = _columns(rows)
    # A quarter of a step off: what no record keeps.
    template = template_of(x, y, step * STEP_RAD + STEP_RAD / 4, kind, quality)
    template = replace(template, width_px=16383, height_px=16383)
    read = decode_template(encode_template(template))
    assert (pack(read) == pack(template)).all()


def test_an_angle_just_below_a_full_turn_becomes_0(template_of):
    packed = pack(template_of([1], [2], [2 * np.pi - 1e-4]))
    assert _unpacked(packed)[2] == 0


def test_of_too_many_minutiae_the_strongest_stay_in_their_order(template_of):
    rng = np.random.default_rng(3)
    count = 255
    quality = rng.permutation(np.arange(count) % 100 + 1)
    template = template_of(
        np.arange(count), np.zeros(count), np.zeros(count), None, quality
    )
    kept = _unpacked(pack(template))
    assert kept.shape[1] == MOST_MINUTIAE
    assert (np.diff(kept[0]) > 0).all()
    left_out = np.setdiff1d(np.arange(count), kept[0])
    assert quality[left_out].max() <= kept[4].min()


def test_exactly_as_many_as_allowed_all_stay(template_of):
    places = np.arange(MOST_MINUTIAE)
    assert len(pack(template_of(places, places, np.zeros(MOST_MINUTIAE)))) == len(
        places
    )


def test_places_outside_of_what_fits_are_moved_to_the_rim(template_of):
    packed = pack(template_of([-5, 20000], [-1, 32767], [0, 0]))
    assert _unpacked(packed)[:2].tolist() == [[0, 16383], [0, 16383]]
