import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.simulate import mqtt5_packets as mqtt


def one_packet(data):
    buffer = bytearray(data)
    packet = mqtt.take_packet(buffer)
    assert not buffer
    return packet


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.binary(max_size=300),
    st.booleans(),
    st.integers(0, 65535),
)
def test_a_publication_is_read_as_it_was_written(topic, payload, retain, packet_id):
    publication = mqtt.Publication(topic, payload, retain, packet_id)
    packet = one_packet(mqtt.write_publish(publication))
    assert packet.kind == mqtt.PUBLISH
    assert mqtt.read_publish(packet) == publication


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_an_unfinished_one_or_a_message_error(data):
    buffer = bytearray(data)
    try:
        while packet := mqtt.take_packet(buffer):
            if packet.kind == mqtt.CONNECT:
                mqtt.read_connect(packet.body)
            elif packet.kind == mqtt.PUBLISH:
                mqtt.read_publish(packet)
            elif packet.kind in (mqtt.SUBSCRIBE, mqtt.UNSUBSCRIBE):
                mqtt.read_filters(packet)
            else:
                mqtt.read_packet_id(packet.body)
    except MessageError:
        pass


def test_a_packet_that_claims_too_much_is_refused_before_it_is_there():
    with pytest.raises(MessageError, match="allowed"):
        mqtt.take_packet(bytearray(b"\x30\xff\xff\xff\x7f"))
    with pytest.raises(MessageError, match="four bytes"):
        mqtt.take_packet(bytearray(b"\x30\xff\xff\xff\xff\x01"))


def test_an_unfinished_packet_stays_in_the_buffer():
    whole = mqtt.write_publish(mqtt.Publication("a/b", bytes(200)))
    for end in range(len(whole)):
        buffer = bytearray(whole[:end])
        assert mqtt.take_packet(buffer) is None
        assert len(buffer) == end


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("edge/hub/head", "edge/hub/head", True),
        ("edge/hub/head", "edge/hub/heads", False),
        ("edge/+/up/outbox", "edge/booth-1/up/outbox", True),
        ("edge/+/up/outbox", "edge/booth-1/x/up/outbox", False),
        ("edge/booth-1/down/#", "edge/booth-1/down/receipt", True),
        ("edge/booth-1/down/#", "edge/booth-1/down", True),
        ("edge/booth-1/down/#", "edge/booth-2/down/receipt", False),
        ("#", "anything", True),
    ],
)
def test_a_topic_filter_covers_what_the_standard_says(pattern, topic, matches):
    assert mqtt.topic_matches(pattern, topic) is matches
