"""Which face of an image was searched with, written and read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.records.searched_face import decode_searched_face, encode_searched_face
from edge.terms import (
    FaceBox,
    PresentationDecision,
    PresentationVerdict,
    SearchedFace,
)

FACE = SearchedFace(
    FaceBox(-3.5, 10.0, 99.5, 120.0),
    640,
    480,
    is_picked=True,
    presentation=PresentationVerdict(PresentationDecision.ATTACK, 0.25, 0.5),
)


@pytest.mark.parametrize(
    "presentation", [None, PresentationVerdict(), FACE.presentation]
)
def test_what_is_written_is_read(presentation):
    face = SearchedFace(FACE.box, 640, 480, False, presentation)
    assert decode_searched_face(encode_searched_face(face)) == face


def test_the_score_says_its_direction_in_its_name():
    written = json.loads(encode_searched_face(FACE))["presentation"]
    assert written == {"decision": "attack", "bona_fide_score": 0.25, "threshold": 0.5}


def altered(**changes):
    record = json.loads(encode_searched_face(FACE))
    record.update(changes)
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"[" * 1900, "not JSON"),
        (b"x" * 3000, "3000 bytes"),
        (b"[]", "not a map"),
        (altered(v=2), "version 2"),
        (altered(face={"left_px": 1.0}), "top_px is missing"),
        (altered(image_width_px=-1), "image_width_px"),
        (altered(picked_by_officer=1), "picked_by_officer"),
        (altered(presentation={"decision": "sure"}), "PresentationDecision"),
        (altered(extra=1), "unknown key extra"),
    ],
)
def test_a_damaged_record_is_refused_by_name(data, message):
    with pytest.raises(MessageError, match=message):
        decode_searched_face(data)


@pytest.mark.parametrize("score", ["NaN", "1e999", "true", "7", '"7"'])
def test_a_score_that_is_no_finite_number_is_refused(score):
    text = encode_searched_face(FACE).decode().replace("0.25", score)
    with pytest.raises(MessageError, match="bona_fide_score"):
        decode_searched_face(text.encode())


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data):
    with pytest.raises(MessageError):
        decode_searched_face(data)
