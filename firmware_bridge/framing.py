"""Bytes in, frames out: the packet layer of the EF01 protocol. Pure, no I/O.

A frame is EF 01 | address u32 | packet id u8 | length u16 | content | checksum u16,
big endian. length counts content and checksum; the checksum is the sum of packet id,
length and content modulo 65536 (ZFM and R503 user manuals).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEADER: Final = b"\xef\x01"
DEFAULT_ADDRESS: Final = 0xFFFFFFFF
BOOT_BYTE: Final = 0x55
MAX_CONTENT_BYTES: Final = 256
OVERHEAD_BYTES: Final = 11
_PREFIX_BYTES: Final = 9
_CHECKSUM_BYTES: Final = 2


class PacketId(IntEnum):
    COMMAND = 0x01
    DATA = 0x02
    ACKNOWLEDGE = 0x07
    END = 0x08


_PACKET_IDS: Final = frozenset(int(pid) for pid in PacketId)
# A command names its instruction and an acknowledge its code; data may be empty.
_MAY_BE_EMPTY: Final = frozenset({int(PacketId.DATA), int(PacketId.END)})


@dataclass(frozen=True)
class Frame:
    pid: PacketId
    content: bytes
    address: int = DEFAULT_ADDRESS


def checksum(pid: int, content: bytes) -> int:
    length = len(content) + _CHECKSUM_BYTES
    return (pid + (length >> 8) + (length & 0xFF) + sum(content)) & 0xFFFF


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame.

    Raises:
        ValueError: the content is longer than the protocol allows.
    """
    if len(frame.content) > MAX_CONTENT_BYTES:
        msg = f"content of {len(frame.content)} bytes; the limit is {MAX_CONTENT_BYTES}"
        raise ValueError(msg)
    prefix = struct.pack(
        ">2sIBH",
        HEADER,
        frame.address,
        frame.pid,
        len(frame.content) + _CHECKSUM_BYTES,
    )
    tail = struct.pack(">H", checksum(frame.pid, frame.content))
    return prefix + frame.content + tail


class FrameDecoder:
    """Finds frames in a stream that may hold noise, boot bytes and damaged frames.

    Only frames with the given address come out (None accepts any). It never raises and
    never keeps more than one unfinished frame. After a damaged frame the search goes on
    one byte behind its header, so a good frame inside is found.
    """

    def __init__(self, address: int | None = DEFAULT_ADDRESS) -> None:
        self._address = None if address is None else address.to_bytes(4, "big")
        self._buffer = bytearray()
        self.noise_bytes = 0
        self.damaged_frames = 0

    @property
    def pending_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept, at most 266."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes of any number and return the frames they complete."""
        self._buffer += data
        frames = []
        while (frame := self._next_frame()) is not None:
            frames.append(frame)
        return frames

    def flush(self) -> list[Frame]:
        """Give up the unfinished frame: the line fell silent in the middle of it.

        Returns the good frames that its bytes hid, if its header was noise.
        """
        frames: list[Frame] = []
        while self._buffer:
            self.damaged_frames += len(self._buffer) >= _PREFIX_BYTES
            self._drop(1)
            frames += self.feed(b"")
        return frames

    def reset(self) -> None:
        self._buffer.clear()

    def _next_frame(self) -> Frame | None:
        while True:
            self._skip_to_header()
            if not self._prefix_is_plausible():
                self._drop(1)
                continue
            if len(self._buffer) < _PREFIX_BYTES:
                return None
            pid, length = struct.unpack_from(">BH", self._buffer, 6)
            minimum = _CHECKSUM_BYTES + (pid not in _MAY_BE_EMPTY)
            if not minimum <= length <= MAX_CONTENT_BYTES + _CHECKSUM_BYTES:
                self._drop_damaged()
                continue
            end = _PREFIX_BYTES + length
            if len(self._buffer) < end:
                return None
            content = bytes(self._buffer[_PREFIX_BYTES : end - _CHECKSUM_BYTES])
            (received,) = struct.unpack_from(">H", self._buffer, end - _CHECKSUM_BYTES)
            if received != checksum(pid, content):
                self._drop_damaged()
                continue
            address = int.from_bytes(self._buffer[2:6], "big")
            del self._buffer[:end]
            return Frame(PacketId(pid), content, address)

    def _skip_to_header(self) -> None:
        start = self._buffer.find(HEADER)
        if start < 0:
            # The last byte may be the first half of a header.
            start = len(self._buffer) - self._buffer.endswith(HEADER[:1])
        if start:
            self._drop(start)

    def _prefix_is_plausible(self) -> bool:
        if self._address is not None:
            arrived = bytes(self._buffer[2:6])
            if not self._address.startswith(arrived):
                return False
        return len(self._buffer) <= 6 or self._buffer[6] in _PACKET_IDS

    def _drop_damaged(self) -> None:
        self.damaged_frames += 1
        self._drop(1)

    def _drop(self, count: int) -> None:
        self.noise_bytes += count
        del self._buffer[:count]
