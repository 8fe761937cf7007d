"""How skin moves under pressure, and other smooth random fields.

Distortion after R. Cappelli, D. Maio, D. Maltoni: "Modelling plastic distortion in
fingerprint images" (ICAPR 2001): the middle of the contact sticks, the rim slips with
the finger, and the skin between stretches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]


def smooth_field(
    rng: np.random.Generator, shape: tuple[int, int], *, scale_px: float
) -> Field:
    """Return two smooth random fields of unit deviation, shape (2, height, width)."""
    coarse = (int(shape[0] / scale_px) + 3, int(shape[1] / scale_px) + 3)
    drawn = rng.normal(0, 1, (2, *coarse)).astype(np.float32)
    return np.stack(
        [cv2.resize(f, shape[::-1], interpolation=cv2.INTER_CUBIC) for f in drawn]
    )


def warped(image: Field, dx: Field, dy: Field) -> Field:
    """Return the image whose place x, y shows what lay at x + dx, y + dy."""
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    return cv2.remap(
        image, x + dx, y + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    ).astype(np.float32)


def plastic_distortion(
    rng: np.random.Generator, shape: tuple[int, int], strength_px: float
) -> Field:
    """Return displacements dx, dy in px, shape (2, height, width).

    strength_px: how far the rim slips at most, by traction and by torque, each.
    """
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    middle = (width / 2 + rng.normal(0, 12), height / 2 + rng.normal(0, 15))
    x0, y0 = x - middle[0], y - middle[1]
    half_width, half_height = rng.uniform(25, 45), rng.uniform(30, 55)
    from_middle = np.sqrt((x0 / half_width) ** 2 + (y0 / half_height) ** 2)
    elasticity = rng.uniform(1.5, 3.0)
    slip = np.clip((from_middle - 1) / elasticity, 0, 1)
    brake = 0.5 * (1 - np.cos(np.pi * slip))
    pulled = rng.normal(0, 0.7 * strength_px, 2)
    turned = np.clip(rng.normal(0, 0.7 * strength_px), -16, 16) / 110.0
    dx = (pulled[0] - turned * y0) * brake
    dy = (pulled[1] + turned * x0) * brake
    return np.stack([dx, dy]).astype(np.float32)
