from dataclasses import replace
from datetime import timedelta

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.records import changes as change_records
from edge.records import decisions as decision_records
from edge.records import hits as hit_records
from edge.records.changes import decode_change, encode_change
from edge.records.decisions import decode_decision, encode_decision
from edge.records.hits import decode_hit, encode_hit

DECODERS = pytest.mark.parametrize(
    "decode", [decode_change, decode_hit, decode_decision]
)
KEYS = (
    st.sampled_from(
        ["v", "sequence", "operation", "entry_id", "entry", "references", "changed_at"]
    )
    | st.sampled_from(
        ["hit_id", "check_id", "booth_id", "occurred_at", "candidates", "evidence"]
    )
    | st.sampled_from(["officer", "verdict", "reason", "note", "at", "number", "state"])
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**5000, 10**5000 + 9)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.just("2026-03-01T12:00:00+00:00"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.data())
def test_a_change_comes_back_as_it_was(changes, data):
    change = data.draw(changes)
    back = decode_change(encode_change(change))
    assert replace(back, references=()) == replace(change, references=())
    for one, other in zip(back.references, change.references, strict=True):
        same = replace(one, template=other.template)
        assert same == other
        assert np.array_equal(one.template.vector, other.template.vector)


@given(st.data())
def test_a_hit_comes_back_as_it_was(hits, data):
    hit = data.draw(hits)
    assert decode_hit(encode_hit(hit)) == hit


@given(st.data())
def test_a_decision_comes_back_as_it_was(decisions, data):
    decision = data.draw(decisions)
    assert decode_decision(encode_decision(decision)) == decision


@given(data=st.data())
def test_a_decision_with_a_field_of_anything_is_decoded_or_refused(decisions, data):
    value = cbor2.loads(encode_decision(data.draw(decisions)))
    value[data.draw(st.sampled_from(sorted(value)))] = data.draw(VALUES)
    try:
        decision = decode_decision(cbor2.dumps(value))
    except MessageError:
        return
    assert decode_decision(encode_decision(decision)) == decision


@settings(max_examples=20)
@given(st.data())
def test_a_decision_cut_off_short_of_a_field_or_with_one_more_is_refused(
    decisions, data
):
    record = encode_decision(data.draw(decisions))
    value = cbor2.loads(record)
    with pytest.raises(MessageError, match="unknown key surplus"):
        decode_decision(cbor2.dumps(value | {"surplus": 1}))
    del value[data.draw(st.sampled_from(sorted(value)))]
    with pytest.raises(MessageError, match="missing"):
        decode_decision(cbor2.dumps(value))
    with pytest.raises(MessageError):
        decode_decision(record[: data.draw(st.integers(0, len(record) - 1))])


@pytest.mark.parametrize(
    "wrong",
    [{"v": 2}, {"number": 0}, {"number": 3}, {"state": "undecided"}, {"verdict": ""}],
)
@settings(max_examples=3)
@given(data=st.data())
def test_a_decision_that_decides_nothing_is_refused(decisions, wrong, data):
    value = cbor2.loads(encode_decision(data.draw(decisions)))
    with pytest.raises(MessageError):
        decode_decision(cbor2.dumps(value | wrong))


@settings(max_examples=20)
@given(st.data())
def test_a_hit_that_is_no_drill_has_the_bytes_that_older_hubs_read(hits, data):
    hit = replace(data.draw(hits), is_drill=False)
    assert "is_drill" not in cbor2.loads(encode_hit(hit))


@settings(max_examples=20)
@given(st.data())
def test_a_hit_of_a_booth_that_knows_no_samples_is_read(hits, data):
    hit = data.draw(hits)
    value = cbor2.loads(encode_hit(hit))
    for candidate in value["candidates"]:
        del candidate["samples"]
    decoded = decode_hit(cbor2.dumps(value))
    assert [c.entry_id for c in decoded.candidates] == [
        c.entry_id for c in hit.candidates
    ]
    assert all(candidate.samples == () for candidate in decoded.candidates)


@DECODERS
@given(data=st.binary(max_size=300))
def test_random_bytes_are_refused(decode, data):
    with pytest.raises(MessageError):
        decode(data)


@DECODERS
@given(value=st.dictionaries(KEYS, VALUES))
def test_maps_of_anything_are_refused(decode, value):
    with pytest.raises(MessageError):
        decode(cbor2.dumps({"v": 1} | value))


@given(data=st.data())
def test_any_one_field_replaced_by_anything_is_decoded_or_refused(changes, data):
    value = cbor2.loads(encode_change(data.draw(changes)))
    value[data.draw(st.sampled_from(sorted(value)))] = data.draw(VALUES)
    try:
        change = decode_change(cbor2.dumps(value))
    except MessageError:
        return
    assert (
        decode_change(encode_change(change)).changed_at - change.changed_at
        == timedelta()
    )


@given(data=st.data())
def test_a_missing_an_unknown_and_a_cut_off_field_are_refused(hits, data):
    record = encode_hit(data.draw(hits))
    value = cbor2.loads(record)
    with pytest.raises(MessageError, match="unknown key surplus"):
        decode_hit(cbor2.dumps(value | {"surplus": 1}))
    needed = sorted(set(value) - {"is_drill"})
    del value[data.draw(st.sampled_from(needed))]
    with pytest.raises(MessageError, match="missing"):
        decode_hit(cbor2.dumps(value))
    with pytest.raises(MessageError):
        decode_hit(record[: data.draw(st.integers(0, len(record) - 1))])
    with pytest.raises(MessageError, match="too many"):
        decode_hit(record + b"\x00")


@pytest.mark.parametrize(
    ("decode", "limit"),
    [
        (decode_change, change_records.CHANGE_LIMIT),
        (decode_hit, hit_records.HIT_LIMIT),
        (decode_decision, decision_records.DECISION_LIMIT),
    ],
)
def test_an_oversized_record_is_refused_before_it_is_read(decode, limit):
    with pytest.raises(MessageError, match="allowed"):
        decode(bytes(limit + 1))


@DECODERS
@pytest.mark.parametrize(
    "data",
    [
        b"\x9f" * 5_000,  # lists in lists without end
        b"\xbb" + b"\xff" * 8,  # a map of 2**64 - 1 pairs
        b"\x5b" + b"\x7f" + b"\xff" * 7,  # a string of 2**63 bytes
        b"\xd8\x1c\x81\xd8\x1d\x00",  # a list that holds itself
    ],
)
def test_bytes_made_to_exhaust_the_decoder_are_refused(decode, data):
    with pytest.raises(MessageError):
        decode(data)


def with_pair(plain, pair):
    """Return a map with one more pair in front."""
    return bytes([plain[0] + 1]) + pair + plain[1:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: with_pair(plain, b"\x61v\x01"),
        lambda plain: with_pair(plain, b"\x61x" + b"\x81" * 9 + b"\x00"),
        lambda plain: with_pair(plain, b"\x81\x01\x01"),
        lambda plain: b"\xbf" + plain[1:] + b"\xff",
    ],
    ids=["a key twice", "too deep", "a list for a key", "no length"],
)
@given(data=st.data())
@settings(max_examples=5)
def test_a_hit_in_loose_encoding_is_refused(hits, spoil, data):
    with pytest.raises(MessageError, match="not CBOR"):
        decode_hit(spoil(encode_hit(data.draw(hits))))


@DECODERS
def test_an_integer_too_long_to_print_is_refused(decode):
    with pytest.raises(MessageError, match="64 bits"):
        decode(cbor2.dumps({"v": 10**6000}))
