"""An emulated fingerprint scanner that answers the real bytes in real time.

    with ScannerEmulator(Path("scanner")) as emulator:
        emulator.present(image)   # the host opens "scanner" as its serial port
        emulator.lift()

It runs in its own thread, so it can live in any process, or alone by
`firmware-bridge emulate`.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

from firmware_bridge.codes import ConfirmationCode
from firmware_bridge.commands import SoftRst, UpImage, decode_command
from firmware_bridge.emulated_answer import apply_faults, packets_of
from firmware_bridge.errors import DeviceAbsentError, ProtocolError
from firmware_bridge.faults import (
    AnswerFault,
    ByteFault,
    FaultScript,
    Stall,
    StaySilent,
    UnplugAtByte,
    UnplugOnCommand,
)
from firmware_bridge.framing import BOOT_BYTE, Frame, FrameDecoder, PacketId
from firmware_bridge.module_model import Answer, ModuleModel, ModuleSettings
from firmware_bridge.pty_port import PtyPort
from firmware_bridge.replies import Acknowledgement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from firmware_bridge.byte_port import BytePort
    from firmware_bridge.commands import Command

_BITS_PER_BYTE: Final = 10
_SLICE_BYTES: Final = 32
_WAIT_S: Final = 0.05


class EmulatorLine(Protocol):
    """Makes the device's end of a line at every plugging in."""

    def plug(self) -> BytePort: ...

    def host_baud(self, port: BytePort) -> int: ...


class PtyLine:
    """A pseudo-terminal behind a stable path."""

    def __init__(self, link: Path) -> None:
        self._link = link

    def plug(self) -> BytePort:
        return PtyPort(self._link)

    def host_baud(self, port: BytePort) -> int:
        return port.host_baud if isinstance(port, PtyPort) else 0


class MemoryLine:
    """A line whose device end is made by a function, for tests without a terminal.

    host_baud: a function that tells the rate the host has set.
    """

    def __init__(
        self, make_port: Callable[[], BytePort], host_baud: Callable[[], int]
    ) -> None:
        self._make_port = make_port
        self._host_baud = host_baud

    def plug(self) -> BytePort:
        return self._make_port()

    def host_baud(self, port: BytePort) -> int:  # noqa: ARG002  the protocol's shape
        return self._host_baud()


class ScannerEmulator:
    """A module, its line and its faults.

    line: a path stands for a pseudo-terminal under that path. is_paced: bytes take as
    long as at the module's baud rate; otherwise they come at once.
    """

    def __init__(
        self,
        line: EmulatorLine | Path,
        settings: ModuleSettings | None = None,
        *,
        is_paced: bool = True,
    ) -> None:
        self.model = ModuleModel(ModuleSettings() if settings is None else settings)
        self.faults = FaultScript()
        self.commands_seen = 0
        self._line = PtyLine(line) if isinstance(line, Path) else line
        self._is_paced = is_paced
        self._stopping = threading.Event()
        self._plugged = threading.Event()
        self._unplug_requested = threading.Event()
        self._is_gone = threading.Event()
        self._is_gone.set()
        self._port: BytePort | None = None
        self._thread = threading.Thread(
            target=self._run, name="scanner-emulator", daemon=True
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Plug in and answer; returns when the line is there."""
        self.replug()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._plugged.set()
        self._thread.join(timeout=10)

    def present(self, image: NDArray[np.uint8]) -> None:
        """Put a finger on the sensor. image: uint8 (height, width), dark ridges."""
        self.model.present(image)

    def lift(self) -> None:
        self.model.lift()

    def enqueue(self, images: Iterable[NDArray[np.uint8]]) -> None:
        """Present several fingers, each until its image was fetched once."""
        self.model.enqueue(images)

    def clear(self) -> None:
        """Take every finger away, the queued ones too."""
        self.model.clear()

    def add_faults(self, *faults: ByteFault | AnswerFault) -> None:
        self.faults.add(*faults)

    def unplug(self) -> None:
        """Pull the cable; returns when the line is gone."""
        self._unplug_requested.set()
        self._is_gone.wait(timeout=10)

    def replug(self) -> None:
        """Put the cable back: the module powers up behind the same path."""
        if self._plugged.is_set() and not self._unplug_requested.is_set():
            return
        self._is_gone.wait(timeout=10)
        if self._plugged.is_set():
            return
        self._unplug_requested.clear()
        self.model.power_up()
        self._port = self._line.plug()
        self._is_gone.clear()
        self._plugged.set()

    @property
    def is_plugged(self) -> bool:
        return self._plugged.is_set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._plugged.wait(_WAIT_S) and self._port is not None:
                self._serve(self._port)
        if self._port is not None:
            self._port.close()

    def _serve(self, port: BytePort) -> None:
        """Answer until the cable is pulled."""
        decoder = FrameDecoder(self.model.settings.address)
        try:
            if self.model.settings.boots_with_55:
                port.write(bytes([BOOT_BYTE]))
            while not self._stopping.is_set():
                self._check_cable()
                data = port.read(4096, _WAIT_S)
                if data and self._line.host_baud(port) == self.model.baud:
                    self._answer_all(port, decoder, data)
        except DeviceAbsentError:
            port.close()
            self._port = None
            self._plugged.clear()
            self._is_gone.set()

    def _answer_all(self, port: BytePort, decoder: FrameDecoder, data: bytes) -> None:
        damaged_before = decoder.damaged_frames
        for frame in decoder.feed(data):
            if frame.pid is PacketId.COMMAND:
                self._answer(port, frame)
        if decoder.damaged_frames > damaged_before:
            refusal = Acknowledgement(ConfirmationCode.PACKET_RECEIVE_ERROR)
            self._send_packets(port, [self._frame(PacketId.ACKNOWLEDGE, refusal)])

    def _answer(self, port: BytePort, frame: Frame) -> None:
        self.commands_seen += 1
        faults = self.faults.take_for(frame.content[0])
        if any(isinstance(fault, UnplugOnCommand) for fault in faults):
            raise DeviceAbsentError("emulator: unplugged by script")
        if any(isinstance(fault, StaySilent) for fault in faults):
            return
        command, answer = self._decide(frame.content)
        packets = packets_of(
            answer, self.model.packet_size_bytes, self.model.settings.address
        )
        for part in apply_faults(packets, faults, self.model.settings.address):
            self._send(port, part)
        if command is not None:
            self._after(port, command, answer)

    def _decide(self, content: bytes) -> tuple[Command | None, Answer]:
        try:
            command = decode_command(content)
        except ProtocolError:
            code = ConfirmationCode.UNSUPPORTED_COMMAND
            return None, Answer(Acknowledgement(code))
        return command, self.model.answer(command)

    def _after(self, port: BytePort, command: Command, answer: Answer) -> None:
        if not answer.acknowledgement.is_ok:
            return
        self.model.after_acknowledge(command)
        if isinstance(command, UpImage):
            self.model.upload_finished()
        if isinstance(command, SoftRst):
            self._send(port, bytes([BOOT_BYTE]))

    def _frame(self, pid: PacketId, acknowledgement: Acknowledgement) -> Frame:
        return Frame(pid, acknowledgement.encode(), self.model.settings.address)

    def _send_packets(self, port: BytePort, frames: list[Frame]) -> None:
        for part in apply_faults(frames, [], self.model.settings.address):
            self._send(port, part)

    def _send(self, port: BytePort, data: bytes) -> None:
        for part in self.faults.split(data):
            match part:
                case Stall(seconds=seconds):
                    self._stopping.wait(seconds)
                case UnplugAtByte():
                    raise DeviceAbsentError("emulator: unplugged by script")
                case bytes():
                    self._send_paced(port, part)

    def _send_paced(self, port: BytePort, data: bytes) -> None:
        if not self._is_paced:
            self._check_cable()
            port.write(data)
            return
        byte_s = _BITS_PER_BYTE / self.model.baud
        due_s = time.monotonic()
        for start in range(0, len(data), _SLICE_BYTES):
            self._check_cable()
            part = data[start : start + _SLICE_BYTES]
            due_s += len(part) * byte_s
            # The last bit of the slice leaves the wire when its time is over.
            self._stopping.wait(max(0.0, due_s - time.monotonic()))
            port.write(part)

    def _check_cable(self) -> None:
        if self._unplug_requested.is_set() or self._stopping.is_set():
            raise DeviceAbsentError("emulator: unplugged")
