"""Finding the module: baud rate, password, parameters, then the better settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_bridge.codes import ConfirmationCode
from firmware_bridge.commands import (
    ReadSysPara,
    SetSysPara,
    SystemParameter,
    VfyPwd,
)
from firmware_bridge.deadline import Deadline
from firmware_bridge.errors import (
    CommandDamagedError,
    NoReplyError,
    ProtocolError,
    SettingsError,
    UnsupportedCommandError,
)
from firmware_bridge.replies import BAUD_UNIT, PACKET_SIZES, SystemParameters
from firmware_bridge.terms import PROBE_BAUDS, ScannerDescription, ScannerSettings

if TYPE_CHECKING:
    from firmware_bridge.link import ScannerLink

_BAUD_MULTIPLES: Final = range(1, 13)


def check_settings(settings: ScannerSettings) -> None:
    """Raise SettingsError for what no module can do."""
    for baud in (settings.baud, settings.preferred_baud):
        if baud is not None and (
            baud % BAUD_UNIT or baud // BAUD_UNIT not in _BAUD_MULTIPLES
        ):
            raise SettingsError(
                f"scanner: baud {baud}; allowed are multiples of 9600 up to 115200"
            )
    size = settings.preferred_packet_size_bytes
    if size is not None and size not in PACKET_SIZES:
        raise SettingsError(f"scanner: packet size {size}; allowed are {PACKET_SIZES}")
    if settings.attempts < 1:
        raise SettingsError(f"scanner: attempts {settings.attempts}; at least 1")


def negotiate(link: ScannerLink, settings: ScannerSettings) -> ScannerDescription:
    """Find the module and bring it to the preferred settings.

    Raises:
        NoReplyError: it answers at no baud rate.
        WrongPasswordError, DeviceError, ProtocolError, DeviceAbsentError.
    """
    baud = find_baud(link, settings)
    parameters = read_parameters(link, settings)
    if settings.fixed_parameters is not None:
        return ScannerDescription(baud, parameters)
    parameters = _prefer_packet_size(link, settings, parameters)
    if settings.preferred_baud not in (None, baud):
        baud = _prefer_baud(link, settings, baud)
    return ScannerDescription(baud, parameters)


def find_baud(link: ScannerLink, settings: ScannerSettings) -> int:
    """Return the baud rate at which the module accepts the password.

    A module is deaf for up to half a second after power-up, so rounds are repeated.
    """
    bauds = PROBE_BAUDS if settings.baud is None else (settings.baud,)
    if settings.preferred_baud is not None and settings.preferred_baud not in bauds:
        # An earlier session may have switched the module already.
        bauds = (*bauds, settings.preferred_baud)
    deadline = Deadline.after(settings.timings.power_up_s)
    while True:
        for baud in bauds:
            if _answers_at(link, settings, baud):
                return baud
        if deadline.is_over:
            tried = ", ".join(map(str, bauds))
            raise NoReplyError(
                f"scanner: no answer at {tried} baud; check power, wiring and module "
                "address"
            )


def _answers_at(link: ScannerLink, settings: ScannerSettings, baud: int) -> bool:
    link.port.set_baud(baud)
    try:
        # Two attempts: the first may run into what is left of an old transfer.
        reply = link.request(
            VfyPwd(settings.password), attempts=2, reply_s=link.timings.probe_reply_s
        )
        reply.require_ok("VfyPwd")
    except (NoReplyError, ProtocolError, CommandDamagedError):
        return False
    return True


def read_parameters(link: ScannerLink, settings: ScannerSettings) -> SystemParameters:
    if settings.fixed_parameters is not None:
        return settings.fixed_parameters
    try:
        reply = link.request(ReadSysPara()).require_ok("ReadSysPara")
    except (NoReplyError, UnsupportedCommandError) as error:
        raise UnsupportedCommandError(
            f"{error}; for a model without ReadSysPara set fixed parameters",
            ConfirmationCode.UNSUPPORTED_COMMAND,
        ) from error
    return SystemParameters.decode(reply.payload)


def _prefer_packet_size(
    link: ScannerLink, settings: ScannerSettings, parameters: SystemParameters
) -> SystemParameters:
    wanted = settings.preferred_packet_size_bytes
    if wanted is None or parameters.packet_size_bytes == wanted:
        return parameters
    code = PACKET_SIZES.index(wanted)
    # A refusal is no fault: any packet size is received.
    if not link.request(SetSysPara(SystemParameter.PACKET_SIZE, code)).is_ok:
        return parameters
    return read_parameters(link, settings)


def _prefer_baud(link: ScannerLink, settings: ScannerSettings, baud: int) -> int:
    """Ask for another baud rate; R30x switch at once, an R503 after power-up only."""
    wanted = settings.preferred_baud
    if wanted is None:
        return baud
    try:
        request = SetSysPara(SystemParameter.BAUD, wanted // BAUD_UNIT)
        # One attempt: the module may have switched although its reply was lost.
        if not link.request(request, attempts=1).is_ok:
            return baud
    except (NoReplyError, ProtocolError):
        return find_baud(link, settings)
    for candidate in (wanted, baud):
        if _answers_at(link, settings, candidate):
            return candidate
    return find_baud(link, settings)
