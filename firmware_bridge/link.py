"""Request and reply on a half-duplex line: deadlines, bounded retries, resync."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from firmware_bridge.codes import ConfirmationCode
from firmware_bridge.deadline import Deadline
from firmware_bridge.errors import NoReplyError, ProtocolError
from firmware_bridge.framing import Frame, FrameDecoder, PacketId, encode_frame
from firmware_bridge.replies import Acknowledgement

if TYPE_CHECKING:
    from firmware_bridge.byte_port import BytePort
    from firmware_bridge.commands import Command
    from firmware_bridge.terms import ScannerSettings

_READ_BYTES: Final = 4096
# A whole image at 9600 baud takes 42 s; nothing legitimate streams for longer.
_MAX_DRAIN_S: Final = 45.0


class ScannerLink:
    """Sends commands and returns acknowledges; drops whatever is not for us."""

    def __init__(self, port: BytePort, settings: ScannerSettings) -> None:
        self.port = port
        self.timings = settings.timings
        self._address = settings.address
        self._attempts = settings.attempts
        self._decoder = FrameDecoder(settings.address)
        self._frames: deque[Frame] = deque()

    @property
    def damage(self) -> int:
        """Grows with every byte and frame that had to be thrown away."""
        return self._decoder.noise_bytes + self._decoder.damaged_frames

    def request(
        self,
        command: Command,
        *,
        attempts: int | None = None,
        reply_s: float | None = None,
    ) -> Acknowledgement:
        """Send a command until it is acknowledged, whatever the code.

        Only for commands that may be repeated.

        Raises:
            NoReplyError: every attempt met silence.
            ProtocolError: bytes came, but never a valid acknowledge.
            DeviceAbsentError: the port went away.
        """
        damage_before = self.damage
        tries = self._attempts if attempts is None else attempts
        reply_s = self.timings.reply_s if reply_s is None else reply_s
        damaged_reply: Acknowledgement | None = None
        for attempt in range(tries):
            if attempt:
                self.resynchronise()
            else:
                self._forget_input()
            content = command.encode()
            self.port.write(
                encode_frame(Frame(PacketId.COMMAND, content, self._address))
            )
            reply = self._await_acknowledge(reply_s)
            if reply is None:
                continue
            if reply.code != ConfirmationCode.PACKET_RECEIVE_ERROR:
                return reply
            damaged_reply = reply
        if damaged_reply is not None:
            return damaged_reply
        name = type(command).__name__
        if self.damage > damage_before:
            raise ProtocolError(
                f"scanner: {name} got only damaged bytes in {tries} attempts; check "
                "the baud rate, the cable and its shielding"
            )
        raise NoReplyError(
            f"scanner: {name} got no answer in {tries} x {reply_s:g} s; check "
            "power, wiring and baud rate"
        )

    def read_frame(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None if none came in time."""
        deadline = Deadline.after(timeout_s)
        while not self._frames:
            pause_s = min(self.timings.inter_byte_s, deadline.remaining_s)
            data = self.port.read(_READ_BYTES, pause_s)
            if data:
                self._frames += self._decoder.feed(data)
                # Endless noise must not outlive the deadline.
                if not self._frames and deadline.is_over:
                    return None
                continue
            # Silence inside a frame: its header was noise or its tail is lost.
            self._frames += self._decoder.flush()
            if not self._frames and deadline.is_over:
                return None
        return self._frames.popleft()

    def resynchronise(self) -> None:
        """Read until the line is silent, so that no old reply is taken for a new one.

        Raises:
            ProtocolError: the line never falls silent.
        """
        deadline = Deadline.after(_MAX_DRAIN_S)
        while self.port.read(_READ_BYTES, self.timings.inter_byte_s):
            if deadline.is_over:
                raise ProtocolError(
                    f"scanner: bytes without end for {_MAX_DRAIN_S:g} s; check what is "
                    "connected to the port"
                )
        self._forget_input()

    def _forget_input(self) -> None:
        self.port.discard_input()
        self._decoder.reset()
        self._frames.clear()

    def _await_acknowledge(self, timeout_s: float) -> Acknowledgement | None:
        deadline = Deadline.after(timeout_s)
        while True:
            frame = self.read_frame(deadline.remaining_s)
            if frame is None:
                return None
            if frame.pid is PacketId.ACKNOWLEDGE:
                return Acknowledgement.decode(frame.content)
            if deadline.is_over:
                return None
