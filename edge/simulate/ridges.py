"""Grow a ridge pattern along an orientation field.

The ridges grow from noise by filtering it again and again along the field (R. Cappelli,
D. Maio, D. Maltoni: "Synthetic fingerprint-image generation", ICPR 2000), so minutiae
arise where they must.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.simulate import template_fields as fields
from edge.simulate.place_filter import filtered
from edge.simulate.skin import smooth_field
from edge.simulate.template_random import seeded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

HEIGHT, WIDTH = 460, 400  # px at 500 ppi: larger than any scanner window of the demo
MIDDLE_ROW = 215.0  # of the finger's middle
RIDGE_PERIOD_PX = 9.0  # of a grown-up's finger, on average
PERIOD_FACTORS = (0.75, 1.3)  # within one finger
ORIENTATIONS, PERIODS = 24, 7
FINE_ROUNDS = 3
# The filter's half width and its standard deviations, in ridge periods.
KERNEL_PERIODS = 1.4
ALONG_PERIODS, ACROSS_PERIODS = 0.78, 0.45


class Pattern(StrEnum):
    """Henry classes, in the order of the codes of edge.simulate.template_fields."""

    ARCH = "arch"
    TENTED_ARCH = "tented_arch"
    LEFT_LOOP = "left_loop"
    RIGHT_LOOP = "right_loop"
    WHORL = "whorl"
    DOUBLE_LOOP = "double_loop"


def natural_pattern(rng: np.random.Generator) -> Pattern:
    """Return a class with the frequency it has on people's fingers."""
    position = int(rng.integers(1, 11))
    return list(Pattern)[int(fields.draw_pattern(_stream(rng), position))]


def orientation_field(pattern: Pattern, rng: np.random.Generator) -> Field:
    """Return ridge orientation in radians, 0 to pi, y down; shape (HEIGHT, WIDTH)."""
    poles = np.zeros((fields.POLES, fields.POLE))
    waves = np.zeros((fields.WAVES, fields.WAVE))
    arch = np.zeros(fields.ARCHES)
    orientation = np.zeros((HEIGHT, WIDTH), np.float32)
    fields.draw_field(_stream(rng), list(Pattern).index(pattern), poles, waves, arch)
    fields.fill_directions(poles, waves, arch, MIDDLE_ROW, orientation)
    return orientation


def period_map(rng: np.random.Generator, period_px: float) -> Field:
    """Return the ridge period at each place, in px, shape (HEIGHT, WIDTH).

    It varies over the finger, and grows towards the crease below the print.
    """
    varied = 0.13 * smooth_field(rng, (HEIGHT, WIDTH), scale_px=55)[0]
    downwards = 0.06 * (np.linspace(0, 1, HEIGHT) - MIDDLE_ROW / HEIGHT)
    factor = np.clip(1 + varied + downwards[:, None], *PERIOD_FACTORS)
    return np.asarray(period_px * factor, np.float32)


def grow_ridges(
    orientation: Field, period: Field, rng: np.random.Generator, rounds: int = 14
) -> Field:
    """Return the ridge pattern, -1 (valley) to 1 (ridge), of the field's shape.

    period: ridge period at each place, in px. rounds: the more, the fewer minutiae.
    """
    # Ridges find their places on a grid of half the resolution, at a small cost.
    coarse = orientation[::2, ::2]
    half = (period[::2, ::2] / 2).astype(np.float32)
    noise = rng.normal(0, 1, coarse.shape).astype(np.float32)
    rough = _grown(noise, coarse, half, rounds)
    size = orientation.shape[::-1]
    smooth = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return _grown(smooth, orientation, period, FINE_ROUNDS)


def _grown(pattern: Field, orientation: Field, period: Field, rounds: int) -> Field:
    steps = np.linspace(float(period.min()), float(period.max()), PERIODS)
    half = round(KERNEL_PERIODS * float(steps[-1]))
    angles = [k * np.pi / ORIENTATIONS for k in range(ORIENTATIONS)]
    bank = np.stack([_filter(angle, step, half) for step in steps for angle in angles])
    widest = max(float(steps[-1] - steps[0]), 1e-6)
    nearest = np.rint((period - steps[0]) / widest * (PERIODS - 1)).astype(np.int64)
    turned = np.rint(orientation * ORIENTATIONS / np.pi).astype(np.int64)
    choice = nearest * ORIENTATIONS + turned % ORIENTATIONS
    for _ in range(rounds):
        grown = filtered(pattern, choice, bank)
        pattern = np.tanh(3 * grown / (grown.std() + 1e-6)).astype(np.float32)
    return pattern


def _stream(rng: np.random.Generator) -> NDArray[np.uint64]:
    state = np.zeros(1, np.uint64)
    seeded(state, np.uint64(rng.integers(2**63)), 0)
    return state


def _filter(orientation: float, period_px: float, half_px: int) -> Field:
    y, x = np.mgrid[-half_px : half_px + 1, -half_px : half_px + 1] / period_px
    along = x * np.cos(orientation) + y * np.sin(orientation)
    across = -x * np.sin(orientation) + y * np.cos(orientation)
    spread = (along / ALONG_PERIODS) ** 2 + (across / ACROSS_PERIODS) ** 2
    envelope = np.exp(-0.5 * spread)
    kernel = envelope * np.cos(2 * np.pi * across)
    # Without a constant part the filter answers to ridges only.
    kernel -= envelope * (kernel.sum() / envelope.sum())
    return np.asarray(kernel / np.abs(kernel).sum(), np.float32)
