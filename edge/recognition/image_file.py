"""Image files from outside: checked by their header before any pixel is decoded.

PNG, JPEG, BMP and TIFF; 8 or 16 bits a channel, grey or colour. Everything that OpenCV
would decode only in part, or at a cost of memory that the header announces, is refused.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILE_SIZE_LIMIT = 64 * 1024 * 1024
SMALLEST_SIDE_PX = 16
LARGEST_SIDE_PX = 8192
PIXEL_LIMIT = 32_000_000

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_TIFF_INTEGERS = {3: "H", 4: "I"}
_TIFF_ENTRY_LIMIT = 512


def read_grey_image(path: Path) -> NDArray[np.uint8]:
    """Return the image as grey, uint8 (height, width).

    Raises:
        InputError: the file cannot be read or is not a usable image.
    """
    return decode_grey_image(_read_bytes(path), origin=str(path))


def decode_grey_image(data: bytes, *, origin: str) -> NDArray[np.uint8]:
    """Return the image of a file's bytes as grey, uint8 (height, width).

    Raises:
        InputError: not a usable image; names origin.
    """
    pixels = _decode(data, origin)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim == 3:
        code = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
        pixels = np.asarray(cv2.cvtColor(pixels, code))
    return _eight_bits(pixels, origin)


def read_rgb_image(path: Path) -> NDArray[np.uint8]:
    """Return the image as RGB, uint8 (height, width, 3).

    Raises:
        InputError: the file cannot be read or is not a usable image.
    """
    return decode_rgb_image(_read_bytes(path), origin=str(path))


def decode_rgb_image(data: bytes, *, origin: str) -> NDArray[np.uint8]:
    """Return the image of a file's bytes as RGB, uint8 (height, width, 3).

    Raises:
        InputError: not a usable image; names origin.
    """
    pixels: NDArray[Any] = _decode(data, origin)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    codes = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    if channels not in codes:
        raise InputError(f"{origin}: {channels} channels; give a grey or colour image")
    return _eight_bits(np.asarray(cv2.cvtColor(pixels, codes[channels])), origin)


def image_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height as the header states them; None if it is no known one."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", data, 16)
            return int(width), int(height)
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return int(width), abs(int(height))
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data[:4] in (b"II*\x00", b"MM\x00*"):
            return _tiff_size(data)
    except struct.error:
        return None
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    offset = 2
    while offset < len(data):
        if data[offset] != 0xFF:
            return None
        while offset < len(data) - 1 and data[offset + 1] == 0xFF:
            offset += 1
        (marker,) = struct.unpack_from(">B", data, offset + 1)
        offset += 2
        if marker in _JPEG_NO_LENGTH:
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, offset + 3)
            return int(width), int(height)
        (length,) = struct.unpack_from(">H", data, offset)
        offset += max(int(length), 2)
    return None


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    order = "<" if data[:2] == b"II" else ">"
    (directory,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, directory)
    found: dict[int, int] = {}
    for entry in range(min(count, _TIFF_ENTRY_LIMIT)):
        offset = directory + 2 + 12 * entry
        tag, kind = struct.unpack_from(f"{order}HH", data, offset)
        if tag in {256, 257} and kind in _TIFF_INTEGERS:
            layout = order + _TIFF_INTEGERS[kind]
            (found[tag],) = struct.unpack_from(layout, data, offset + 8)
    if len(found) < 2:
        return None
    return found[256], found[257]


def _decode(data: bytes, origin: str) -> NDArray[Any]:
    size = image_size(data)
    if size is None:
        raise InputError(f"{origin}: not an image; give PNG, JPEG, BMP or TIFF")
    _check_size(origin, *size)
    if _is_cut(data):
        raise InputError(f"{origin}: the file is cut off; copy it again")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InputError(f"{origin}: the image is damaged; copy it again") from error
    if pixels is None or pixels.shape[:2] != (size[1], size[0]):
        raise InputError(f"{origin}: the image is damaged; copy it again")
    return np.asarray(pixels)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_SIZE_LIMIT + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > FILE_SIZE_LIMIT:
        raise InputError(f"{path}: larger than {FILE_SIZE_LIMIT >> 20} MiB")
    return data


def _check_size(origin: str, width: int, height: int) -> None:
    sides = f"{origin}: {width} x {height} pixels"
    if min(width, height) < SMALLEST_SIDE_PX:
        raise InputError(f"{sides} is too small; at least {SMALLEST_SIDE_PX} a side")
    if max(width, height) > LARGEST_SIDE_PX or width * height > PIXEL_LIMIT:
        raise InputError(
            f"{sides} is too large; at most {LARGEST_SIDE_PX} a side and "
            f"{PIXEL_LIMIT // 1_000_000} million in all"
        )


def _is_cut(data: bytes) -> bool:
    """Whether the end that the format prescribes is missing.

    OpenCV fills what is missing of such a PNG or JPEG with grey and says nothing.
    """
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data[-64:]
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in data[-1024:]
    if data.startswith(b"BM"):
        return len(data) < int(struct.unpack_from("<I", data, 2)[0])
    return False


def _eight_bits(pixels: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8:
        kind = pixels.dtype
        raise InputError(f"{origin}: {kind} pixels; give 8 or 16 bits a channel")
    return np.ascontiguousarray(pixels, dtype=np.uint8)
