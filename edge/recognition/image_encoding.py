"""Images as PNG, for evidence, drawings and what the hub keeps; as JPEG to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.errors import InputError
from edge.recognition.image_file import PIXEL_LIMIT, image_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREA = cv2.INTER_AREA


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode a grey (height, width) or RGB (height, width, 3) image without loss.

    Raises:
        InputError: OpenCV cannot encode it.
    """
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    try:
        done, data = cv2.imencode(".png", pixels)
    except cv2.error as error:
        message = f"an image of shape {image.shape} cannot be encoded: {error.err}"
        raise InputError(message) from error
    if not done:
        message = f"an image of shape {image.shape} cannot be encoded as PNG"
        raise InputError(message)
    return data.tobytes()


def encode_jpeg(
    image: NDArray[np.uint8], *, widest_px: int, quality: int = 80
) -> bytes:
    """Encode a grey or RGB image for a screen, shrunk to widest_px if it is wider.

    Raises:
        InputError: OpenCV cannot encode it.
    """
    height, width = image.shape[:2]
    pixels = image if image.ndim == 2 else image[:, :, ::-1]
    try:
        if width > widest_px:
            extent = (widest_px, max(1, round(height * widest_px / width)))
            shrunk = cv2.resize(pixels, extent, interpolation=cv2.INTER_AREA)
            pixels = np.asarray(shrunk, np.uint8)
        done, data = cv2.imencode(
            ".jpg",
            np.ascontiguousarray(pixels),
            [cv2.IMWRITE_JPEG_QUALITY, quality],
        )
    except cv2.error as error:
        message = f"an image of shape {image.shape} cannot be encoded: {error.err}"
        raise InputError(message) from error
    if not done:
        message = f"an image of shape {image.shape} cannot be encoded as JPEG"
        raise InputError(message)
    return data.tobytes()


def smaller_image(png: bytes, *, most_bytes: int) -> bytes | None:
    """Return a PNG as a JPEG of at most so many bytes, for people to look at.

    None if it cannot be read. It is scaled down only as far as it has to be.
    """
    size = image_size(png)
    if size is None or not 0 < size[0] * size[1] <= PIXEL_LIMIT:
        return None
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return None
    for scale in (1.0, 0.75, 0.5, 0.35, 0.25, 0.12, 0.06):
        scaled = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=AREA)
        done, data = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, 90])
        if done and len(data) <= most_bytes:
            return data.tobytes()
    return None


def as_png(image: bytes) -> bytes | None:
    """Return an image file as PNG; None if it cannot be read."""
    if image.startswith(b"\x89PNG"):
        return image
    size = image_size(image)
    if size is None or not 0 < size[0] * size[1] <= PIXEL_LIMIT:
        return None
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return None
    done, data = cv2.imencode(".png", pixels)
    return data.tobytes() if done else None


def decode_rgb_png(data: bytes, *, origin: str) -> NDArray[np.uint8]:
    """Return an image that encode_png has encoded, RGB (height, width, 3).

    Raises:
        InputError: it is damaged; origin names it.
    """
    size = image_size(data)
    if size is None or not 0 < size[0] * size[1] <= PIXEL_LIMIT:
        raise InputError(f"{origin}: damaged; enrol it again")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise InputError(f"{origin}: damaged; enrol it again")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
