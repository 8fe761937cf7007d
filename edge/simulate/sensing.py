"""What a sensor makes of the ridges that touch it: grey values.

Pressure moves the edge between ridge and valley, moisture fills valleys or breaks
ridges, pores dot the ridges, dirt and the last finger's residue lie on the plate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulate.skin import smooth_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

PAPER = 245.0
INK = 30.0


def touched(
    ridges: Field, pressure: float, moisture: float, rng: np.random.Generator
) -> Field:
    """Return how dark each place prints, 0 to 1.

    ridges: -1 (valley) to 1 (ridge). pressure, moisture: -1 to 1, see Condition.
    """
    texture = _texture(rng, ridges.shape, 1.6)
    grain = _texture(rng, ridges.shape, 0.8)
    pressing, damp = smooth_field(rng, _shape(ridges), scale_px=60)
    wet = moisture + 0.22 * damp
    level = ridges + 0.55 * pressure + 0.22 * pressing + 0.35 * wet
    level = level + (0.3 + 0.8 * np.maximum(-wet, 0)) * texture + 0.12 * grain
    ink = 1 / (1 + np.exp(-4.0 * level))
    # A dry finger prints paler, and so does a light touch.
    depth = np.clip(0.93 + 0.25 * wet + 0.2 * (pressure + 0.4 * pressing), 0.45, 1.0)
    return np.asarray(cv2.GaussianBlur(ink * depth, (0, 0), 0.8), np.float32)


def contact_area(
    shape: tuple[int, int], coverage: float, rng: np.random.Generator
) -> Field:
    """Return the contact area, 1 inside to 0 outside, with a ragged edge."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    # A superellipse: fingertips are rounder at the tip than at their sides.
    power = rng.uniform(2.0, 2.8)
    across = np.abs(x - width / 2) / (width * rng.uniform(0.47, 0.52))
    down = np.abs(y - height / 2) / (height * rng.uniform(0.48, 0.54))
    radius = (across**power + down**power) ** (1 / power)
    coarse = smooth_field(rng, shape, scale_px=40)[0]
    fine = _texture(rng, shape, 2.0)
    edge = (coverage + 0.03 * coarse + 0.02 * fine - radius) / 0.035
    return np.asarray(np.clip(edge + 0.5, 0, 1), np.float32)


def sensed(
    ink: Field, contact: Field, noise: float, dirt: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the picture: ink on a plate that is not quite even, nor quite clean.

    noise: standard deviation in grey levels. dirt: 0 (clean) to 1.
    """
    shape = _shape(ink)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    tilt = rng.normal(0, 5, 2)
    plate = (
        PAPER - 4.0 + tilt[0] * (x / shape[1] - 0.5) + tilt[1] * (y / shape[0] - 0.5)
    )
    contrast = rng.uniform(0.82, 1.0) * (PAPER - INK)
    grey = plate - contrast * ink * contact
    # Drawn even for a clean plate, so that all else stays the same picture.
    grey = grey - 45.0 * dirt * _residue(shape, rng) * (1 - 0.5 * contact)
    # The skin between the ridges shimmers through where it nearly touches.
    grey = grey - rng.uniform(0, 14) * contact
    grey = grey + rng.normal(0, noise, shape)
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)


def _residue(shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """Return smears and specks, 0 to 1."""
    clouds = np.clip(smooth_field(rng, shape, scale_px=35)[0] - 0.6, 0, 1)
    stroke = max(int(rng.integers(9, 31)), 3)
    smears = cv2.blur(_texture(rng, shape, 1.2), (stroke, 3))
    specks = _texture(rng, shape, 1.4) > 3.1
    return np.asarray(
        np.clip(clouds * (0.7 + smears) + specks.astype(np.float32), 0, 1), np.float32
    )


def _texture(
    rng: np.random.Generator, shape: tuple[int, ...], sigma_px: float
) -> Field:
    """Return fine noise of unit deviation."""
    noise = cv2.GaussianBlur(
        rng.normal(0, 1, shape).astype(np.float32), (0, 0), sigma_px
    )
    return np.asarray(noise / noise.std(), np.float32)


def _shape(image: Field) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
