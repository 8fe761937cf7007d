"""Compiled loops of the quality measures of ISO/IEC 29794-4, as NFIQ 2 defines them.

quality_kernels measures what is wrong with a print; these are the standard's measures
to the letter, oddities included, because the score has to follow what they say:

- The angle across the ridges comes from the covariance of the gradients without the
  factor two of the true angle: up to ten degrees off for ridges between the axes.
- Gradients end at the block: its first and last lines have one-sided differences.
- The window of 32 x 16 pixels is turned about a point two pixels beside its centre
  where the block is padded (spectrum, uniformity); outside the block all is black.
- Orientation flow knows no turn: 89 and -89 degrees are far apart.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.fingerprint.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_PX, FLOW_BLOCK_PX = 32, 16
# A block is foreground where it deviates more than this part of the whole image.
FOREGROUND = 0.1
# A block of 32 with 2 pixels around holds the turned window, almost.
_BORDER_PX, _PADDED_PX = 2, 36
_FLOW_BORDER_PX = 10
_RIDGES_PX, _VALLEYS_PX = (3.0, 10.0), (2.0, 10.0)
_LEAST_TURN, _WHOLE_TURN = math.radians(4.0), math.radians(86.0)
# Sum of (t - 15.5) squared over the 32 places of a profile.
_SQUARES = 2728.0
# An even profile leaves what rounding makes of it.
_FAINTEST_WAVES = 1e-6
_COSINES = np.cos(2 * np.pi * np.arange(32) / 32)


@compiled
def foreground(image: NDArray[np.uint8], side: int) -> NDArray[np.bool_]:
    """Return where blocks of side x side pixels vary; the last ones may be smaller."""
    height, width = image.shape
    rows, columns = -(-height // side), -(-width // side)
    total = squares = 0.0
    deviation = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            block_sum = block_squares = 0
            bottom, right = min((i + 1) * side, height), min((j + 1) * side, width)
            for y in range(i * side, bottom):
                for x in range(j * side, right):
                    value = int(image[y, x])
                    block_sum += value
                    block_squares += value * value
            count = (bottom - i * side) * (right - j * side)
            mean = block_sum / count
            deviation[i, j] = math.sqrt(max(block_squares / count - mean * mean, 0.0))
            total += block_sum
            squares += block_squares
    mean = total / (height * width)
    whole = math.sqrt(max(squares / (height * width) - mean * mean, 0.0))
    return deviation > FOREGROUND * whole


@compiled
def covariance(
    image: NDArray[np.uint8], top: int, left: int, side: int
) -> tuple[float, float, float]:
    """Return the mean squares across and down and the mean product of the gradients."""
    xx = yy = xy = 0.0
    for y in range(top, top + side):
        above, below = max(y - 1, top), min(y + 1, top + side - 1)
        for x in range(left, left + side):
            before, after = max(x - 1, left), min(x + 1, left + side - 1)
            dx = (float(image[y, after]) - float(image[y, before])) / (after - before)
            dy = (float(image[below, x]) - float(image[above, x])) / (below - above)
            xx += dx * dx
            yy += dy * dy
            xy += dx * dy
    count = side * side
    return xx / count, yy / count, xy / count


@compiled
def certainties(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the orientation certainty of all whole blocks that are not even."""
    rows, columns = image.shape[0] // BLOCK_PX, image.shape[1] // BLOCK_PX
    found = np.empty(rows * columns)
    count = 0
    for i in range(rows):
        for j in range(columns):
            xx, yy, xy = covariance(image, i * BLOCK_PX, j * BLOCK_PX, BLOCK_PX)
            root = math.sqrt((xx - yy) ** 2 + 4 * xy * xy)
            if xx + yy + root > 0:
                found[count] = 1 - (xx + yy - root) / (xx + yy + root)
                count += 1
    return found[:count]


@compiled
def turns(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return by how much the angle turns around foreground blocks where it turns."""
    height, width = image.shape
    rows = max((height - 2 * _FLOW_BORDER_PX) // FLOW_BLOCK_PX, 0)
    columns = max((width - 2 * _FLOW_BORDER_PX) // FLOW_BLOCK_PX, 0)
    cells = foreground(image, FLOW_BLOCK_PX)
    angle = np.zeros((rows, columns))
    inside = np.zeros((rows, columns), np.bool_)
    for i in range(rows):
        for j in range(columns):
            top, left = _FLOW_BORDER_PX + i * 16, _FLOW_BORDER_PX + j * 16
            xx, yy, xy = covariance(image, top, left, FLOW_BLOCK_PX)
            angle[i, j] = math.atan2(xy, xx - yy) / 2
            inside[i, j] = cells[i : i + 2, j : j + 2].all()
    found = np.empty(rows * columns)
    count = 0
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            turn = np.abs(angle[i - 1 : i + 2, j - 1 : j + 2] - angle[i, j]).sum() / 8
            if turn > _LEAST_TURN and inside[i - 1 : i + 2, j - 1 : j + 2].all():
                found[count] = (turn - _LEAST_TURN) / _WHOLE_TURN
                count += 1
    return found[:count]


@compiled
def block_scores(
    image: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return spectrum and clarity of each foreground block, and all ratios of widths.

    Ratios are those of ridges to the valleys beside them, or the other way round.
    """
    rows = max((image.shape[0] - 2 * _BORDER_PX) // BLOCK_PX, 0)
    columns = max((image.shape[1] - 2 * _BORDER_PX) // BLOCK_PX, 0)
    cells = foreground(image, BLOCK_PX)
    spectrum, clarity = np.empty(rows * columns), np.empty(rows * columns)
    ratios = np.empty(rows * columns * 32)
    window, profile = np.empty((16, 32)), np.empty(32)
    count = ratio_count = 0
    for i in range(rows):
        for j in range(columns):
            if not cells[i : i + 2, j : j + 2].all():
                continue
            top, left = i * BLOCK_PX, j * BLOCK_PX
            xx, yy, xy = covariance(image, top + 2, left + 2, BLOCK_PX)
            angle = math.atan2(xy, xx - yy) / 2
            turned(image, top, left, angle, (0, 1), window)
            clarity[count] = local_clarity(window, profile)
            turned(image, top, left, angle, (2, 1), window)
            ratio_count += uniformity(window, profile, ratios[ratio_count:])
            turned(image, top, left, angle + math.pi, (2, -1), window)
            spectrum[count] = wave(window, profile)
            count += 1
    return spectrum[:count], clarity[:count], ratios[:ratio_count]


@compiled
def turned(
    image: NDArray[np.uint8],
    top: int,
    left: int,
    angle: float,
    place: tuple[int, int],
    window: NDArray[np.float64],
) -> None:
    """Fill window (16, 32) with the block's nearest pixels, ridges upright.

    angle: across the ridges. place: how far the window lies beside the centre, and -1
    to walk the other way along the ridges.
    """
    cosine, sine = math.cos(angle), math.sin(angle)
    centre = _PADDED_PX / 2 + 0.5
    beside, way = place
    for s in range(16):
        down = way * (s - 8.0 - beside)
        for t in range(32):
            across = t - 16.0 - beside
            x = math.floor(across * cosine - down * sine + centre)
            y = math.floor(across * sine + down * cosine + centre)
            is_inside = 0 <= x < _PADDED_PX and 0 <= y < _PADDED_PX
            window[s, t] = float(image[top + y, left + x]) if is_inside else 0.0


@compiled
def profile_and_trend(
    window: NDArray[np.float64], profile: NDArray[np.float64]
) -> tuple[float, float]:
    """Fill the profile across the ridges; return slope and start of its line."""
    mean = moment = 0.0
    for t in range(32):
        total = 0.0
        for s in range(16):
            total += window[s, t]
        profile[t] = total / 16
        mean += profile[t] / 32
        moment += profile[t] * (t - 15.5)
    slope = moment / _SQUARES
    return slope, mean - slope * 15.5


@compiled
def local_clarity(window: NDArray[np.float64], profile: NDArray[np.float64]) -> float:
    """Return how few pixels are on the wrong side of the line; 0 for odd widths."""
    slope, start = profile_and_trend(window, profile)
    widths, counts = np.zeros(2), np.zeros(2)
    wrong, columns = np.zeros(2), np.zeros(2)
    former, last, parts = 0, -1, 0
    for t in range(32):
        level = start + slope * t
        kind = 1 if profile[t] < level else 0
        columns[kind] += 1
        for s in range(16):
            if (window[s, t] < level) == (kind == 0):
                wrong[kind] += 1
        if t > 0 and kind != former:
            # The first part is cut off by the window, and a pixel short besides.
            widths[former] += t - 1 - max(last, 0)
            counts[former] += 1
            last = t - 1
            parts += 1
        former = kind
    if parts == 0:
        return 0.0
    valley = widths[0] / counts[0] if counts[0] else 0.0
    ridge = widths[1] / counts[1] if counts[1] else 0.0
    if not _RIDGES_PX[0] <= ridge <= _RIDGES_PX[1]:
        return 0.0
    if not _VALLEYS_PX[0] <= valley <= _VALLEYS_PX[1]:
        return 0.0
    return float(1 - (wrong[0] / columns[0] + wrong[1] / columns[1]) / 32)


@compiled
def uniformity(
    window: NDArray[np.float64],
    profile: NDArray[np.float64],
    out: NDArray[np.float64],
) -> int:
    """Write the ratios of neighbouring widths; return how many there are."""
    slope, start = profile_and_trend(window, profile)
    places = np.empty(32, np.int64)
    count = 0
    begins_with_ridge = False
    for t in range(1, 31):
        is_ridge = profile[t] < start + slope * t
        if is_ridge == (profile[t - 1] < start + slope * (t - 1)):
            continue
        if count == 0:
            begins_with_ridge = is_ridge
        places[count] = t
        count += 1
    # The part after the first change does not count; the others do, from the last on.
    found = max(count - 3, 0)
    for m in range(found):
        last = count - 1 - m
        width = places[last] - places[last - 1]
        beside = places[last - 1] - places[last - 2]
        is_turned = m >= begins_with_ridge and (m - begins_with_ridge) % 2 == 0
        out[m] = beside / width if is_turned else width / beside
    return found


@compiled
def wave(window: NDArray[np.float64], profile: NDArray[np.float64]) -> float:
    """Return the share of the strongest wave, 1 if that is the longest one."""
    profile_and_trend(window, profile)
    amplitude = np.empty(17)
    for k in range(1, 17):
        real = imaginary = 0.0
        for t in range(32):
            place = (k * t) % 32
            real += profile[t] * _COSINES[place]
            imaginary += profile[t] * _COSINES[(place + 24) % 32]
        amplitude[k] = math.sqrt(real * real + imaginary * imaginary)
    total, best = 0.0, 1
    for k in range(1, 17):
        total += amplitude[k] if k < 16 else 0.0
        best = k if amplitude[k] > amplitude[best] else best
    if best == 1 or total < _FAINTEST_WAVES:
        return 1.0
    after = amplitude[best + 1] if best < 16 else amplitude[15]
    return float((amplitude[best] + 0.3 * (amplitude[best - 1] + after)) / total)
