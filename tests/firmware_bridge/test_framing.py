from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.codes import ConfirmationCode, error_class_for, error_for
from firmware_bridge.errors import CommandRefusedError, VendorSpecificError
from firmware_bridge.framing import Frame, FrameDecoder, PacketId, encode_frame

ACK = Frame(PacketId.ACKNOWLEDGE, b"\x00")
ACK_BYTES = encode_frame(ACK)
LARGEST_UNFINISHED = 9 + 258 - 1

frames = st.builds(
    Frame, st.sampled_from(PacketId), st.binary(min_size=1, max_size=256)
)


def _all(decoder: FrameDecoder, data: bytes) -> list[Frame]:
    return decoder.feed(data) + decoder.flush()


@given(st.lists(frames, max_size=5), st.integers(1, 50))
def test_frames_survive_any_cutting_into_reads(sent, size):
    stream = b"".join(encode_frame(frame) for frame in sent)
    decoder = FrameDecoder()
    received = []
    for start in range(0, len(stream), size):
        received += decoder.feed(stream[start : start + size])
    assert received == sent
    assert decoder.noise_bytes == decoder.damaged_frames == 0


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_garbage_neither_raises_nor_piles_up(chunks):
    decoder = FrameDecoder()
    for chunk in chunks:
        decoder.feed(chunk)
        assert decoder.pending_bytes <= LARGEST_UNFINISHED
    decoder.flush()
    assert decoder.pending_bytes == 0


headers = st.sampled_from([b"\xef\x01", b"\xef\x01\xff\xff\xff\xff", ACK_BYTES[:8]])


@given(st.lists(st.one_of(st.binary(max_size=30), headers), max_size=6))
def test_a_good_frame_behind_garbage_is_found(garbage):
    data = b"".join(garbage) + ACK_BYTES
    assert _all(FrameDecoder(), data)[-1] == ACK


@given(frames, st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_never_passes_as_another_frame(frame, position, mask):
    data = bytearray(encode_frame(frame))
    data[position % len(data)] ^= mask
    assert all(other == frame for other in _all(FrameDecoder(), bytes(data)))


def test_a_boot_byte_and_stray_bytes_before_the_header_are_skipped():
    decoder = FrameDecoder()
    assert decoder.feed(b"\x55" + b"\x00\xef\xef\x55" + ACK_BYTES) == [ACK]
    assert decoder.noise_bytes == 5


def test_two_packets_in_one_read_are_two_frames():
    assert FrameDecoder().feed(ACK_BYTES * 2) == [ACK, ACK]


def test_a_packet_from_another_address_is_ignored():
    foreign = encode_frame(Frame(PacketId.ACKNOWLEDGE, b"\x00", address=1))
    assert _all(FrameDecoder(), foreign + ACK_BYTES) == [ACK]
    assert len(FrameDecoder(None).feed(foreign + ACK_BYTES)) == 2


def test_a_bad_checksum_is_counted_and_the_next_frame_found():
    bad = ACK_BYTES[:-1] + b"\x0b"
    decoder = FrameDecoder()
    assert _all(decoder, bad + ACK_BYTES) == [ACK]
    assert decoder.damaged_frames == 1


@pytest.mark.parametrize("length", [0, 1, 2, 259, 0xFFFF])
def test_an_impossible_length_is_refused_at_once(length):
    bad = ACK_BYTES[:7] + length.to_bytes(2, "big")
    decoder = FrameDecoder()
    decoder.feed(bad)
    assert decoder.damaged_frames == 1
    assert decoder.feed(ACK_BYTES) == [ACK]


def test_the_longest_packet_has_256_bytes_of_content():
    longest = Frame(PacketId.DATA, bytes(256))
    assert FrameDecoder().feed(encode_frame(longest)) == [longest]
    with pytest.raises(ValueError, match="limit"):
        encode_frame(Frame(PacketId.DATA, bytes(257)))


def test_an_end_packet_may_be_empty():
    empty = Frame(PacketId.END, b"")
    assert FrameDecoder().feed(encode_frame(empty)) == [empty]


@given(st.integers(1, 255))
def test_every_code_but_zero_is_an_error(code):
    error = error_for(code, "GenImg")
    assert error.code == code
    assert f"{code:02X}h" in str(error)


def test_a_code_outside_the_table_is_vendor_specific():
    known = {int(code) for code in ConfirmationCode}
    for code in set(range(256)) - known:
        assert error_class_for(code) is VendorSpecificError
    assert error_class_for(ConfirmationCode.NO_MATCH) is CommandRefusedError
