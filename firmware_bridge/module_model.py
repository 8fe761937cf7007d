"""What an emulated fingerprint module knows and answers. No I/O, no time."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_bridge.codes import ConfirmationCode
from firmware_bridge.commands import (
    AuraLedConfig,
    Command,
    GenImg,
    GetEcho,
    HandShake,
    LedOff,
    LedOn,
    ReadIndexTable,
    ReadSysPara,
    SetSysPara,
    SoftRst,
    SystemParameter,
    TemplateNum,
    UpImage,
    VfyPwd,
)
from firmware_bridge.framing import DEFAULT_ADDRESS
from firmware_bridge.image_transfer import DEFAULT_SHAPE, pack_image
from firmware_bridge.replies import (
    BAUD_UNIT,
    PACKET_SIZES,
    Acknowledgement,
    IndexTable,
    SystemParameters,
    TemplateCount,
)
from firmware_bridge.sensor_window import fit_to_window

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

# Polls without a finger between two queued ones, so that the host sees the lift.
_POLLS_BETWEEN_FINGERS: Final = 2


@dataclass(frozen=True)
class ModuleSettings:
    """What distinguishes one model from another.

    switches_baud_at_once: an R30x does, an R503 only after the next power-up.
    has_sys_para: False for an R308. boots_with_55: an R503 announces itself.
    """

    address: int = DEFAULT_ADDRESS
    password: int = 0
    baud: int = 57600
    packet_size_code: int = 2
    system_id: int = 0x0009
    library_size: int = 200
    image_shape: tuple[int, int] = DEFAULT_SHAPE
    switches_baud_at_once: bool = True
    has_sys_para: bool = True
    has_aura: bool = False
    has_leds: bool = False
    boots_with_55: bool = False


@dataclass(frozen=True)
class Answer:
    """data: what follows the acknowledge in data packets, or None."""

    acknowledgement: Acknowledgement
    data: bytes | None = None


_OK: Final = Answer(Acknowledgement(ConfirmationCode.OK))


def _refuse(code: ConfirmationCode) -> Answer:
    return Answer(Acknowledgement(code))


def _ok_with(payload: bytes) -> Answer:
    return Answer(Acknowledgement(ConfirmationCode.OK, payload))


class ModuleModel:
    """Fingers are set from any thread; answer() is called by the emulator's."""

    def __init__(self, settings: ModuleSettings) -> None:
        self.settings = settings
        self.baud = settings.baud
        self.light: tuple[int, ...] = ()
        self._baud_in_flash = settings.baud
        self._packet_size_code = settings.packet_size_code
        self._is_password_verified = False
        self._lock = threading.Lock()
        self._finger: bytes | None = None
        self._queue: deque[bytes] = deque()
        self._picture: bytes | None = None
        self._owed_empty_polls = 0
        self.uploads = 0

    @property
    def packet_size_bytes(self) -> int:
        return PACKET_SIZES[self._packet_size_code]

    def present(self, image: NDArray[np.uint8]) -> None:
        """Put a finger on the sensor; a lift before it is seen by the host first."""
        packed = pack_image(fit_to_window(image, self.settings.image_shape))
        with self._lock:
            self._finger = packed

    def lift(self) -> None:
        """Take the finger away; the host sees so, however soon the next one comes.

        Also where no finger was: the answer that told so may have been lost.
        """
        with self._lock:
            self._finger = None
            self._owed_empty_polls = _POLLS_BETWEEN_FINGERS

    def enqueue(self, images: Iterable[NDArray[np.uint8]]) -> None:
        """Present one after the other; each is lifted when its image was fetched."""
        window = self.settings.image_shape
        packed = [pack_image(fit_to_window(image, window)) for image in images]
        with self._lock:
            self._queue.extend(packed)

    def clear(self) -> None:
        """Take every finger away, the queued ones too."""
        with self._lock:
            self._queue.clear()
            self._finger = None
            self._owed_empty_polls = 1

    @property
    def queued(self) -> int:
        with self._lock:
            return len(self._queue)

    def power_up(self) -> None:
        """Forget what is not in flash, as after a replug."""
        with self._lock:
            self.baud = self._baud_in_flash
            self._is_password_verified = False
            self._picture = None

    def upload_finished(self) -> None:
        """Tell that the host got the whole image; a queued finger is lifted."""
        with self._lock:
            self.uploads += 1
            if self._queue and self._finger is None:
                self._queue.popleft()
                self._owed_empty_polls = _POLLS_BETWEEN_FINGERS

    def after_acknowledge(self, command: Command) -> None:
        """Apply what takes effect behind the acknowledge: a new baud rate."""
        if (
            isinstance(command, SetSysPara)
            and command.parameter == SystemParameter.BAUD
            and 1 <= command.value <= 12
        ):
            self._baud_in_flash = command.value * BAUD_UNIT
            if self.settings.switches_baud_at_once:
                self.baud = self._baud_in_flash

    def answer(self, command: Command) -> Answer:
        if isinstance(command, VfyPwd):
            return self._verify(command)
        if not self._is_password_verified and self.settings.password:
            return _refuse(ConfirmationCode.PASSWORD_NOT_VERIFIED)
        if isinstance(command, GenImg):
            return self._take_picture()
        if isinstance(command, UpImage):
            return self._upload()
        if isinstance(command, (ReadSysPara, SetSysPara)):
            return self._answer_parameters(command)
        return self._answer_small(command)

    def _verify(self, command: VfyPwd) -> Answer:
        self._is_password_verified = command.password == self.settings.password
        if self._is_password_verified:
            return _OK
        return _refuse(ConfirmationCode.WRONG_PASSWORD)

    def _upload(self) -> Answer:
        if self._picture is None:
            return _refuse(ConfirmationCode.IMAGE_UPLOAD_ERROR)
        return Answer(_OK.acknowledgement, self._picture)

    def _answer_parameters(self, command: ReadSysPara | SetSysPara) -> Answer:
        if not self.settings.has_sys_para:
            return _refuse(ConfirmationCode.UNSUPPORTED_COMMAND)
        if isinstance(command, SetSysPara):
            return self._set_parameter(command)
        return _ok_with(self._parameters().encode())

    def _answer_small(self, command: Command) -> Answer:
        answer = _refuse(ConfirmationCode.UNSUPPORTED_COMMAND)
        match command:
            case AuraLedConfig() if self.settings.has_aura:
                self.light = (command.control, command.colour)
                answer = _OK
            case LedOn() | LedOff() if self.settings.has_leds:
                self.light = (command.instruction,)
                answer = _OK
            case GetEcho():
                answer = _refuse(ConfirmationCode.ALIVE)
            case HandShake() | SoftRst():
                answer = _OK
            case TemplateNum():
                answer = _ok_with(TemplateCount(0).encode())
            case ReadIndexTable():
                answer = _ok_with(IndexTable(frozenset()).encode())
        return answer

    def _take_picture(self) -> Answer:
        with self._lock:
            if self._owed_empty_polls:
                self._owed_empty_polls -= 1
                return _refuse(ConfirmationCode.NO_FINGER)
            finger = self._finger
            if finger is None and self._queue:
                finger = self._queue[0]
            if finger is None:
                return _refuse(ConfirmationCode.NO_FINGER)
            self._picture = finger
            return _OK

    def _parameters(self) -> SystemParameters:
        return SystemParameters(
            status=0,
            system_id=self.settings.system_id,
            library_size=self.settings.library_size,
            security_level=3,
            address=self.settings.address,
            packet_size_code=self._packet_size_code,
            baud_multiple=self.baud // BAUD_UNIT,
        )

    def _set_parameter(self, command: SetSysPara) -> Answer:
        limits = {
            SystemParameter.BAUD: (1, 12),
            SystemParameter.SECURITY_LEVEL: (1, 5),
            SystemParameter.PACKET_SIZE: (0, 3),
        }
        allowed = {int(number): bounds for number, bounds in limits.items()}
        if command.parameter not in allowed:
            return _refuse(ConfirmationCode.BAD_REGISTER)
        low, high = allowed[command.parameter]
        if not low <= command.value <= high:
            return _refuse(ConfirmationCode.BAD_REGISTER_VALUE)
        if command.parameter == SystemParameter.PACKET_SIZE:
            self._packet_size_code = command.value
        return _OK
