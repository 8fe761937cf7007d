"""Ridge directions of invented fingers, inside compiled code.

Zero-pole model of B. Sherlock and D. Monro: "A model for interpreting fingerprint
topology" (Pattern Recognition 26, 1993), its arguments bent piecewise-linearly after
P. Vizcaya and L. Gerhardt: "A nonlinear orientation model for global description of
fingerprints" (Pattern Recognition 29, 1996). Lengths in px at 500 ppi, y up, origin in
the middle of the finger.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge.recognition.fingerprint.compiled import compiled
from edge.simulate.template_random import between, normal, uniform

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.simulate.template_random import State

    Poles = NDArray[np.float64]
    Waves = NDArray[np.float64]
    Arch = NDArray[np.float64]

ARCH, TENTED_ARCH, LEFT_LOOP, RIGHT_LOOP, WHORL, DOUBLE_LOOP = range(6)
# Shares after C. Wilson, G. Candela, C. Watson (1993), double loops split from whorls.
# On a left hand most loops open to the left, on a right hand to the right.
_ARCHES, _TENTED, _LOOPS, _WHORLS = 0.037, 0.066, 0.717, 0.937
_ULNAR = 0.93
_FIRST_LEFT_HAND = 6  # of the finger position codes
KNOTS = 16
POLES, POLE = 4, 3 + KNOTS  # a pole: sign (core 1, delta -1, none 0), x, y, its knots
WAVES, WAVE = 4, 4  # a wave: along x, along y, phase, height in rad
ARCHES = 4  # how steep, half width, middle, how high


@compiled
def draw_pattern(state: State, position: int) -> int:
    is_left_hand = position >= _FIRST_LEFT_HAND
    drawn = uniform(state)
    if drawn < _ARCHES:
        return ARCH
    if drawn < _TENTED:
        return TENTED_ARCH
    if drawn < _LOOPS:
        is_ulnar = uniform(state) < _ULNAR
        return LEFT_LOOP if is_ulnar == is_left_hand else RIGHT_LOOP
    return WHORL if drawn < _WHORLS else DOUBLE_LOOP


@compiled
def draw_field(
    state: State, pattern: int, poles: Poles, waves: Waves, arch: Arch
) -> None:
    """Fill poles (POLES, POLE), waves (WAVES, WAVE) and arch (ARCHES,)."""
    poles[:] = 0.0
    arch[:] = 0.0
    x, y = 14.0 * normal(state), 28.0 + 18.0 * normal(state)
    low = y - between(state, 105.0, 165.0)
    if pattern == ARCH:
        arch[0] = between(state, 0.4, 1.3)
        arch[1] = between(state, 110.0, 190.0)
        arch[2] = between(state, -60.0, 30.0)
        arch[3] = between(state, 70.0, 150.0)
    elif pattern == TENTED_ARCH:
        _put(poles, 0, 1.0, x, y)
        _put(poles, 1, -1.0, x + 10.0 * normal(state), y - between(state, 35.0, 95.0))
    elif pattern in (LEFT_LOOP, RIGHT_LOOP):
        side = 1.0 if pattern == LEFT_LOOP else -1.0
        _put(poles, 0, 1.0, x, y)
        _put(poles, 1, -1.0, x + side * between(state, 55.0, 125.0), low)
    else:
        gap = between(state, 8.0, 28.0)
        turn = between(state, -0.5, 0.5)
        if pattern == DOUBLE_LOOP:
            gap = between(state, 28.0, 50.0)
            turn = between(state, 0.5, 1.1)
            turn = turn if uniform(state) < 0.5 else -turn
        dx, dy = gap * math.sin(turn), gap * math.cos(turn)
        _put(poles, 0, 1.0, x + dx, y + dy)
        _put(poles, 1, 1.0, x - dx, y - dy)
        _put(poles, 2, -1.0, x - between(state, 75.0, 135.0), low)
        other = low + 14.0 * normal(state)
        _put(poles, 3, -1.0, x + between(state, 75.0, 135.0), other)
    _bend(state, poles)
    for wave in range(WAVES):
        length = between(state, 180.0, 600.0)
        heading = between(state, 0.0, 2.0 * math.pi)
        waves[wave, 0] = 2.0 * math.pi * math.cos(heading) / length
        waves[wave, 1] = 2.0 * math.pi * math.sin(heading) / length
        waves[wave, 2] = between(state, 0.0, 2.0 * math.pi)
        waves[wave, 3] = 0.05 * normal(state)


@compiled
def _put(poles: Poles, place: int, sign: float, x: float, y: float) -> None:
    poles[place, 0], poles[place, 1], poles[place, 2] = sign, x, y


@compiled
def _bend(state: State, poles: Poles) -> None:
    """Turn ridges round the outside of each core, run them straight on its inside.

    Without this the ridges fan out below a core, as they do on no finger.
    """
    roundness = between(state, 0.75, 1.0)
    for pole in range(POLES):
        outwards = _outwards(poles, pole)
        before = 0.0
        for knot in range(KNOTS):
            # Neighbouring knots bend alike.
            before = 0.7 * before + 0.07 * normal(state)
            bend = before
            if poles[pole, 0] > 0.0:
                seen = 2.0 * math.pi * (knot / KNOTS - 0.5) - outwards
                off = seen - 2.0 * math.pi * math.floor(seen / (2.0 * math.pi) + 0.5)
                inside = math.pi - abs(off)
                peak = min(inside, abs(off))
                bend += roundness * (peak if off > 0.0 else -peak)
            poles[pole, 3 + knot] = bend


@compiled
def _outwards(poles: Poles, pole: int) -> float:
    """Return where the loop round this core bulges, given what the others do to it."""
    angle = 0.0
    for other in range(POLES):
        if other != pole and poles[other, 0] != 0.0:
            dx = poles[pole, 1] - poles[other, 1]
            dy = poles[pole, 2] - poles[other, 2]
            angle += 0.5 * poles[other, 0] * math.atan2(dy, dx)
    return 2.0 * angle - math.pi


@compiled
def direction(poles: Poles, waves: Waves, arch: Arch, x: float, y: float) -> float:
    """Return the ridges' direction at x, y in radians, true up to half turns."""
    angle = 0.0
    for pole in range(POLES):
        if poles[pole, 0] != 0.0:
            seen = math.atan2(y - poles[pole, 2], x - poles[pole, 1])
            place = (seen / (2.0 * math.pi) + 0.5) * KNOTS
            knot = min(int(place), KNOTS - 1)
            share = place - knot
            before = poles[pole, 3 + knot]
            after = poles[pole, 3 + (knot + 1) % KNOTS]
            bent = seen + (1.0 - share) * before + share * after
            angle += 0.5 * poles[pole, 0] * bent
    for wave in range(WAVES):
        phase = waves[wave, 0] * x + waves[wave, 1] * y + waves[wave, 2]
        angle += waves[wave, 3] * math.sin(phase)
    if arch[0] > 0.0:
        fade = math.exp(-(((y - arch[2]) / arch[3]) ** 2))
        across = min(max(x / arch[1], -1.0), 1.0)
        angle -= math.atan(arch[0] * math.sin(math.pi * across) * fade)
    return angle


@compiled
def fill_directions(
    poles: Poles, waves: Waves, arch: Arch, middle: float, out: NDArray[np.float32]
) -> None:
    """Fill out, (height, width), with directions from 0 to pi, y down.

    middle: row of the finger's middle; its column is half the width.
    """
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            x, y = column - 0.5 * out.shape[1], middle - row
            angle = -direction(poles, waves, arch, x, y)
            out[row, column] = angle - math.pi * math.floor(angle / math.pi)


@compiled
def spreading(
    poles: Poles, waves: Waves, arch: Arch, x: float, y: float, here: float
) -> float:
    """Return how fast the ridges spread towards here, in 1/px.

    here: direction(poles, waves, arch, x, y).

    Where ridges of even period spread, new ones must begin: the surplus of minutiae
    that point this way over those that point back is this over the ridge period.
    """
    step = 3.0
    right = _half_turn(direction(poles, waves, arch, x + step, y) - here)
    above = _half_turn(direction(poles, waves, arch, x, y + step) - here)
    return (math.cos(here) * above - math.sin(here) * right) / step


@compiled
def _half_turn(angle: float) -> float:
    """Return the angle between minus and plus a right angle, up to half turns."""
    return angle - math.pi * math.floor(angle / math.pi + 0.5)
