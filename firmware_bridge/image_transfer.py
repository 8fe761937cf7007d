"""The image's way from data packets to a grey array, and back for the emulator.

Two pixels a byte: the high nibble is the left pixel, rows from top to bottom, no
padding. Geometry follows from the number of bytes (ZFM, R30x, AS608: 256x288 pixels;
R503: 192x192).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_bridge.commands import UpImage
from firmware_bridge.errors import CaptureCancelledError, ProtocolError
from firmware_bridge.framing import PacketId

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firmware_bridge.deadline import Deadline
    from firmware_bridge.link import ScannerLink

DEFAULT_SHAPE: Final = (288, 256)
KNOWN_SHAPES: Final[dict[int, tuple[int, int]]] = {
    36_864: DEFAULT_SHAPE,
    18_432: (192, 192),
}
MAX_IMAGE_BYTES: Final = 256 * 1024
_GREY_STEP: Final = 17


def packed_size(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1] // 2


def unpack_image(
    data: bytes, shape: tuple[int, int] | None = None
) -> NDArray[np.uint8]:
    """Return the uint8 (height, width) image of packed bytes.

    Raises:
        ProtocolError: the number of bytes fits neither shape nor a known sensor.
    """
    if shape is None or packed_size(shape) != len(data):
        shape = KNOWN_SHAPES.get(len(data))
    if shape is None:
        raise ProtocolError(
            f"scanner: an image of {len(data)} bytes fits no known sensor; bytes were "
            "lost, or set the image shape"
        )
    return unpack_pixels(data).reshape(shape)


def unpack_pixels(data: bytes) -> NDArray[np.uint8]:
    """Return the grey values of packed bytes, uint8 (2 x bytes,)."""
    packed = np.frombuffer(data, dtype=np.uint8)
    pixels = np.empty((packed.size, 2), dtype=np.uint8)
    pixels[:, 0] = packed >> 4
    pixels[:, 1] = packed & 0x0F
    return (pixels * np.uint8(_GREY_STEP)).reshape(-1)


def pack_image(image: NDArray[np.uint8]) -> bytes:
    """Return the packed bytes of a uint8 (height, width) image of even size."""
    levels = ((image.astype(np.uint16) + _GREY_STEP // 2) // _GREY_STEP).astype(
        np.uint8
    )
    pairs = levels.reshape(-1, 2)
    return (pairs[:, 0] << 4 | pairs[:, 1]).tobytes()


def upload_image(
    link: ScannerLink,
    expected_bytes: int,
    *,
    deadline: Deadline,
    on_progress: Callable[[float], None],
    cancelled: threading.Event,
    on_data: Callable[[bytearray], None] = lambda _data: None,
) -> bytes:
    """Run one UpImage and return the packed bytes.

    on_data: shown all bytes so far after each packet; must not keep them.

    Raises:
        ProtocolError: a packet was damaged or lost, or the transfer stopped.
        DeviceError: the module refused.
        CaptureCancelledError, NoReplyError, DeviceAbsentError.
    """
    link.request(UpImage(), attempts=1).require_ok("UpImage")
    damage_before = link.damage
    data = bytearray()
    while True:
        if cancelled.is_set():
            raise CaptureCancelledError("capture cancelled during the image transfer")
        if deadline.is_over:
            raise ProtocolError(f"scanner: image too slow, {len(data)} bytes so far")
        frame = link.read_frame(link.timings.inter_packet_s)
        if link.damage != damage_before:
            raise ProtocolError(f"scanner: image damaged behind byte {len(data)}")
        if frame is None:
            # Some modules forget the end packet; a full image is complete without.
            if len(data) == expected_bytes:
                return bytes(data)
            raise ProtocolError(f"scanner: image stopped behind byte {len(data)}")
        if frame.pid not in (PacketId.DATA, PacketId.END):
            raise ProtocolError(f"scanner: {frame.pid.name} packet inside an image")
        data += frame.content
        if len(data) > MAX_IMAGE_BYTES:
            raise ProtocolError(f"scanner: image without end, {len(data)} bytes so far")
        on_progress(min(1.0, len(data) / expected_bytes))
        on_data(data)
        if frame.pid is PacketId.END:
            return bytes(data)
