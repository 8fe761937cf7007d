"""Confirmation codes of the EF01 protocol and the error class each stands for.

Source: ZFM-20/60/70 and R503 user manuals. Internal conditions such as a timeout are
no codes; they have their own errors.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from firmware_bridge.errors import (
    CommandDamagedError,
    CommandRefusedError,
    DeviceError,
    DeviceFaultError,
    NoFingerError,
    PoorImageError,
    UnsupportedCommandError,
    VendorSpecificError,
    WrongPasswordError,
)


class ConfirmationCode(IntEnum):
    OK = 0x00
    PACKET_RECEIVE_ERROR = 0x01
    NO_FINGER = 0x02
    CAPTURE_FAILED = 0x03
    IMAGE_TOO_MESSY = 0x06
    TOO_FEW_FEATURES = 0x07
    NO_MATCH = 0x08
    NOT_FOUND = 0x09
    CANNOT_MERGE = 0x0A
    PAGE_ID_OUT_OF_RANGE = 0x0B
    BAD_TEMPLATE_READ = 0x0C
    TEMPLATE_UPLOAD_ERROR = 0x0D
    CANNOT_RECEIVE_DATA = 0x0E
    IMAGE_UPLOAD_ERROR = 0x0F
    DELETE_FAILED = 0x10
    EMPTY_FAILED = 0x11
    WRONG_PASSWORD = 0x13
    NO_VALID_IMAGE = 0x15
    FLASH_WRITE_ERROR = 0x18
    UNDEFINED_ERROR = 0x19
    BAD_REGISTER = 0x1A
    BAD_REGISTER_VALUE = 0x1B
    BAD_NOTEPAD_PAGE = 0x1C
    PORT_OPERATION_FAILED = 0x1D
    LIBRARY_FULL = 0x1F
    WRONG_ADDRESS = 0x20
    PASSWORD_NOT_VERIFIED = 0x21
    TEMPLATE_EMPTY = 0x22
    LIBRARY_EMPTY = 0x24
    TIMEOUT = 0x26
    FINGER_ALREADY_ENROLLED = 0x27
    SENSOR_HARDWARE_ERROR = 0x29
    ALIVE = 0x55  # answer to GetEcho only
    UNSUPPORTED_COMMAND = 0xFC
    HARDWARE_ERROR = 0xFD
    EXECUTION_FAILED = 0xFE


_Code = ConfirmationCode
_OWN_CLASS: Final[dict[int, type[DeviceError]]] = {
    _Code.PACKET_RECEIVE_ERROR: CommandDamagedError,
    _Code.NO_FINGER: NoFingerError,
    _Code.CAPTURE_FAILED: PoorImageError,
    _Code.IMAGE_TOO_MESSY: PoorImageError,
    _Code.TOO_FEW_FEATURES: PoorImageError,
    _Code.WRONG_PASSWORD: WrongPasswordError,
    _Code.PASSWORD_NOT_VERIFIED: WrongPasswordError,
    _Code.UNSUPPORTED_COMMAND: UnsupportedCommandError,
    _Code.IMAGE_UPLOAD_ERROR: DeviceFaultError,
    _Code.FLASH_WRITE_ERROR: DeviceFaultError,
    _Code.SENSOR_HARDWARE_ERROR: DeviceFaultError,
    _Code.HARDWARE_ERROR: DeviceFaultError,
    _Code.EXECUTION_FAILED: DeviceFaultError,
}


def error_class_for(code: int) -> type[DeviceError]:
    """Return the class of a code other than OK; unlisted codes are vendor specific."""
    if code in _OWN_CLASS:
        return _OWN_CLASS[code]
    try:
        ConfirmationCode(code)
    except ValueError:
        return VendorSpecificError
    return CommandRefusedError


def error_for(code: int, doing: str) -> DeviceError:
    """Build the error for a code that is no success. doing: the command's name."""
    kind = error_class_for(code)
    try:
        name = ConfirmationCode(code).name.lower().replace("_", " ")
    except ValueError:
        name = "vendor specific, see the manual of the module"
    return kind(f"scanner: {doing} answered {code:02X}h ({name})", code)
