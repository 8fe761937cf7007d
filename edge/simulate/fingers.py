"""Fingers that do not exist: one ridge pattern, many impressions of it.

Impressions of one finger differ as real ones do: placement, rotation, elastic
distortion, pressure, moisture, contact area, noise. Everything follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulate.ridges import HEIGHT, WIDTH, Pattern, grow_ridges, orientation_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

WINDOW = (288, 256)  # height, width in px at 500 ppi
PAPER = 245.0
INK = 30.0


@dataclass(frozen=True)
class Condition:
    """How a finger meets the sensor. What is None varies with the impression.

    pressure: -1 (hardly touching, thin ridges) to 1 (heavy, thick ridges).
    moisture: -1 (dry, broken ridges) to 1 (wet, merged ridges).
    coverage: share of the window's half axes that touches.
    """

    pressure: float | None = None
    moisture: float | None = None
    rotation_deg: float | None = None
    shift_px: tuple[float, float] | None = None
    distortion_px: float | None = None
    noise: float = 6.0
    coverage: float | None = None


ORDINARY = Condition()


class SyntheticFinger:
    """One finger. pattern: chosen by the seed, with natural frequencies, if None."""

    def __init__(self, seed: int, pattern: Pattern | None = None) -> None:
        self.seed = seed
        rng = np.random.default_rng([seed, 0])
        # Frequencies of the classes after Wilson, Candela and Watson (1993).
        drawn = rng.choice(list(Pattern), p=[0.07, 0.34, 0.31, 0.28])
        self.pattern = Pattern(drawn) if pattern is None else pattern

    @cached_property
    def ridges(self) -> NDArray[np.float32]:
        """The ridge pattern, -1 to 1, larger than the window."""
        rng = np.random.default_rng([self.seed, 1])
        pattern = grow_ridges(orientation_field(self.pattern, rng), rng)
        # Stretching it smoothly makes the ridge period vary over the finger.
        stretch = _smooth_field(rng, (HEIGHT, WIDTH), scale_px=90)
        return _warp(pattern, 5.0 * stretch[0], 5.0 * stretch[1])

    def impression(self, number: int, *, condition: Condition = ORDINARY) -> Image:
        """Return impression number of this finger, shape WINDOW, dark ridges."""
        rng = np.random.default_rng([self.seed, 2, number])
        pressure = _given(condition.pressure, rng.uniform(-0.25, 0.25))
        moisture = _given(condition.moisture, rng.uniform(-0.35, 0.35))
        placed = self._place(condition, rng)
        grey = _render(placed, pressure, moisture, rng)
        contact = _contact(_given(condition.coverage, rng.uniform(0.86, 1.0)), rng)
        grey = PAPER - (PAPER - grey) * contact
        grey += rng.normal(0, condition.noise, grey.shape)
        return np.clip(np.rint(grey), 0, 255).astype(np.uint8)

    def _place(
        self, condition: Condition, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        height, width = WINDOW
        angle = np.deg2rad(_given(condition.rotation_deg, rng.normal(0, 7)))
        shift = (
            rng.normal(0, 9, 2)
            if condition.shift_px is None
            else np.array(condition.shift_px)
        )
        strength = _given(condition.distortion_px, rng.uniform(1.0, 3.5))
        bend = _smooth_field(rng, WINDOW, scale_px=70)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        x0, y0 = x - width / 2, y - height / 2
        u = np.cos(angle) * x0 - np.sin(angle) * y0 + WIDTH / 2 + shift[0]
        v = np.sin(angle) * x0 + np.cos(angle) * y0 + HEIGHT * 0.48 + shift[1]
        u += strength * bend[0]
        v += strength * bend[1]
        return cv2.remap(
            self.ridges,
            u.astype(np.float32),
            v.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        ).astype(np.float32)


def poor_impression(image: Image) -> Image:
    """Return what a sensor sees of the same finger when it hardly touches.

    A small patch at the edge, faint and broken: nothing to search with.
    """
    height, width = image.shape
    y, x = np.mgrid[0:height, 0:width]
    patch = ((x - width * 0.9) / (width * 0.2)) ** 2
    patch = patch + ((y - height * 0.92) / (height * 0.16)) ** 2
    faint = PAPER - (PAPER - image.astype(np.float32)) * 0.12
    poor = np.where(patch < 1, np.minimum(faint, PAPER), PAPER)
    return np.clip(poor, 0, 255).astype(np.uint8)


def _render(
    ridges: NDArray[np.float32],
    pressure: float,
    moisture: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Turn the pattern into grey values.

    Pressure moves the edge between ridge and valley, moisture fills valleys or breaks
    ridges, pores dot the ridges.
    """
    texture = np.asarray(
        cv2.GaussianBlur(rng.normal(0, 1, ridges.shape), (0, 0), 1.6), np.float64
    )
    texture = texture / texture.std()
    clouds = _smooth_field(rng, WINDOW, scale_px=45)[0]
    level = ridges + 0.55 * pressure + 0.25 * clouds + 0.3 * moisture
    level = level + (0.22 - 0.3 * min(moisture, 0.0)) * texture
    ink = 1 / (1 + np.exp(-4.0 * level))
    grey = PAPER - (PAPER - INK) * ink
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.8), np.float32)


def _contact(coverage: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the contact area, 1 inside to 0 outside, with a ragged edge."""
    height, width = WINDOW
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    radius = ((x - width / 2) / (width * 0.5)) ** 2
    radius = np.sqrt(radius + ((y - height / 2) / (height * 0.52)) ** 2)
    ragged = 0.05 * _smooth_field(rng, WINDOW, scale_px=14)[0]
    edge = (coverage + ragged - radius) / 0.03
    return np.asarray(np.clip(edge + 0.5, 0, 1), np.float32)


def _smooth_field(
    rng: np.random.Generator, shape: tuple[int, int], *, scale_px: float
) -> NDArray[np.float32]:
    """Return two smooth random fields of unit deviation, shape (2, height, width)."""
    coarse = (int(shape[0] / scale_px) + 3, int(shape[1] / scale_px) + 3)
    fields = rng.normal(0, 1, (2, *coarse)).astype(np.float32)
    return np.stack(
        [cv2.resize(f, shape[::-1], interpolation=cv2.INTER_CUBIC) for f in fields]
    )


def _warp(
    image: NDArray[np.float32], dx: NDArray[np.float32], dy: NDArray[np.float32]
) -> NDArray[np.float32]:
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype(np.float32)
    return cv2.remap(
        image, x + dx, y + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    ).astype(np.float32)


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
