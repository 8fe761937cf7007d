"""Every message is read as it was written, and nothing else is read."""

from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.records.message_map import type_of
from edge.sync.messages import (
    Answer,
    AnswerOutcome,
    AuditExtract,
    AuditLine,
    ChunkMessage,
    ChunkRequest,
    Command,
    Content,
    Health,
    Holding,
    Instruction,
    LinkState,
    ManifestRequest,
    OutboxEnvelope,
    Receipt,
    ReceiptItem,
    ReceiptOutcome,
    Resend,
    TrustRequest,
    Void,
    WatchlistRequest,
    WithdrawnEntry,
)

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
DIGEST = bytes(range(32))
PLACE = {"booth_id": "b-1", "stream": "0" * 16, "sequence": 1, "message_id": "m-1"}

EXAMPLES = [
    OutboxEnvelope(**PLACE, key=bytes(8), sealed=b"sealed"),
    Content(**PLACE, kind="hit", created_at=AT, body=b"body"),
    Receipt(
        booth_id="b-1",
        stream="0" * 16,
        items=[
            ReceiptItem(
                sequence=1,
                message_id="m-1",
                digest=DIGEST,
                outcome=ReceiptOutcome.DUPLICATE,
            )
        ],
        issued_at=AT,
    ),
    WatchlistRequest(booth_id="b-1", after=0, chain=bytes(32), limit=256),
    ManifestRequest(booth_id="b-1", after=7),
    ChunkRequest(booth_id="b-1", digests=[DIGEST]),
    TrustRequest(booth_id="b-1"),
    ChunkMessage(digest=DIGEST, data=b"data"),
    Holding(
        log="ab" * 16,
        sequence=3,
        chain=DIGEST,
        digest=DIGEST,
        count=2,
        withdrawn=[WithdrawnEntry(sequence=3, entry_id="e1")],
        at=AT,
    ),
    Void(reason="outbox over its limit"),
    Health(
        at=AT,
        watchlist_sequence=3,
        head_issued_at=None,
        outbox_depth=0,
        disk_free_bytes=10**12,
        clock_is_trusted=True,
        software="0.1.0",
        counts={"clear": 4},
    ),
    AuditExtract(
        first=1,
        last=1,
        hash=DIGEST,
        lines=[
            AuditLine(number=1, at="x", actor="a", action="b", subject="c", hash=DIGEST)
        ],
    ),
    Answer(command_id="c-1", outcome=AnswerOutcome.DONE, detail=""),
    Command(
        command_id="c-1",
        booth_id="b-1",
        kind="test",
        issued_at=AT,
        expires_at=AT + timedelta(hours=1),
        body=b"",
    ),
    Instruction(hit_id="h-1", text="Hold."),
    Resend(stream="0" * 16, ranges=[[1, 2], [5, 5]]),
    LinkState(online=True, instance="ab12", connection=3),
]
NAMES = [type(message).__name__ for message in EXAMPLES]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("message", EXAMPLES, ids=NAMES)
def test_a_message_is_read_as_it_was_written(message):
    data = message.encode()
    assert type(message).decode(data) == message
    assert cbor2.dumps(cbor2.loads(data), canonical=True) == data


@pytest.mark.parametrize("message", EXAMPLES, ids=NAMES)
def test_a_field_that_is_missing_or_unknown_is_refused(message):
    fields = cbor2.loads(message.encode())
    for name in fields:
        less = {key: value for key, value in fields.items() if key != name}
        with pytest.raises(MessageError, match=message.type_name):
            type(message).decode(cbor2.dumps(less))
    with pytest.raises(MessageError, match="extra"):
        type(message).decode(cbor2.dumps({**fields, "extra": 1}))


@pytest.mark.parametrize("message", EXAMPLES, ids=NAMES)
@given(data=st.data())
def test_a_field_with_anything_else_in_it_is_read_or_refused(message, data):
    fields = cbor2.loads(message.encode())
    name = data.draw(st.sampled_from(sorted(fields)))
    changed = cbor2.dumps({**fields, name: data.draw(JUNK)})
    try:
        read = type(message).decode(changed)
    except MessageError:
        return
    assert type(message).decode(read.encode()) == read


@pytest.mark.parametrize("message", EXAMPLES, ids=NAMES)
def test_another_type_or_version_is_refused(message):
    fields = cbor2.loads(message.encode())
    for change in ({"type": "other"}, {"v": 2}, {"v": True}):
        with pytest.raises(MessageError):
            type(message).decode(cbor2.dumps({**fields, **change}))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    for message in EXAMPLES:
        with pytest.raises(MessageError):
            type(message).decode(data)


@pytest.mark.parametrize(
    "change",
    [
        {"booth_id": "hub"},
        {"booth_id": "Booth"},
        {"stream": "0" * 15},
        {"sequence": 0},
        {"sequence": 2**63},
        {"message_id": "a/b"},
        {"message_id": "x" * 101},
    ],
    ids=repr,
)
def test_a_name_that_no_topic_or_store_can_hold_is_refused(change):
    fields = cbor2.loads(EXAMPLES[1].encode())
    with pytest.raises(MessageError):
        Content.decode(cbor2.dumps({**fields, **change}))


@pytest.mark.parametrize("ranges", [[[2, 1]], [[0, 1]], [[1]], [[1, 2]] * 65, []])
def test_a_range_that_is_none_is_refused(ranges):
    fields = cbor2.loads(EXAMPLES[-2].encode())
    with pytest.raises(MessageError):
        Resend.decode(cbor2.dumps({**fields, "ranges": ranges}))


def test_what_follows_a_message_and_tags_inside_are_refused():
    data = LinkState(online=True, instance="ab", connection=1).encode()
    with pytest.raises(MessageError, match="follows"):
        LinkState.decode(data + b"\x00")
    tagged = cbor2.dumps({**cbor2.loads(data), "instance": cbor2.CBORTag(0, "ab")})
    with pytest.raises(MessageError):
        LinkState.decode(tagged)


def test_a_message_over_the_limit_is_not_read():
    with pytest.raises(MessageError, match="allowed"):
        Void.decode(bytes(100), limit=99)


@pytest.mark.parametrize(("depth", "is_read"), [(4, True), (5, False)])
def test_endless_nesting_stops_at_the_depth_that_the_document_names(depth, is_read):
    # The map itself is the first level.
    nested = b"\x81" * depth + b"\x00"
    data = b"\xa2" + cbor2.dumps("type") + cbor2.dumps("x") + cbor2.dumps("y") + nested
    if is_read:
        assert type_of(data) == "x"
    else:
        with pytest.raises(MessageError, match="not readable as CBOR"):
            type_of(data)
