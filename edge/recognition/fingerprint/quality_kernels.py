"""Compiled loops of the quality measures: what one block of a print looks like.

The measures are those of ISO/IEC 29794-4 (orientation certainty, local clarity, ridge
valley uniformity, frequency domain analysis), written for one pass over each block.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.fingerprint.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_PX = 32
# A rotated window of 32 x 16 pixels reaches this far beyond an upright block.
BORDER_PX = 2

# Columns of block_measures.
MEAN, DEVIATION, CERTAINTY, ANGLE = 0, 1, 2, 3
CLARITY, SPECTRUM, PERIOD_PX = 4, 5, 6
RIDGE_SHARE, UNEVENNESS, RIDGE_GREY, VALLEY_GREY = 7, 8, 9, 10
COLUMNS = 11

# Sum of (t - 15.5) squared over the 32 places of a profile.
_SQUARES = 2728.0


@compiled
def block_measures(image: NDArray[np.uint8], step: int) -> NDArray[np.float32]:
    """Return float32 (rows, columns, COLUMNS), one block every step pixels.

    image: at least BLOCK_PX + 2 BORDER_PX pixels a side, 500 ppi, dark ridges.
    """
    reach = BLOCK_PX + 2 * BORDER_PX
    rows = (image.shape[0] - reach) // step + 1
    columns = (image.shape[1] - reach) // step + 1
    found = np.zeros((rows, columns, COLUMNS), np.float32)
    window = np.empty((16, 32), np.float64)
    profile = np.empty(32, np.float64)
    for i in range(rows):
        for j in range(columns):
            top, left = BORDER_PX + i * step, BORDER_PX + j * step
            out = found[i, j]
            _gradients(image, top, left, out)
            _unroll(image, top, left, float(out[ANGLE]), window, profile)
            _ridges(window, profile, out)
            _waves(profile, out)
    return found


@compiled
def _gradients(
    image: NDArray[np.uint8], top: int, left: int, out: NDArray[np.float32]
) -> None:
    """Mean, deviation, orientation certainty and the angle across the ridges."""
    total = squares = xx = yy = xy = 0.0
    for y in range(top, top + 32):
        for x in range(left, left + 32):
            value = float(image[y, x])
            total += value
            squares += value * value
            dx = (float(image[y, x + 1]) - float(image[y, x - 1])) / 2
            dy = (float(image[y + 1, x]) - float(image[y - 1, x])) / 2
            xx += dx * dx
            yy += dy * dy
            xy += dx * dy
    mean = total / 1024
    out[MEAN] = mean
    out[DEVIATION] = math.sqrt(max(squares / 1024 - mean * mean, 0.0))
    root = math.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    largest = xx + yy + root
    out[CERTAINTY] = 1 - (xx + yy - root) / largest if largest > 0 else 0.0
    out[ANGLE] = 0.5 * math.atan2(2 * xy, xx - yy)


@compiled
def _unroll(
    image: NDArray[np.uint8],
    top: int,
    left: int,
    angle: float,
    window: NDArray[np.float64],
    profile: NDArray[np.float64],
) -> None:
    """Sample the block with the ridges upright; profile is the mean along them."""
    cosine, sine = math.cos(angle), math.sin(angle)
    height, width = image.shape
    profile[:] = 0.0
    for s in range(16):
        for t in range(32):
            across, along = t - 15.5, s - 7.5
            x = left + 15.5 + across * cosine - along * sine
            y = top + 15.5 + across * sine + along * cosine
            column = min(max(int(x + 0.5), 0), width - 1)
            row = min(max(int(y + 0.5), 0), height - 1)
            value = float(image[row, column])
            window[s, t] = value
            profile[t] += value / 16


@compiled
def _ridges(
    window: NDArray[np.float64],
    profile: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """Local clarity, and ridges against valleys, split by the profile's trend."""
    slope, start = _trend(profile)
    wrong_ridge = wrong_valley = ridge_count = valley_count = 0
    ridge_sum = valley_sum = 0.0
    for t in range(32):
        level = start + slope * t
        is_ridge = profile[t] < level
        if is_ridge:
            ridge_count += 1
            ridge_sum += profile[t]
        else:
            valley_count += 1
            valley_sum += profile[t]
        for s in range(16):
            if is_ridge and window[s, t] >= level:
                wrong_ridge += 1
            elif not is_ridge and window[s, t] < level:
                wrong_valley += 1
    if ridge_count == 0 or valley_count == 0:
        out[RIDGE_GREY] = out[VALLEY_GREY] = out[MEAN]
        return
    out[RIDGE_SHARE] = ridge_count / 32
    out[RIDGE_GREY] = ridge_sum / ridge_count
    out[VALLEY_GREY] = valley_sum / valley_count
    ridge_width, valley_width, out[UNEVENNESS] = _widths(profile, slope, start)
    if 2.5 <= ridge_width <= 10 and 2 <= valley_width <= 10:
        out[CLARITY] = (
            1
            - (wrong_ridge / (16 * ridge_count) + wrong_valley / (16 * valley_count))
            / 2
        )


@compiled
def _trend(profile: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and start of the least squares line through the profile."""
    mean = moment = 0.0
    for t in range(32):
        mean += profile[t] / 32
        moment += profile[t] * (t - 15.5)
    slope = moment / _SQUARES
    return slope, mean - slope * 15.5


@compiled
def _widths(
    profile: NDArray[np.float64], slope: float, start: float
) -> tuple[float, float, float]:
    """Mean widths of whole ridges and valleys in px, and how uneven the pairs are.

    Unevenness is the mean absolute logarithm of ridge width over valley width.
    """
    last_change = -1.0
    former_width = 0.0
    widths = np.zeros(2)
    counts = np.zeros(2)
    uneven, pairs = 0.0, 0
    for t in range(1, 32):
        before = profile[t - 1] - start - slope * (t - 1)
        here = profile[t] - start - slope * t
        if (before < 0) == (here < 0):
            continue
        change = t - 1 + before / (before - here)
        if last_change >= 0:
            width = change - last_change
            kind = 0 if before < 0 else 1
            widths[kind] += width
            counts[kind] += 1
            if former_width > 0 and width > 0:
                uneven += abs(math.log(width / former_width))
                pairs += 1
            former_width = width
        last_change = change
    ridge = widths[0] / counts[0] if counts[0] else 0.0
    valley = widths[1] / counts[1] if counts[1] else 0.0
    return ridge, valley, uneven / pairs if pairs else 2.0


@compiled
def _waves(profile: NDArray[np.float64], out: NDArray[np.float32]) -> None:
    """Frequency domain analysis, and the ridge period by its strongest wave."""
    amplitude = np.zeros(17)
    mean = profile.mean()
    for k in range(1, 17):
        real = imaginary = 0.0
        for t in range(32):
            turn = 2 * math.pi * k * t / 32
            real += (profile[t] - mean) * math.cos(turn)
            imaginary += (profile[t] - mean) * math.sin(turn)
        amplitude[k] = math.sqrt(real * real + imaginary * imaginary)
    total = amplitude.sum()
    if total <= 0:
        return
    best = int(np.argmax(amplitude))
    if best <= 1 or best >= 15:
        out[SPECTRUM] = 0.0
        return
    near = amplitude[best - 1] + amplitude[best + 1]
    out[SPECTRUM] = (amplitude[best] + 0.3 * near) / total
    centre = (
        (best - 1) * amplitude[best - 1]
        + best * amplitude[best]
        + (best + 1) * amplitude[best + 1]
    ) / (near + amplitude[best])
    out[PERIOD_PX] = 32 / centre
