"""One frozen dataclass per command of the EF01 protocol, with encode and decode.

Destructive commands are here for the wire and the emulator; the Scanner never sends
Empty, SetPwd or SetAddr.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum
from typing import ClassVar, Final

from firmware_bridge.errors import ProtocolError


class SystemParameter(IntEnum):
    BAUD = 4
    SECURITY_LEVEL = 5
    PACKET_SIZE = 6


@dataclass(frozen=True)
class Command:
    """instruction: the first content byte. layout: struct format of the fields."""

    instruction: ClassVar[int] = -1
    layout: ClassVar[str] = ""

    def encode(self) -> bytes:
        """Return the content of the command's packet."""
        return bytes([self.instruction]) + struct.pack(
            ">" + self.layout, *astuple(self)
        )


@dataclass(frozen=True)
class GenImg(Command):
    instruction = 0x01


@dataclass(frozen=True)
class Img2Tz(Command):
    instruction = 0x02
    layout = "B"
    buffer: int


@dataclass(frozen=True)
class Match(Command):
    instruction = 0x03


@dataclass(frozen=True)
class Search(Command):
    instruction = 0x04
    layout = "BHH"
    buffer: int
    start: int
    count: int


@dataclass(frozen=True)
class RegModel(Command):
    instruction = 0x05


@dataclass(frozen=True)
class Store(Command):
    instruction = 0x06
    layout = "BH"
    buffer: int
    page_id: int


@dataclass(frozen=True)
class LoadChar(Command):
    instruction = 0x07
    layout = "BH"
    buffer: int
    page_id: int


@dataclass(frozen=True)
class UpChar(Command):
    instruction = 0x08
    layout = "B"
    buffer: int


@dataclass(frozen=True)
class UpImage(Command):
    instruction = 0x0A


@dataclass(frozen=True)
class DeletChar(Command):
    instruction = 0x0C
    layout = "HH"
    page_id: int
    count: int


@dataclass(frozen=True)
class Empty(Command):
    instruction = 0x0D


@dataclass(frozen=True)
class SetSysPara(Command):
    instruction = 0x0E
    layout = "BB"
    parameter: int
    value: int


@dataclass(frozen=True)
class ReadSysPara(Command):
    instruction = 0x0F


@dataclass(frozen=True)
class SetPwd(Command):
    instruction = 0x12
    layout = "I"
    password: int


@dataclass(frozen=True)
class VfyPwd(Command):
    instruction = 0x13
    layout = "I"
    password: int


@dataclass(frozen=True)
class GetRandomCode(Command):
    instruction = 0x14


@dataclass(frozen=True)
class SetAddr(Command):
    instruction = 0x15
    layout = "I"
    address: int


@dataclass(frozen=True)
class WriteNotepad(Command):
    instruction = 0x18
    layout = "B32s"
    page: int
    text: bytes


@dataclass(frozen=True)
class ReadNotepad(Command):
    instruction = 0x19
    layout = "B"
    page: int


@dataclass(frozen=True)
class HiSpeedSearch(Command):
    instruction = 0x1B
    layout = "BHH"
    buffer: int
    start: int
    count: int


@dataclass(frozen=True)
class TemplateNum(Command):
    instruction = 0x1D


@dataclass(frozen=True)
class ReadIndexTable(Command):
    instruction = 0x1F
    layout = "B"
    page: int


@dataclass(frozen=True)
class GetImageEx(Command):
    instruction = 0x28


@dataclass(frozen=True)
class Cancel(Command):
    instruction = 0x30


@dataclass(frozen=True)
class AuraLedConfig(Command):
    instruction = 0x35
    layout = "BBBB"
    control: int
    speed: int
    colour: int
    count: int


@dataclass(frozen=True)
class CheckSensor(Command):
    instruction = 0x36


@dataclass(frozen=True)
class ReadProdInfo(Command):
    """On an R558 this code is LED control: send it to known models only."""

    instruction = 0x3C


@dataclass(frozen=True)
class SoftRst(Command):
    instruction = 0x3D


@dataclass(frozen=True)
class HandShake(Command):
    instruction = 0x40


@dataclass(frozen=True)
class LedOn(Command):
    instruction = 0x50


@dataclass(frozen=True)
class LedOff(Command):
    instruction = 0x51


@dataclass(frozen=True)
class GetEcho(Command):
    """ZFM-60/70: the confirmation byte is 55h, not 00, when the module is alive."""

    instruction = 0x53


COMMANDS: Final[dict[int, type[Command]]] = {
    kind.instruction: kind for kind in Command.__subclasses__()
}


def decode_command(content: bytes) -> Command:
    """Return the command that a packet's content stands for.

    Raises:
        ProtocolError: the instruction is unknown or its parameters have another length.
    """
    kind = COMMANDS.get(content[0]) if content else None
    if kind is None:
        raise ProtocolError(f"command: unknown instruction in {content[:1].hex()!r}")
    layout = ">" + kind.layout
    if len(content) - 1 != struct.calcsize(layout):
        raise ProtocolError(
            f"command {kind.__name__}: {len(content) - 1} parameter bytes, "
            f"expected {struct.calcsize(layout)}"
        )
    return kind(*struct.unpack(layout, content[1:]))
