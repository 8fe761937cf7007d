"""Grow a ridge pattern along an orientation field.

The orientation field is the zero-pole model of Sherlock and Monro (1993): cores turn
it by half a turn one way, deltas the other. The ridges grow from noise by filtering it
again and again along the field (Cappelli's SFinGe, 2000), so minutiae arise where they
must.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

HEIGHT, WIDTH = 420, 380  # px at 500 ppi: larger than any scanner window of the demo
RIDGE_PERIOD_PX = 9.0
ORIENTATIONS = 24
ITERATIONS = 7
KERNEL_PX = 25
ALONG_PX, ACROSS_PX = 5.2, 3.6  # standard deviations of the filter


class Pattern(StrEnum):
    ARCH = "arch"
    LEFT_LOOP = "left_loop"
    RIGHT_LOOP = "right_loop"
    WHORL = "whorl"


def orientation_field(pattern: Pattern, rng: np.random.Generator) -> Field:
    """Return ridge orientation in radians, 0 to pi, y down; shape (HEIGHT, WIDTH)."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    jitter = rng.normal(0, 8, 8)
    if pattern is Pattern.ARCH:
        lift = rng.uniform(0.5, 0.9)
        across = (x - WIDTH / 2) / WIDTH
        fade = np.exp(-(((y - HEIGHT * 0.55) / (HEIGHT * 0.35)) ** 2))
        slope = -lift * np.sin(2 * np.pi * across) * fade
        return np.asarray(np.mod(np.arctan(-slope), np.pi), np.float32)
    centre = (WIDTH / 2 + jitter[0], HEIGHT * 0.42 + jitter[1])
    if pattern is Pattern.WHORL:
        gap = rng.uniform(12, 30)
        cores = [(centre[0], centre[1] - gap), (centre[0], centre[1] + gap)]
        deltas = [
            (WIDTH * 0.12 + jitter[2], HEIGHT * 0.82 + jitter[3]),
            (WIDTH * 0.88 + jitter[4], HEIGHT * 0.82 + jitter[5]),
        ]
    else:
        side = 0.85 if pattern is Pattern.LEFT_LOOP else 0.15
        cores = [centre]
        deltas = [(WIDTH * side + jitter[2], HEIGHT * 0.85 + jitter[3])]
    angle = np.zeros_like(x)
    for cx, cy in cores:
        angle += np.arctan2(y - cy, x - cx)
    for dx, dy in deltas:
        angle -= np.arctan2(y - dy, x - dx)
    return np.asarray(np.mod(angle / 2, np.pi), np.float32)


def grow_ridges(orientation: Field, rng: np.random.Generator) -> Field:
    """Return the ridge pattern, -1 (valley) to 1 (ridge), of the field's shape."""
    bank = [_filter(k * np.pi / ORIENTATIONS) for k in range(ORIENTATIONS)]
    nearest = np.rint(orientation * ORIENTATIONS / np.pi).astype(np.int64)
    nearest %= ORIENTATIONS
    masks = [(nearest == k).astype(np.float32) for k in range(ORIENTATIONS)]
    pattern = rng.normal(0, 1, orientation.shape).astype(np.float32)
    for _ in range(ITERATIONS):
        grown = np.zeros_like(pattern)
        for kernel, mask in zip(bank, masks, strict=True):
            if mask.any():
                grown += mask * cv2.filter2D(pattern, cv2.CV_32F, kernel)
        pattern = np.tanh(3 * grown / (grown.std() + 1e-6)).astype(np.float32)
    return pattern


def _filter(orientation: float) -> Field:
    half = KERNEL_PX // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    along = x * np.cos(orientation) + y * np.sin(orientation)
    across = -x * np.sin(orientation) + y * np.cos(orientation)
    envelope = np.exp(-0.5 * ((along / ALONG_PX) ** 2 + (across / ACROSS_PX) ** 2))
    kernel = envelope * np.cos(2 * np.pi * across / RIDGE_PERIOD_PX)
    # Without a constant part the filter answers to ridges only.
    kernel -= envelope * (kernel.sum() / envelope.sum())
    return np.asarray(kernel / np.abs(kernel).sum(), np.float32)
