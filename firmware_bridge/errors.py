"""Every error that the bridge raises on purpose.

ScannerError
    SettingsError             an option is wrong, or the socket path is taken
    DeviceAbsentError         the port cannot be opened, or went away
    NoReplyError              the port is there, the module does not answer
    ProtocolError             bytes arrived that are no valid answer
    CaptureTimeoutError       nobody put (or lifted) a finger in time
    CaptureCancelledError     the capture was cancelled by its client
    DeviceBusyError           another client is capturing
    DeviceError               the module answered with a code other than success
        CommandDamagedError       it received our packet damaged
        NoFingerError             no finger on the sensor
        PoorImageError            the picture is too messy, too small or too poor
        WrongPasswordError        the password is wrong, or has to be verified first
        UnsupportedCommandError   the model does not know the command
        CommandRefusedError       it cannot do that with these values
        DeviceFaultError          the sensor, the flash or the module is faulty
        VendorSpecificError       a code that no manual lists; never a success
    ServiceError              the device server could not serve
        ServerUnreachableError    no server at the socket, or it went away
        AccessDeniedError         this user may not use the scanner
        VersionMismatchError      client and server speak different versions
        RequestError              a frame or request is malformed or too large

The message is one line, names what and where, and says what to do.
"""

from __future__ import annotations


class ScannerError(Exception):
    """Base of all errors of the bridge."""


class SettingsError(ScannerError):
    pass


class DeviceAbsentError(ScannerError):
    pass


class NoReplyError(ScannerError):
    pass


class ProtocolError(ScannerError):
    pass


class CaptureTimeoutError(ScannerError):
    pass


class CaptureCancelledError(ScannerError):
    pass


class DeviceBusyError(ScannerError):
    pass


class DeviceError(ScannerError):
    """The module said no. code: the confirmation byte, None if it is not known here."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class CommandDamagedError(DeviceError):
    pass


class NoFingerError(DeviceError):
    pass


class PoorImageError(DeviceError):
    pass


class WrongPasswordError(DeviceError):
    pass


class UnsupportedCommandError(DeviceError):
    pass


class CommandRefusedError(DeviceError):
    pass


class DeviceFaultError(DeviceError):
    pass


class VendorSpecificError(DeviceError):
    pass


class ServiceError(ScannerError):
    pass


class ServerUnreachableError(ServiceError):
    pass


class AccessDeniedError(ServiceError):
    pass


class VersionMismatchError(ServiceError):
    pass


class RequestError(ServiceError):
    pass


def _with_subclasses(kind: type[ScannerError]) -> list[type[ScannerError]]:
    found = [kind]
    for subclass in kind.__subclasses__():
        found += _with_subclasses(subclass)
    return found


ERRORS_BY_NAME: dict[str, type[ScannerError]] = {
    kind.__name__: kind for kind in _with_subclasses(ScannerError)
}


def error_from_name(name: str, message: str, code: int | None = None) -> ScannerError:
    """Rebuild an error that crossed a process border; an unknown name is the base."""
    kind = ERRORS_BY_NAME.get(name, ScannerError)
    if issubclass(kind, DeviceError):
        return kind(message, code)
    return kind(message)
