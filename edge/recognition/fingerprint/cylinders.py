"""Local descriptors: where a minutia's neighbours lie, as it sees them.

Bit cylinders after R. Cappelli, M. Ferrara, D. Maltoni: "Minutia Cylinder-Code" (IEEE
TPAMI 32, 2010), built another way: instead of summing Gaussians and cutting, each
neighbour sets the bits of the places near it from a table, which takes a twentieth of
the time and compares as well. One 64-bit word for each of LAYERS directions, one bit
for each of 8 x 8 places, and a last word that says which places lie in the print.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.recognition.fingerprint.compiled import (
    inlined,
    kernel,
    not_negative,
    ones,
    trailing_zeros,
)
from edge.recognition.fingerprint.packed import ANGLE_STEPS, MOST_MINUTIAE

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYERS = 6
SEEN = LAYERS  # row of the word that tells the seen places
SIDE_CELLS = 8
RADIUS_PX = 75.0
CELL_PX = 2.0 * RADIUS_PX / SIDE_CELLS
# Places this near to a neighbour get its bit; less near for a weak one.
REACH_PX, WEAK_REACH_PX = 13.5, 9.0
WEAK_QUALITY = 55
# A place is in the print if some minutia lies this near.
SEEN_REACH_PX = 48.0
# A direction this near to the next layer sets bits there too, share of a layer.
LAYER_OVERLAP = 0.3
# Descriptors that see less of each other than this many places say nothing.
FEWEST_SHARED_PLACES = 20
# Rows as long as this keep words of different rows in different cache sets.
CAPACITY = MOST_MINUTIAE + 24

_TABLE_STEP_PX = 4.0
_TABLE_SIDE = 46
_TABLE_HALF = _TABLE_SIDE // 2
_TABLE_REACH_PX = (_TABLE_HALF - 1) * _TABLE_STEP_PX
_CELLS = _TABLE_SIDE * _TABLE_SIDE
_SEEN_FROM = np.uint32(2 * _CELLS)

_FEWEST_SHARED = np.uint64(FEWEST_SHARED_PLACES)
_ONE, _NOTHING, _TINY = np.float32(1), np.float32(0), np.float32(1e-6)


class Print(NamedTuple):
    """The arrays of one print; CAPACITY long, of which `count` are used.

    x, y: float32, pixels, y up. angle: float32, radians. weight: float32, quality 0 to
    1. kind: uint8. step: int32, the angle in packed steps. weak: uint32, where the
    table for the minutia begins. words: uint64 (LAYERS + 1, CAPACITY), the layers cut
    to the places seen. counts: uint64 (3, CAPACITY), in how many layers each place is
    set: the binary digits of that number, the lowest first.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    angle: NDArray[np.float32]
    weight: NDArray[np.float32]
    kind: NDArray[np.uint8]
    step: NDArray[np.int32]
    weak: NDArray[np.uint32]
    words: NDArray[np.uint64]
    counts: NDArray[np.uint64]


def empty_print() -> Print:
    floats = np.zeros((4, CAPACITY), np.float32)
    return Print(
        floats[0],
        floats[1],
        floats[2],
        floats[3],
        np.zeros(CAPACITY, np.uint8),
        np.zeros(CAPACITY, np.int32),
        np.zeros(CAPACITY, np.uint32),
        np.zeros((LAYERS + 1, CAPACITY), np.uint64),
        np.zeros((3, CAPACITY), np.uint64),
    )


def _place_centres() -> NDArray[np.float64]:
    """Return the centres of the places, (64, 2), in the minutia's frame."""
    middle = (np.arange(SIDE_CELLS) + 0.5) * CELL_PX - RADIUS_PX
    v, u = np.meshgrid(middle, middle, indexing="ij")
    return np.stack([u.ravel(), v.ravel()], axis=1)


def _bits(is_set: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack the last axis, 64 long, into one word."""
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    words: NDArray[np.uint64] = np.where(is_set, powers, np.uint64(0)).sum(
        axis=-1, dtype=np.uint64
    )
    return words


def _neighbour_table() -> NDArray[np.uint64]:
    """Return uint64 (3 * _CELLS,), by a neighbour's place: wide, narrow, seen."""
    centre = (np.arange(_TABLE_SIDE) - _TABLE_HALF + 0.5) * _TABLE_STEP_PX
    u, v = np.meshgrid(centre, centre, indexing="ij")
    places = _place_centres()
    far = (u.ravel()[:, None] - places[:, 0]) ** 2
    far = far + (v.ravel()[:, None] - places[:, 1]) ** 2
    is_inside = (places**2).sum(axis=1) <= RADIUS_PX**2
    columns = [
        _bits(far <= REACH_PX**2),
        _bits(far <= WEAK_REACH_PX**2),
        _bits((far <= SEEN_REACH_PX**2) & is_inside),
    ]
    return np.ascontiguousarray(np.concatenate(columns))


def _layer_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Return which layers a turn sets, one or two neighbours.

    By turn, uint8 (ANGLE_STEPS,), a row of the second: uint64 (rows, 8), all bits of
    the layers that are set.
    """
    turn = (np.arange(ANGLE_STEPS) + 0.5) * LAYERS / ANGLE_STEPS
    layer = turn.astype(np.int64)
    off = turn - layer - 0.5
    neighbour = layer + (off > 0.5 - LAYER_OVERLAP) - (off < LAYER_OVERLAP - 0.5)
    both = np.stack([layer, neighbour % LAYERS], axis=1)
    kinds, row = np.unique(both, axis=0, return_inverse=True)
    masks = np.zeros((len(kinds), 8), np.uint64)
    np.put_along_axis(masks, kinds, np.uint64(2**64 - 1), axis=1)
    return row.astype(np.uint8), masks


_TABLE = _neighbour_table()
_LAYERS_OF, _MASKS = _layer_tables()
COSINE = np.cos(np.arange(ANGLE_STEPS) * 2 * math.pi / ANGLE_STEPS).astype(np.float32)
SINE = np.sin(np.arange(ANGLE_STEPS) * 2 * math.pi / ANGLE_STEPS).astype(np.float32)
_STEP_RAD = np.float32(2 * math.pi / ANGLE_STEPS)
_PERCENT = np.float32(0.01)
_INVERSE_STEP = np.float32(1 / _TABLE_STEP_PX)
_REACH = np.float32(_TABLE_REACH_PX)
_HALF = np.float32(_TABLE_HALF)


@kernel
def derive(
    packed: NDArray[np.uint16], count: int, into: Print, place: NDArray[np.int32]
) -> None:
    """Fill `into` from packed minutiae (count, WORDS); place: workspace (CAPACITY,)."""
    x, y, words, steps = into.x, into.y, into.words, into.step
    for i in range(count):
        into.x[i] = np.float32(packed[i, 0] & 0x3FFF)
        into.y[i] = -np.float32(packed[i, 1] & 0x3FFF)
        step = np.int32(packed[i, 1] >> 14) | np.int32(packed[i, 2] >> 8) << 2
        into.step[i] = step
        into.angle[i] = np.float32(step) * _STEP_RAD
        into.weight[i] = np.float32(packed[i, 2] & 0xFF) * _PERCENT
        into.kind[i] = packed[i, 0] >> 14
        into.weak[i] = _CELLS if packed[i, 2] & 0xFF < WEAK_QUALITY else 0
    padded = (count + 7) & ~7
    for j in range(count, padded):
        x[j] = np.float32(1e6)
        for layer in range(LAYERS + 1):
            words[layer, j] = 0
        for digit in range(3):
            into.counts[digit, j] = 0
    for i in range(count):
        cosine, sine = COSINE[steps[i]], SINE[steps[i]]
        xi, yi = x[i], y[i]
        for j in range(padded):
            dx, dy = x[j] - xi, y[j] - yi
            u, v = dx * cosine + dy * sine, dy * cosine - dx * sine
            is_near = (abs(u) < _REACH) & (abs(v) < _REACH)
            row = np.int32(u * _INVERSE_STEP + _HALF)
            column = np.int32(v * _INVERSE_STEP + _HALF)
            place[j] = row * _TABLE_SIDE + column if is_near else -1
        _describe(into, i, padded, place)


@inlined
def _describe(into: Print, i: int, count: int, place: NDArray[np.int32]) -> None:
    """Set the bits of minutia i from where the others lie for it; -1 for too far."""
    weak, steps, words, counts = into.weak, into.step, into.words, into.counts
    turn_i = steps[i]
    seen = w0 = w1 = w2 = w3 = w4 = w5 = np.uint64(0)
    for first in range(0, count, 64):
        near = np.uint64(0)
        for eight in range(0, min(count - first, 64), 8):
            near |= not_negative(place, first + eight) << np.uint64(eight)
        while near:
            j = np.uint64(first) + trailing_zeros(near)
            near &= near - np.uint64(1)
            at = np.uint32(place[j])
            seen |= _TABLE[at + _SEEN_FROM]
            bits = _TABLE[at + weak[j]] * np.uint64(j != np.uint64(i))
            layers = _LAYERS_OF[np.uint32((steps[j] - turn_i) & (ANGLE_STEPS - 1))]
            w0 |= bits & _MASKS[layers, 0]
            w1 |= bits & _MASKS[layers, 1]
            w2 |= bits & _MASKS[layers, 2]
            w3 |= bits & _MASKS[layers, 3]
            w4 |= bits & _MASKS[layers, 4]
            w5 |= bits & _MASKS[layers, 5]
    words[0, i], words[1, i], words[2, i] = w0 & seen, w1 & seen, w2 & seen
    words[3, i], words[4, i], words[5, i] = w3 & seen, w4 & seen, w5 & seen
    words[SEEN, i] = seen
    # Full adders of three layers each, then their sums together.
    low, carry = w0 ^ w1 ^ w2, w0 & w1 | w2 & (w0 ^ w1)
    high, carried = w3 ^ w4 ^ w5, w3 & w4 | w5 & (w3 ^ w4)
    third = low & high
    counts[0, i] = (low ^ high) & seen
    counts[1, i] = (carry ^ carried ^ third) & seen
    counts[2, i] = (carry & carried | third & (carry ^ carried)) & seen


@inlined
def agreements(
    a: Print,
    i: int,
    b: Print,
    count: int,
    bits: NDArray[np.int32],
    row: NDArray[np.float32],
) -> None:
    """Fill row with the share of bits in which minutia i of a agrees with each of b.

    bits: workspace. Written out over the layers: the loops over b then run in wide
    registers. How many bits are set in the places that both see is counted from the
    digits in counts, three words instead of six; how many differ follows from how many
    both have.
    """
    x, y, p, q = a.words, b.words, a.counts, b.counts
    seen, p0, p1, p2 = x[6, i], p[0, i], p[1, i], p[2, i]
    x0, x1, x2, x3, x4, x5 = x[0, i], x[1, i], x[2, i], x[3, i], x[4, i], x[5, i]
    for j in range(count):
        seen_b = y[6, j]
        once = ones(p0 & seen_b) + ones(q[0, j] & seen)
        twice = ones(p1 & seen_b) + ones(q[1, j] & seen)
        fourfold = ones(p2 & seen_b) + ones(q[2, j] & seen)
        common = ones(x0 & y[0, j]) + ones(x1 & y[1, j]) + ones(x2 & y[2, j])
        common = common + ones(x3 & y[3, j]) + ones(x4 & y[4, j]) + ones(x5 & y[5, j])
        both = once + twice * np.uint64(2) + fourfold * np.uint64(4)
        both = both if ones(seen & seen_b) >= _FEWEST_SHARED else np.uint64(0)
        bits[j] = np.int32(both | common << np.uint64(10))
    for j in range(count):
        # Of 32 bits throughout: conversions from 64 do not run in wide registers.
        in_both = np.int32(bits[j] & np.int32(0x3FF))
        in_common = np.int32(bits[j] >> np.int32(10))
        differ = np.int32(in_both - in_common * np.int32(2))
        sum_of_both = np.float32(in_both) * np.float32(2) + _TINY
        value = _ONE - np.float32(differ) / sum_of_both
        row[j] = value if in_both > np.int32(0) else _NOTHING
