"""Fingerprint images: reading, and the one resolution that recognition works at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.errors import InputError
from edge.recognition.image_file import read_grey_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RESOLUTION_PPI = 500.0
LOWEST_PPI = 250.0
HIGHEST_PPI = 1000.0
# Sensors vary by as much from piece to piece; resampling would only blur.
UNCHANGED_WITHIN_PPI = 5.0
LARGEST_SIDE_PX = 2048


def read_finger_image(
    path: Path, resolution_ppi: float = RESOLUTION_PPI
) -> NDArray[np.uint8]:
    """Return the print as it is in the file, uint8 (height, width), dark ridges.

    Raises:
        InputError: the file cannot be read, or is not usable at this resolution.
    """
    image = read_grey_image(path)
    try:
        at_500_ppi(image, resolution_ppi)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return image


def at_500_ppi(image: NDArray[np.uint8], resolution_ppi: float) -> NDArray[np.uint8]:
    """Return the print resampled to 500 ppi, contiguous.

    Raises:
        InputError: not a grey uint8 image, wrong resolution, or too large.
    """
    if image.dtype != np.uint8 or image.ndim != 2 or not image.size:
        raise InputError(
            f"fingerprint image: {image.dtype} of shape {image.shape}; "
            "give grey, 8 bits a pixel"
        )
    if not LOWEST_PPI <= resolution_ppi <= HIGHEST_PPI:
        raise InputError(
            f"fingerprint image: wrong resolution {resolution_ppi:g} ppi; "
            f"allowed are {LOWEST_PPI:g} to {HIGHEST_PPI:g}"
        )
    scale = RESOLUTION_PPI / resolution_ppi
    if abs(resolution_ppi - RESOLUTION_PPI) <= UNCHANGED_WITHIN_PPI:
        scale = 1.0
    height, width = (max(1, round(side * scale)) for side in image.shape)
    if max(height, width) > LARGEST_SIDE_PX:
        raise InputError(
            f"fingerprint image: {width} x {height} pixels at 500 ppi;"
            f" at most {LARGEST_SIDE_PX} a side, check the resolution"
        )
    image = np.ascontiguousarray(image)
    if image.shape == (height, width):
        return image
    # Shrinking by pixel areas keeps what is finer than the new pixels out.
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    resized = cv2.resize(image, (width, height), interpolation=method)
    return np.ascontiguousarray(resized, np.uint8)
