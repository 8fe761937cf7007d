"""The part of a larger print that a sensor's window would see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHITE: Final = 255


def fit_to_window(
    image: NDArray[np.uint8], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Cut out, or pad with white to, shape (height, width) around the ridges.

    The scale stays: image and sensor have the same resolution. Raises ValueError if the
    image is not uint8 of two dimensions.
    """
    if image.dtype != np.uint8 or image.ndim != 2 or image.size == 0:
        msg = f"finger image: {image.dtype} {image.shape}; uint8 (height, width) needed"
        raise ValueError(msg)
    rows, columns = _ridge_centre(image)
    window = np.full(shape, _WHITE, dtype=np.uint8)
    source_y, target_y = _spans(image.shape[0], shape[0], rows)
    source_x, target_x = _spans(image.shape[1], shape[1], columns)
    window[target_y, target_x] = image[source_y, source_x]
    return window


def _ridge_centre(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the centre of gravity of the grey steps, which is where ridges are."""
    grey = image.astype(np.int16)
    steps_down = np.abs(np.diff(grey, axis=0)).sum(axis=1, dtype=np.float64)
    steps_across = np.abs(np.diff(grey, axis=1)).sum(axis=0, dtype=np.float64)
    return _centroid(steps_down, image.shape[0]), _centroid(
        steps_across, image.shape[1]
    )


def _centroid(weights: NDArray[np.float64], length: int) -> float:
    total = float(weights.sum())
    if total <= 0:
        return length / 2
    return float((weights * (np.arange(weights.size) + 1)).sum() / total)


def _spans(length: int, window: int, centre: float) -> tuple[slice, slice]:
    if length <= window:
        start = (window - length) // 2
        return slice(0, length), slice(start, start + length)
    start = round(min(max(0.0, centre - window / 2), length - window))
    return slice(start, start + window), slice(0, window)
