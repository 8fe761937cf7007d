"""Minutiae of invented fingers, drawn by compiled code.

The constants reproduce, on average, what the engine's extractor finds in the prints of
FVC2000 DB1_B, DB2_B, DB3_B and FVC2002 DB3_B: see edge.bench.synthetic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.fingerprint.compiled import compiled
from edge.simulate.template_fields import (
    ARCHES,
    POLE,
    POLES,
    WAVE,
    WAVES,
    direction,
    draw_field,
    draw_pattern,
    spreading,
)
from edge.simulate.template_random import between, normal, seeded, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.simulate.template_fields import Arch, Poles, Waves
    from edge.simulate.template_random import State

MOST_MINUTIAE, FEWEST_MINUTIAE = 120, 6
X, Y, ANGLE, KIND, QUALITY = range(5)
COLUMNS = 5
WIDTH, HEIGHT, POSITION = range(3)
FACTS = 3
_TRIES_A_MINUTIA = 60
_POSITIONS = 10
_FULL_TURN = 2.0 * math.pi
_DENSITY = 5.7e-4  # minutiae of a px of contact
_PERIOD_PX = 9.0
_EDGE_PX = 4.0  # of the window, where the extractor finds nothing
_WINDOWS = np.array([[300, 300], [256, 364], [300, 300], [256, 288], [388, 374]])
# What share of minutiae is rated this or less.
QUALITY_SHARES = np.array(
    [0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 0.9, 1.0]
)
QUALITIES = np.array(
    [45.0, 47.0, 54.0, 63.0, 77.0, 87.0, 91.0, 93.0, 95.0, 96.5, 97.4, 99.0]
)


@compiled
def fill(
    seed: np.uint64,
    first: int,
    minutiae: NDArray[np.float32],
    facts: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> None:
    """Draw templates first, first + 1, ... as many as counts has places.

    minutiae: (n, MOST_MINUTIAE, COLUMNS), y down. facts: (n, FACTS).
    """
    state = np.zeros(1, np.uint64)
    poles, waves = np.zeros((POLES, POLE)), np.zeros((WAVES, WAVE))
    arch = np.zeros(ARCHES)
    for place in range(len(counts)):
        seeded(state, seed, first + place)
        position = 1 + int(uniform(state) * _POSITIONS)
        pattern = draw_pattern(state, position)
        draw_field(state, pattern, poles, waves, arch)
        facts[place, POSITION] = position
        counts[place] = _one(state, poles, waves, arch, minutiae[place], facts[place])


@compiled
def _contact(state: State, facts: NDArray[np.int32]) -> NDArray[np.float64]:
    """Choose the window and the touching part of the finger; fill facts.

    Returns half width, half height, its middle on the finger, the finger's middle in
    the window, and cosine and sine of the finger's tilt.
    """
    window = _WINDOWS[int(uniform(state) * len(_WINDOWS))]
    facts[WIDTH], facts[HEIGHT] = window[0], window[1]
    size = math.exp(0.16 * normal(state))
    contact = np.zeros(8)
    contact[0] = min(122.0 * size, 0.62 * window[0])
    contact[1] = min(160.0 * size * math.exp(0.08 * normal(state)), 0.6 * window[1])
    contact[2], contact[3] = 8.0 * normal(state), 12.0 * normal(state)
    contact[4] = window[0] / 2 + 8.0 * normal(state)
    contact[5] = window[1] / 2 + 10.0 * normal(state)
    tilt = 0.12 * normal(state)
    contact[6], contact[7] = math.cos(tilt), math.sin(tilt)
    return contact


@compiled
def _one(
    state: State,
    poles: Poles,
    waves: Waves,
    arch: Arch,
    found: NDArray[np.float32],
    facts: NDArray[np.int32],
) -> int:
    """Draw one finger's minutiae into found, strongest first; return how many."""
    contact = _contact(state, facts)
    half_width, half_height, off_x, off_y, middle_x, middle_y, cosine, sine = contact
    tilt = math.atan2(sine, cosine)
    expected = math.pi * half_width * half_height * _DENSITY
    expected *= math.exp(0.27 * normal(state))
    wanted = int(expected + 0.7 * math.sqrt(expected) * normal(state))
    wanted = min(max(wanted, FEWEST_MINUTIAE), MOST_MINUTIAE)
    endings, strength = 0.65 + 0.1 * normal(state), math.exp(0.45 * normal(state))
    count = 0
    for _ in range(_TRIES_A_MINUTIA * wanted):
        if count >= wanted:
            break
        across, up = between(state, -1.0, 1.0), between(state, -1.0, 1.0)
        rim = across * across + up * up
        x, y = off_x + across * half_width, off_y + up * half_height
        column = middle_x + cosine * x - sine * y
        row = middle_y - sine * x - cosine * y
        is_seen = _EDGE_PX <= column < facts[WIDTH] - _EDGE_PX
        is_seen = is_seen and _EDGE_PX <= row < facts[HEIGHT] - _EDGE_PX
        if rim > 1.0 or not is_seen:
            continue
        ridge = direction(poles, waves, arch, x, y)
        surplus = spreading(poles, waves, arch, x, y, ridge) / _PERIOD_PX
        ridge += tilt
        if not _is_kept(state, found, count, column, row, ridge, surplus):
            continue
        angle = _pointed(state, found, count, column, row, ridge, surplus)
        found[count, X], found[count, Y] = round(column), round(row)
        found[count, ANGLE] = angle - _FULL_TURN * math.floor(angle / _FULL_TURN)
        found[count, KIND] = 1.0 if uniform(state) < endings else 2.0
        found[count, QUALITY] = _quality(state, strength, rim)
        count += 1
    _sort(found, count)
    return count


@compiled
def _is_kept(
    state: State,
    found: NDArray[np.float32],
    count: int,
    x: float,
    y: float,
    ridge: float,
    surplus: float,
) -> bool:
    """Minutiae crowd where ridges spread, and keep away from each other."""
    if uniform(state) * 1.6e-3 > 2.5e-4 + min(abs(surplus) * 0.75, 1.35e-3):
        return False
    cosine, sine = math.cos(ridge), math.sin(ridge)
    chance = 1.0
    for other in range(count):
        dx, dy = found[other, X] - x, y - found[other, Y]
        if abs(dx) > 22.0 or abs(dy) > 22.0:
            continue
        along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
        apart = math.sqrt(0.7 * along * along + 1.2 * across * across)
        if apart < 5.0:
            return False
        chance *= 1.0 / (1.0 + math.exp((11.5 - apart) / 1.7))
    return uniform(state) < chance


@compiled
def _pointed(
    state: State,
    found: NDArray[np.float32],
    count: int,
    x: float,
    y: float,
    ridge: float,
    surplus: float,
) -> float:
    """Choose one of the two directions along the ridge, and blur it."""
    chance = 0.5 + 0.5 * surplus / (1.7e-4 + abs(surplus))
    nearest, place = 13.0 * 13.0, -1
    for other in range(count):
        dx, dy = found[other, X] - x, found[other, Y] - y
        if dx * dx + dy * dy < nearest:
            nearest, place = dx * dx + dy * dy, other
    angle = ridge if uniform(state) < chance else ridge + math.pi
    # The ends of a short ridge or lake: neighbours on the next ridge oppose each other.
    if place >= 0 and uniform(state) < 0.55:
        is_alike = math.cos(angle - found[place, ANGLE]) > 0
        angle = angle + math.pi if is_alike else angle
    blur = 0.10 if uniform(state) < 0.88 else 0.45
    return angle + blur * normal(state)


@compiled
def _quality(state: State, strength: float, rim: float) -> float:
    share = uniform(state) ** strength * (1.0 if rim < 0.7 else 0.85)
    return float(round(np.interp(share, QUALITY_SHARES, QUALITIES)))


@compiled
def _sort(found: NDArray[np.float32], count: int) -> None:
    """Sort the rows by quality, highest first, in place: insertion, rows are few."""
    for i in range(1, count):
        row = found[i].copy()
        j = i - 1
        while j >= 0 and found[j, QUALITY] < row[QUALITY]:
            found[j + 1] = found[j]
            j -= 1
        found[j + 1] = row
