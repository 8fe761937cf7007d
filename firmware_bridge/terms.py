"""Values that the scanner, the device server and its clients share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from firmware_bridge.framing import DEFAULT_ADDRESS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from firmware_bridge.replies import SystemParameters

PROBE_BAUDS: Final = (57600, 115200, 9600, 38400, 19200)


class CaptureStage(StrEnum):
    """Where a capture stands."""

    ABSENT = "absent"  # waiting for the device to come back
    LIFT = "lift"  # the finger of the last capture is still there
    FINGER = "finger"  # waiting for a finger
    TRANSFER = "transfer"  # the image is on the line


class Light(StrEnum):
    """What the ring light or the backlight shows."""

    OFF = "off"
    READY = "ready"
    WAITING = "waiting"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, eq=False)
class CapturedImage:
    """One image as the sensor saw it, grey, ridges dark, origin top left.

    image: uint8 (height, width); 16 grey levels, 0 to 255. Uncertified: not to be
    exported as an ISO or NIST enrolment record without saying so.
    """

    image: NDArray[np.uint8]
    resolution_ppi: float
    position: int = 0
    wait_s: float = 0.0
    transfer_s: float = 0.0


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Some rows of an image that is still on the line.

    first: the number of the first one, 0 again when the transfer starts anew. rows:
    uint8 (n, width). height: of the whole image, as it is expected to be.
    """

    first: int
    rows: NDArray[np.uint8]
    height: int


@dataclass(frozen=True)
class Timings:
    """Every wait of the driver, in seconds."""

    reply_s: float = 2.0
    probe_reply_s: float = 0.3
    power_up_s: float = 3.0
    inter_byte_s: float = 0.1
    inter_packet_s: float = 0.5
    poll_s: float = 0.08
    upload_s: float = 30.0  # all attempts of one image together


@dataclass(frozen=True)
class ScannerSettings:
    """How to talk to one module.

    baud: None probes the usual rates. preferred_baud, preferred_packet_size_bytes: what
    to negotiate, None leaves the module as it is. fixed_parameters: for models without
    ReadSysPara (R308). image_shape: (height, width) of a sensor whose byte count is not
    one of the known ones. has_light: None tries once and remembers.
    """

    password: int = 0
    address: int = DEFAULT_ADDRESS
    baud: int | None = None
    preferred_baud: int | None = 115200
    preferred_packet_size_bytes: int | None = 128
    fixed_parameters: SystemParameters | None = None
    image_shape: tuple[int, int] | None = None
    resolution_ppi: float = 500.0
    has_light: bool | None = None
    attempts: int = 3
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True)
class ScannerDescription:
    baud: int
    parameters: SystemParameters


@dataclass(frozen=True)
class DeviceStatus:
    """state: ready, capturing, absent or refused. detail: why, one line, or empty."""

    state: str
    detail: str
    port: str
    baud: int
    captures: int
    reconnects: int
