"""From five points to the canonical chip that the embedding network was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ChipLayout:
    """What a network was trained on.

    size_px: of the square chip. points: float64 (5, 2), where in it the eyes, the nose
    and the mouth corners lie, those on the image's left first.
    """

    size_px: int
    points: NDArray[np.float64]


# Fitted on development images to the network's own alignment, then drawn apart by 1 in
# 20, which lowered the false non-match rate there a little.
DLIB_LAYOUT = ChipLayout(
    150,
    np.array(
        [[45.7, 43.7], [104.1, 44.3], [74.9, 77.5], [50.0, 103.0], [100.3, 103.6]]
    ),
)
# The publisher's reference points, in shares of the chip.
RETAIL_LAYOUT = ChipLayout(
    128,
    128
    * np.array(
        [
            [0.31556875, 0.46157422],
            [0.68262304, 0.46157422],
            [0.50026268, 0.64050537],
            [0.34947187, 0.82469196],
            [0.65343416, 0.82325089],
        ]
    ),
)


@dataclass(frozen=True, eq=False)
class Chip:
    """image: uint8 RGB, square. inside: share of it that the frame covers."""

    image: NDArray[np.uint8]
    inside: float


def similarity_transform(
    source: NDArray[Any], target: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the 2x3 similarity that maps source to target points best.

    Least squares: in complex numbers the map is z -> a z + b, so a is a projection.
    Points that all coincide map to the target's centre.
    """
    source_z = source[:, 0].astype(np.float64) + 1j * source[:, 1]
    target_z = target[:, 0].astype(np.float64) + 1j * target[:, 1]
    source_mean, target_mean = source_z.mean(), target_z.mean()
    centred = source_z - source_mean
    spread = float(np.vdot(centred, centred).real)
    a = np.vdot(centred, target_z - target_mean) / spread if spread > 0 else 0j
    b = target_mean - a * source_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def cut_chip(
    image: NDArray[np.uint8],
    points: NDArray[Any],
    layout: ChipLayout = DLIB_LAYOUT,
) -> Chip:
    """Return the face turned upright and scaled to the chip, black outside the frame.

    image: uint8 RGB. points: (5, 2) in its pixels, as Face.points.
    """
    transform = similarity_transform(points, layout.points)
    extent = (layout.size_px, layout.size_px)
    frame = np.full(image.shape[:2], 255, np.uint8)
    inside = float(cv2.warpAffine(frame, transform, extent).mean()) / 255.0
    return Chip(warped(image, transform, extent), inside)


def warped(
    image: NDArray[np.uint8],
    transform: NDArray[np.float64],
    extent: tuple[int, int],
) -> NDArray[np.uint8]:
    """Return the image under a similarity, black outside it.

    transform: 2x3, from the image's pixels to the result's. extent: width and height of
    the result.
    """
    height, width = image.shape[:2]
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if 0 < scale < 0.5:
        # Bilinear sampling would skip pixels: average first, then sample.
        shrunk = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA).astype(np.uint8)
        # Pixel centres lie at half-integers of the extent, hence the half-pixel shifts.
        factor = np.array([width / shrunk[0], height / shrunk[1]])
        offset = (factor - 1) / 2
        transform = np.column_stack(
            [transform[:, :2] * factor, transform[:, :2] @ offset + transform[:, 2]]
        )
    result = cv2.warpAffine(image, transform, extent, flags=cv2.INTER_LINEAR)
    return result.astype(np.uint8, copy=False)
