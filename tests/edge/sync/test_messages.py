import contextlib
from datetime import UTC, datetime

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.sync.messages import (
    MAX_CHANGES,
    MAX_MESSAGE_BYTES,
    MAX_PAYLOAD_BYTES,
    MAX_SEQUENCE,
    Head,
    LinkState,
    OutboxEnvelope,
    Receipt,
    ReceiptOutcome,
    WatchlistBatch,
    WatchlistRequest,
)

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
booth_ids = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,62}\Z").filter(lambda b: b != "hub")
message_ids = st.from_regex(r"\A[A-Za-z0-9._:-]{1,100}\Z")
cursors = st.integers(0, MAX_SEQUENCE)
sequences = st.integers(1, MAX_SEQUENCE)
instants = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001  the strategy wants a naive bound
    datetime(9999, 12, 30),  # noqa: DTZ001  as above
    timezones=st.just(UTC),
)
messages = st.one_of(
    st.builds(
        OutboxEnvelope,
        message_id=message_ids,
        booth_id=booth_ids,
        sequence=sequences,
        kind=st.from_regex(r"\A[a-z][a-z0-9_.-]{0,31}\Z"),
        created_at=instants,
        payload=st.binary(max_size=300),
    ),
    st.builds(
        Receipt,
        message_id=message_ids,
        booth_id=booth_ids,
        sequence=sequences,
        outcome=st.sampled_from(ReceiptOutcome),
        issued_at=instants,
    ),
    st.builds(
        WatchlistRequest,
        booth_id=booth_ids,
        after=cursors,
        limit=st.integers(1, MAX_CHANGES),
    ),
    st.builds(
        WatchlistBatch,
        booth_id=booth_ids,
        after=cursors,
        head=cursors,
        changes=st.lists(st.binary(max_size=50), max_size=8),
    ),
    st.builds(Head, sequence=cursors, announced_at=instants),
    st.builds(
        LinkState,
        online=st.booleans(),
        instance=st.from_regex(r"\A[0-9a-f]{1,32}\Z"),
        connection=cursors,
    ),
)
kinds = [OutboxEnvelope, Receipt, WatchlistRequest, WatchlistBatch, Head, LinkState]


def envelope(**changes):
    fields = {
        "message_id": "m-1",
        "booth_id": "booth-1",
        "sequence": 1,
        "kind": "hit",
        "created_at": AT,
        "payload": b"p",
    }
    return OutboxEnvelope(**{**fields, **changes})


@given(messages)
def test_a_message_survives_the_wire(message):
    assert type(message).decode(message.encode()) == message


@given(st.sampled_from(kinds), st.binary(max_size=200))
def test_random_bytes_are_refused_with_a_message_error_only(kind, data):
    with pytest.raises(MessageError):
        kind.decode(data)


@given(messages, st.sampled_from(kinds), st.data())
def test_a_damaged_message_is_read_or_refused_and_never_raises_else(
    message, kind, data
):
    raw = bytearray(message.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MessageError):
        kind.decode(bytes(raw))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=12,
    )
)
def test_well_formed_cbor_of_another_shape_is_refused(value):
    for kind in kinds:
        with pytest.raises(MessageError):
            kind.decode(cbor2.dumps(value))


def test_one_kind_of_message_is_not_read_as_another():
    with pytest.raises(MessageError, match="type"):
        Receipt.decode(envelope().encode())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"v": 2}, "version 2"),
        ({"v": True}, "version True"),
        ({"sequence": 0}, "sequence"),
        ({"sequence": 1.0}, "plain"),
        ({"sequence": True}, "sequence"),
        ({"sequence": 2**63}, "sequence"),
        ({"booth_id": "hub"}, "booth_id"),
        ({"booth_id": "a/#"}, "booth_id"),
        ({"booth_id": b"booth-1"}, "booth_id"),
        ({"message_id": "x" * 101}, "message_id"),
        ({"created_at": -1}, "created_at"),
        ({"created_at": 2**62}, "created_at"),
        ({"created_at": AT}, "plain"),
        ({"payload": "text"}, "payload"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_field_that_cannot_be_is_named(change, problem):
    body = {**cbor2.loads(envelope().encode()), **change}
    with pytest.raises(MessageError, match=problem):
        OutboxEnvelope.decode(cbor2.dumps(body))


def test_a_missing_field_is_named():
    body = cbor2.loads(envelope().encode())
    del body["kind"]
    with pytest.raises(MessageError, match="kind"):
        OutboxEnvelope.decode(cbor2.dumps(body))


def test_too_long_a_message_is_refused_before_it_is_parsed():
    with pytest.raises(MessageError, match="bytes"):
        OutboxEnvelope.decode(bytes(MAX_MESSAGE_BYTES + 1))


def test_the_largest_payload_fits_into_the_largest_message():
    raw = envelope(payload=bytes(MAX_PAYLOAD_BYTES), message_id="m" * 100).encode()
    assert len(raw) <= MAX_MESSAGE_BYTES
    with pytest.raises(ValueError, match="payload"):
        envelope(payload=bytes(MAX_PAYLOAD_BYTES + 1))


def test_duplicate_keys_and_deep_nesting_are_refused():
    with pytest.raises(MessageError):
        Head.decode(b"\xa2\x61v\x01\x61v\x01")
    with pytest.raises(MessageError):
        Head.decode(b"\x81" * 5000)


def test_a_text_key_outside_the_message_cannot_forge_a_line():
    with pytest.raises(MessageError) as refusal:
        Head.decode(cbor2.dumps({"v": 1, "type": "head", "a\nb": 1}))
    assert "\n" not in str(refusal.value)
