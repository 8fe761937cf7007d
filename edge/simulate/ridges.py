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
from edge.simulate.template_random import seeded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

HEIGHT, WIDTH = 460, 400  # px at 500 ppi: larger than any scanner window of the demo
MIDDLE_ROW = 215.0  # of the finger's middle
RIDGE_PERIOD_PX = 9.0  # of a grown-up's finger, on average
ORIENTATIONS = 24
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


def grow_ridges(
    orientation: Field,
    rng: np.random.Generator,
    period_px: float = RIDGE_PERIOD_PX,
    rounds: int = 14,
) -> Field:
    """Return the ridge pattern, -1 (valley) to 1 (ridge), of the field's shape.

    rounds: the more, the fewer minutiae are left.
    """
    # Ridges find their places on a grid of half the resolution, at a small cost.
    coarse = orientation[::2, ::2]
    noise = rng.normal(0, 1, coarse.shape).astype(np.float32)
    rough = _grown(noise, coarse, period_px / 2, rounds)
    size = orientation.shape[::-1]
    smooth = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return _grown(smooth, orientation, period_px, FINE_ROUNDS)


def _grown(pattern: Field, orientation: Field, period_px: float, rounds: int) -> Field:
    angles = [k * np.pi / ORIENTATIONS for k in range(ORIENTATIONS)]
    bank = [_filter(angle, period_px) for angle in angles]
    nearest = np.rint(orientation * ORIENTATIONS / np.pi).astype(np.int64)
    nearest %= ORIENTATIONS
    masks = [(nearest == k).astype(np.float32) for k in range(ORIENTATIONS)]
    for _ in range(rounds):
        grown = np.zeros_like(pattern)
        for kernel, mask in zip(bank, masks, strict=True):
            if mask.any():
                grown += mask * cv2.filter2D(pattern, cv2.CV_32F, kernel)
        pattern = np.tanh(3 * grown / (grown.std() + 1e-6)).astype(np.float32)
    return pattern


def _stream(rng: np.random.Generator) -> NDArray[np.uint64]:
    state = np.zeros(1, np.uint64)
    seeded(state, np.uint64(rng.integers(2**63)), 0)
    return state


def _filter(orientation: float, period_px: float) -> Field:
    half = round(KERNEL_PERIODS * period_px)
    y, x = np.mgrid[-half : half + 1, -half : half + 1] / period_px
    along = x * np.cos(orientation) + y * np.sin(orientation)
    across = -x * np.sin(orientation) + y * np.cos(orientation)
    spread = (along / ALONG_PERIODS) ** 2 + (across / ACROSS_PERIODS) ** 2
    envelope = np.exp(-0.5 * spread)
    kernel = envelope * np.cos(2 * np.pi * across)
    # Without a constant part the filter answers to ridges only.
    kernel -= envelope * (kernel.sum() / envelope.sum())
    return np.asarray(kernel / np.abs(kernel).sum(), np.float32)
