"""Takes biometrics and passwords out of a recorded byte stream, length and damage kept.

Commands, acknowledges and packet headers pass; the content of data packets becomes
white pixels, a password zero. Bytes of no recognized packet are blanked too: after a
lost byte they may be pixels. A checksum that was wrong stays wrong.
"""

from __future__ import annotations

from typing import Final

from firmware_bridge.commands import SetPwd, VfyPwd
from firmware_bridge.framing import BOOT_BYTE, HEADER, PacketId, checksum

_PREFIX_BYTES: Final = 9
_WHITE: Final = 0xFF
_BLANK: Final = 0x00
_SECRET_INSTRUCTIONS: Final = (
    bytes([SetPwd.instruction]),
    bytes([VfyPwd.instruction]),
)


class PayloadMask:
    """One per direction; feed() takes chunks of any size and returns as many bytes."""

    def __init__(self) -> None:
        self._frame = bytearray()  # the frame so far, as received
        self._length = 0

    def feed(self, data: bytes) -> bytes:
        return bytes(self._mask(byte) for byte in data)

    def _mask(self, byte: int) -> int:
        position = len(self._frame)
        if position < len(HEADER):
            return self._look_for_header(byte)
        self._frame.append(byte)
        if position < _PREFIX_BYTES - 1:
            return byte
        if position == _PREFIX_BYTES - 1:
            self._length = int.from_bytes(self._frame[7:9], "big")
            if not 2 <= self._length <= 258:
                self._frame.clear()
            return byte
        return self._mask_body(byte, position)

    def _look_for_header(self, byte: int) -> int:
        if byte == HEADER[len(self._frame)]:
            self._frame.append(byte)
            return byte
        self._frame.clear()
        if byte == HEADER[0]:
            self._frame.append(byte)
            return byte
        return byte if byte == BOOT_BYTE else _BLANK

    def _mask_body(self, byte: int, position: int) -> int:
        pid = self._frame[6]
        checksum_at = _PREFIX_BYTES + self._length - 2
        content = bytes(self._frame[_PREFIX_BYTES:checksum_at])
        masked_content = _masked(pid, content)
        if position < checksum_at:
            return masked_content[-1]
        shift = 8 if position == checksum_at else 0
        damage = byte ^ (checksum(pid, content) >> shift & 0xFF)
        if len(self._frame) == _PREFIX_BYTES + self._length:
            self._frame.clear()
        return (checksum(pid, masked_content) >> shift & 0xFF) ^ damage


def _masked(pid: int, content: bytes) -> bytes:
    if pid == PacketId.ACKNOWLEDGE:
        return content
    if pid != PacketId.COMMAND:
        return bytes([_WHITE]) * len(content)
    if content[:1] in _SECRET_INSTRUCTIONS:
        return content[:1] + bytes(len(content) - 1)
    return content
