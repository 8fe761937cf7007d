import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.records.template import RECORD_LIMIT, decode_template, encode_template
from edge.terms import FaceTemplate, FingerPosition, FingerprintTemplate

MODEL_IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
MINUTIA = st.tuples(
    st.integers(0, 16383),
    st.integers(0, 16383),
    st.floats(0, 6.25, width=32),
    st.integers(1, 2),
    st.integers(1, 100),
)


def finger(rows, model_id="leader", position=FingerPosition.RIGHT_INDEX):
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return FingerprintTemplate(
        position=position,
        model_id=model_id,
        width_px=400,
        height_px=500,
        x=np.array(columns[0], np.int16),
        y=np.array(columns[1], np.int16),
        angle_rad=np.array(columns[2], np.float32),
        kind=np.array(columns[3], np.uint8),
        quality=np.array(columns[4], np.uint8),
    )


def sealed(record):
    return record + struct.pack(">I", zlib.crc32(record))


@given(
    rows=st.lists(MINUTIA, max_size=255),
    model_id=MODEL_IDS.filter(lambda text: len(text) <= 64),
    position=st.sampled_from(FingerPosition),
)
def test_a_fingerprint_comes_back_as_it_was(rows, model_id, position):
    template = finger(rows, model_id, position)
    back = decode_template(encode_template(template))
    assert isinstance(back, FingerprintTemplate)
    assert (back.position, back.model_id) == (position, model_id)
    assert (back.width_px, back.height_px) == (400, 500)
    for name in ("x", "y", "kind", "quality"):
        assert np.array_equal(getattr(back, name), getattr(template, name))
        assert getattr(back, name).dtype == getattr(template, name).dtype
    apart = np.abs(back.angle_rad - template.angle_rad)
    assert np.all(np.minimum(apart, 2 * math.pi - apart) <= math.pi / 1024 + 1e-5)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_a_face_comes_back_bit_by_bit(components):
    template = FaceTemplate("resnet", np.array(components, np.float32))
    back = decode_template(encode_template(template))
    assert isinstance(back, FaceTemplate)
    assert back.vector.dtype == np.float32
    assert back.vector.tobytes() == template.vector.tobytes()


def test_encoding_a_decoded_record_gives_the_same_bytes():
    record = encode_template(finger([(3, 4, 6.2831, 1, 50), (5, 6, 0.1, 2, 100)]))
    assert encode_template(decode_template(record)) == record


def test_forty_minutiae_take_under_270_bytes():
    assert len(encode_template(finger([(1, 2, 3.0, 1, 9)] * 40))) < 270


@given(st.binary(max_size=400))
def test_random_bytes_are_refused(data):
    with pytest.raises(InputError):
        decode_template(data)


@given(modality=st.integers(0, 255), length=st.integers(0, 255), rest=st.binary())
def test_well_sealed_nonsense_is_decoded_or_refused(modality, length, rest):
    record = sealed(b"ET\x01" + bytes([modality, length]) + rest)
    try:
        template = decode_template(record)
    except InputError:
        return
    assert decode_template(encode_template(template)).model_id == template.model_id


@given(st.data())
def test_any_flipped_bit_is_noticed(data):
    record = bytearray(encode_template(finger([(1, 2, 3.0, 1, 9)] * 5)))
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    record[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InputError):
        decode_template(bytes(record))


@given(st.integers(0, 50))
def test_a_truncated_record_is_refused(length):
    with pytest.raises(InputError):
        decode_template(encode_template(finger([(1, 2, 3.0, 1, 9)] * 8))[:length])


def test_an_oversized_record_is_refused_before_it_is_read():
    with pytest.raises(InputError, match="bytes"):
        decode_template(b"ET" + bytes(RECORD_LIMIT))


def test_another_version_is_named():
    with pytest.raises(InputError, match="version 9"):
        decode_template(sealed(b"ET\x09\x02\x01mxxxxxxxx"))


@pytest.mark.parametrize(
    "template",
    [
        finger([(1, 2, 3.0, 1, 9)] * 256),
        finger([(-1, 2, 3.0, 1, 9)]),
        finger([(1, 16384, 3.0, 1, 9)]),
        finger([(1, 2, math.nan, 1, 9)]),
        finger([(1, 2, 3.0, 3, 9)]),
        finger([(1, 2, 3.0, 1, 0)]),
        finger([(1, 2, 3.0, 1, 101)]),
        finger([], model_id=""),
        finger([], model_id="x" * 65),
        finger([], model_id="mödel"),
        FaceTemplate("m", np.zeros(0, np.float32)),
        FaceTemplate("m", np.zeros((2, 2), np.float32)),
        FaceTemplate("m", np.zeros(4097, np.float32)),
        FaceTemplate("m", np.array([math.inf], np.float32)),
    ],
)
def test_a_template_that_does_not_fit_is_not_encoded(template):
    with pytest.raises(InputError):
        encode_template(template)


@pytest.mark.parametrize("row", [b"\x00\x01\x00\x02\x00\x09", b"\x40\x01\x00\x02\x00e"])
def test_a_stored_minutia_of_no_kind_or_impossible_quality_is_refused(row):
    body = struct.pack(">BHHB", 2, 400, 500, 1) + row
    with pytest.raises(InputError, match="kind or quality"):
        decode_template(sealed(b"ET\x01\x01\x01m" + body))
