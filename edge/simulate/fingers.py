"""Fingers that do not exist: one ridge pattern, many impressions of it.

Impressions of one finger differ as real ones do: placement, rotation, plastic
distortion, pressure, moisture, contact area, dirt, noise. All follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulate.ridges import (
    HEIGHT,
    MIDDLE_ROW,
    RIDGE_PERIOD_PX,
    WIDTH,
    Pattern,
    grow_ridges,
    natural_pattern,
    orientation_field,
    period_map,
)
from edge.simulate.sensing import PAPER, contact_area, sensed, touched
from edge.simulate.skin import plastic_distortion, smooth_field, warped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]

WINDOW = (288, 256)  # height, width in px at 500 ppi
_PERIOD_SPREAD, _PERIODS_PX = 0.09, (7.5, 11.0)


@dataclass(frozen=True)
class Condition:
    """How a finger meets the sensor. What is None varies with the impression.

    pressure: -1 (hardly touching, thin ridges) to 1 (heavy, thick ridges).
    moisture: -1 (dry, broken ridges) to 1 (wet, merged ridges).
    distortion_px: how far the skin at the rim slips.
    coverage: share of the window's half axes that touches.
    dirt: 0 (a clean plate) to 1 (full of the last finger's residue).
    """

    pressure: float | None = None
    moisture: float | None = None
    rotation_deg: float | None = None
    shift_px: tuple[float, float] | None = None
    distortion_px: float | None = None
    noise: float = 6.0
    coverage: float | None = None
    dirt: float | None = None


ORDINARY = Condition()


class SyntheticFinger:
    """One finger. pattern: chosen by the seed, with natural frequencies, if None."""

    def __init__(self, seed: int, pattern: Pattern | None = None) -> None:
        self.seed = seed
        rng = np.random.default_rng([seed, 0])
        drawn = natural_pattern(rng)
        self.pattern = drawn if pattern is None else pattern
        period = RIDGE_PERIOD_PX * float(np.exp(rng.normal(0, _PERIOD_SPREAD)))
        self.period_px = float(np.clip(period, *_PERIODS_PX))

    @cached_property
    def ridges(self) -> NDArray[np.float32]:
        """The ridge pattern, -1 to 1, larger than the window."""
        rng = np.random.default_rng([self.seed, 1])
        field = orientation_field(self.pattern, rng)
        period = period_map(rng, self.period_px)
        pattern = grow_ridges(field, period, rng, int(rng.integers(4, 17)))
        # No finger follows its orientation field exactly.
        stretch = 4.0 * smooth_field(rng, (HEIGHT, WIDTH), scale_px=90)
        return _creased(warped(pattern, stretch[0], stretch[1]), rng)

    def impression(self, number: int, *, condition: Condition = ORDINARY) -> Image:
        """Return impression number of this finger, shape WINDOW, dark ridges."""
        rng = np.random.default_rng([self.seed, 2, number])
        pressure = _given(condition.pressure, rng.normal(0, 0.25))
        moisture = _given(condition.moisture, rng.normal(-0.1, 0.4))
        placed = self._place(condition, rng)
        coverage = _given(condition.coverage, rng.uniform(0.84, 1.0) + 0.08 * pressure)
        dirt = _given(condition.dirt, max(0.0, rng.normal(0.1, 0.25)))
        ink = touched(placed, pressure, moisture, rng)
        contact = contact_area(WINDOW, coverage, rng)
        return sensed(ink, contact, condition.noise, dirt, rng)

    def _place(
        self, condition: Condition, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        height, width = WINDOW
        angle = np.deg2rad(_given(condition.rotation_deg, rng.normal(0, 7)))
        shift = (
            np.clip(rng.normal(0, 14, 2), -35, 35)
            if condition.shift_px is None
            else np.array(condition.shift_px)
        )
        strength = _given(condition.distortion_px, rng.gamma(4.0, 1.8))
        bend = plastic_distortion(rng, WINDOW, strength)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        x0, y0 = x - width / 2 + bend[0], y - height / 2 + bend[1]
        u = np.cos(angle) * x0 - np.sin(angle) * y0 + WIDTH / 2 + shift[0]
        v = np.sin(angle) * x0 + np.cos(angle) * y0 + MIDDLE_ROW + shift[1]
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


def _creased(
    ridges: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Cut a finger's creases and scars into the ridges: thin lines without contact."""
    lines = np.zeros(ridges.shape, np.float32)
    for _ in range(rng.poisson(1.5)):
        start = rng.uniform((40, 60), (WIDTH - 40, HEIGHT - 60))
        heading, bow = rng.normal(0.3, 0.6), rng.normal(0, 0.15)
        steps = np.linspace(0, 1, 8)
        turned = heading + bow * steps
        length = rng.uniform(30, 130)
        x = start[0] + length * steps * np.cos(turned)
        y = start[1] + length * steps * np.sin(turned)
        points = np.rint(np.stack([x, y], axis=1) * 8).astype(np.int32)
        width = int(rng.integers(1, 4))
        cv2.polylines(
            lines, [points], isClosed=False, color=1.0, thickness=width, shift=3
        )
    soft = cv2.GaussianBlur(lines, (0, 0), 0.9)
    return np.asarray(ridges - 2.2 * soft * (ridges + 1), np.float32)


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
