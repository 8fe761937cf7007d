"""What a module answers: the acknowledge packet and the results it may carry."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from firmware_bridge.codes import ConfirmationCode, error_for
from firmware_bridge.errors import ProtocolError

BAUD_UNIT: Final = 9600
PACKET_SIZES: Final = (32, 64, 128, 256)


@dataclass(frozen=True)
class Acknowledgement:
    """Content of an acknowledge packet. code may be a value that no manual lists."""

    code: int
    payload: bytes = b""

    def encode(self) -> bytes:
        return bytes([self.code]) + self.payload

    @classmethod
    def decode(cls, content: bytes) -> Self:
        if not content:
            raise ProtocolError("acknowledge: no confirmation code")
        return cls(content[0], content[1:])

    @property
    def is_ok(self) -> bool:
        return self.code == ConfirmationCode.OK

    def require_ok(self, doing: str) -> Self:
        """Return itself, or raise the DeviceError that the code stands for."""
        if not self.is_ok:
            raise error_for(self.code, doing)
        return self


def _unpack(layout: str, payload: bytes, what: str) -> tuple[int, ...]:
    if len(payload) != struct.calcsize(layout):
        raise ProtocolError(
            f"{what}: {len(payload)} bytes, expected {struct.calcsize(layout)}"
        )
    return struct.unpack(layout, payload)


@dataclass(frozen=True)
class SystemParameters:
    """Answer to ReadSysPara, 16 bytes."""

    layout: ClassVar[str] = ">HHHHIHH"
    status: int
    system_id: int
    library_size: int
    security_level: int
    address: int
    packet_size_code: int
    baud_multiple: int

    def encode(self) -> bytes:
        return struct.pack(
            self.layout,
            self.status,
            self.system_id,
            self.library_size,
            self.security_level,
            self.address,
            self.packet_size_code,
            self.baud_multiple,
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(*_unpack(cls.layout, payload, "ReadSysPara"))

    @property
    def packet_size_bytes(self) -> int:
        """Raise ProtocolError if the code is not 0 to 3."""
        if self.packet_size_code >= len(PACKET_SIZES):
            raise ProtocolError(
                f"ReadSysPara: packet size code {self.packet_size_code}"
            )
        return PACKET_SIZES[self.packet_size_code]

    @property
    def baud(self) -> int:
        return self.baud_multiple * BAUD_UNIT


@dataclass(frozen=True)
class SearchResult:
    """Answer to Search and HiSpeedSearch."""

    page_id: int
    score: int

    def encode(self) -> bytes:
        return struct.pack(">HH", self.page_id, self.score)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(*_unpack(">HH", payload, "Search"))


@dataclass(frozen=True)
class MatchResult:
    score: int

    def encode(self) -> bytes:
        return struct.pack(">H", self.score)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(*_unpack(">H", payload, "Match"))


@dataclass(frozen=True)
class TemplateCount:
    count: int

    def encode(self) -> bytes:
        return struct.pack(">H", self.count)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        return cls(*_unpack(">H", payload, "TemplateNum"))


@dataclass(frozen=True)
class IndexTable:
    """Slots in use of one page of 256; slot numbers are within the page."""

    used: frozenset[int]

    def encode(self) -> bytes:
        bits = sum(1 << slot for slot in self.used)
        return bits.to_bytes(32, "little")

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        if len(payload) != 32:
            raise ProtocolError(f"ReadIndexTable: {len(payload)} bytes, expected 32")
        bits = int.from_bytes(payload, "little")
        return cls(frozenset(slot for slot in range(256) if bits >> slot & 1))
