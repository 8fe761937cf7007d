"""What can go wrong on a line and in a module, scripted for the emulator.

Byte faults stand at an offset in what the emulator sends, counted from the moment they
are added. Answer faults wait for an instruction (None: any) and apply to its next
`times` occurrences. NoisyPort spoils a line at random, from a seed.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware_bridge.byte_port import BytePort


@dataclass(frozen=True)
class ByteFault:
    at: int


@dataclass(frozen=True)
class DropByte(ByteFault):
    pass


@dataclass(frozen=True)
class DoubleByte(ByteFault):
    pass


@dataclass(frozen=True)
class FlipBits(ByteFault):
    mask: int = 0x01


@dataclass(frozen=True)
class InsertBytes(ByteFault):
    data: bytes = b"\x55"


@dataclass(frozen=True)
class Stall(ByteFault):
    seconds: float = 0.2


@dataclass(frozen=True)
class UnplugAtByte(ByteFault):
    """The cable is pulled before this byte is sent."""


@dataclass(frozen=True)
class AnswerFault:
    instruction: int | None = None
    times: int = 1


@dataclass(frozen=True)
class AnswerCode(AnswerFault):
    code: int = 0x03


@dataclass(frozen=True)
class StaySilent(AnswerFault):
    pass


@dataclass(frozen=True)
class WrongChecksum(AnswerFault):
    """packet 0 is the acknowledge, 1 the first data packet."""

    packet: int = 0


@dataclass(frozen=True)
class UnplugOnCommand(AnswerFault):
    """The cable is pulled before the command is answered."""


class Upload(Enum):
    MISSING_END = auto()
    EMPTY_END = auto()
    DATA_AFTER_END = auto()
    DATA_BEFORE_ACKNOWLEDGE = auto()
    SHORT = auto()
    MIXED_PACKET_SIZES = auto()


@dataclass(frozen=True)
class UploadFault(AnswerFault):
    instruction: int | None = 0x0A
    shape: Upload = Upload.MISSING_END


class FaultScript:
    """The faults still to come. Safe to fill while the emulator runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes: list[ByteFault] = []
        self._answers: list[AnswerFault] = []
        self._sent = 0

    def add(self, *faults: ByteFault | AnswerFault) -> None:
        with self._lock:
            for fault in faults:
                if isinstance(fault, ByteFault):
                    self._bytes.append(replace(fault, at=fault.at + self._sent))
                else:
                    self._answers.append(fault)
            self._bytes.sort(key=lambda fault: fault.at)

    def take_for(self, instruction: int) -> list[AnswerFault]:
        """Return the faults of this occurrence and count them down."""
        with self._lock:
            hit = [f for f in self._answers if f.instruction in (None, instruction)]
            kept = [f for f in self._answers if f not in hit]
            kept += [replace(f, times=f.times - 1) for f in hit if f.times > 1]
            self._answers = kept
            return hit

    def split(self, data: bytes) -> list[bytes | Stall | UnplugAtByte]:
        """Return the bytes to send, with the pauses and the unplugging between them."""
        with self._lock:
            parts: list[bytes | Stall | UnplugAtByte] = []
            while self._bytes and self._bytes[0].at < self._sent + len(data):
                fault = self._bytes.pop(0)
                before = max(0, fault.at - self._sent)
                parts.append(data[:before])
                data = data[before:]
                self._sent += before
                if isinstance(fault, (Stall, UnplugAtByte)):
                    parts.append(fault)
                else:
                    parts.append(_spoil(fault, data[:1]))
                    self._sent += 1
                    data = data[1:]
            self._sent += len(data)
            return [*parts, data]


def _spoil(fault: ByteFault, byte: bytes) -> bytes:
    match fault:
        case DropByte():
            return b""
        case DoubleByte():
            return byte * 2
        case FlipBits(mask=mask):
            return bytes([byte[0] ^ mask])
        case InsertBytes(data=extra):
            return extra + byte
        case _:
            return byte


@dataclass(frozen=True)
class Noise:
    """Chances per byte; one_byte_reads hands out single bytes; delay_s at most."""

    drop: float = 0.0
    double: float = 0.0
    flip: float = 0.0
    stray: float = 0.0
    one_byte_reads: bool = False
    delay_s: float = 0.0


class NoisyPort:
    """A BytePort that spoils both directions of another one."""

    def __init__(self, port: BytePort, noise: Noise, seed: int) -> None:
        self._port = port
        self._noise = noise
        self._reading = random.Random(seed)  # noqa: S311  noise, not a secret
        self._writing = random.Random(seed + 1)  # noqa: S311  noise, not a secret

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        size = 1 if self._noise.one_byte_reads else max_bytes
        data = self._port.read(size, timeout_s)
        if data and self._noise.delay_s and self._reading.random() < 0.02:
            time.sleep(self._reading.random() * self._noise.delay_s)
        return self._spoil(data, self._reading)

    def write(self, data: bytes) -> None:
        self._port.write(self._spoil(data, self._writing))

    def set_baud(self, baud: int) -> None:
        self._port.set_baud(baud)

    def discard_input(self) -> None:
        self._port.discard_input()

    def close(self) -> None:
        self._port.close()

    def _spoil(self, data: bytes, chance: random.Random) -> bytes:
        noise = self._noise
        if not (noise.drop or noise.double or noise.flip or noise.stray):
            return data
        spoilt = bytearray()
        for byte in data:
            if chance.random() < noise.stray:
                spoilt.append(chance.randrange(256))
            if chance.random() < noise.drop:
                continue
            flipped = chance.random() < noise.flip
            value = byte ^ (1 << chance.randrange(8)) if flipped else byte
            spoilt += bytes([value]) * (1 + (chance.random() < noise.double))
        return bytes(spoilt)
