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

from edge.recognition.fingerprint.compiled import inlined, kernel, ones
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
    1. kind: uint8. step: int32, the angle in packed steps. near, acc: workspace.
    weak: uint32, where the table for the minutia begins. words: uint64
    (LAYERS + 1, CAPACITY).
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    angle: NDArray[np.float32]
    weight: NDArray[np.float32]
    kind: NDArray[np.uint8]
    step: NDArray[np.int32]
    near: NDArray[np.uint32]
    weak: NDArray[np.uint32]
    acc: NDArray[np.uint64]
    words: NDArray[np.uint64]


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
        np.zeros(CAPACITY, np.uint32),
        np.zeros(8, np.uint64),
        np.zeros((LAYERS + 1, CAPACITY), np.uint64),
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


def _layer_table() -> NDArray[np.uint8]:
    """Return uint8 (ANGLE_STEPS, 2): the layers that a turn sets; one may be twice."""
    turn = (np.arange(ANGLE_STEPS) + 0.5) * LAYERS / ANGLE_STEPS
    layer = turn.astype(np.int64)
    off = turn - layer - 0.5
    neighbour = layer + (off > 0.5 - LAYER_OVERLAP) - (off < LAYER_OVERLAP - 0.5)
    return np.stack([layer, neighbour % LAYERS], axis=1).astype(np.uint8)


_TABLE = _neighbour_table()
_LAYER_OF = _layer_table()
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
    x, y, words, acc = into.x, into.y, into.words, into.acc
    near_at, weak, steps = into.near, into.weak, into.step
    for i in range(count):
        into.x[i] = np.float32(packed[i, 0] & 0x3FFF)
        into.y[i] = -np.float32(packed[i, 1] & 0x3FFF)
        step = np.int32(packed[i, 1] >> 14) | np.int32(packed[i, 2] >> 8) << 2
        into.step[i] = step
        into.angle[i] = np.float32(step) * _STEP_RAD
        into.weight[i] = np.float32(packed[i, 2] & 0xFF) * _PERCENT
        into.kind[i] = packed[i, 0] >> 14
        into.weak[i] = _CELLS if packed[i, 2] & 0xFF < WEAK_QUALITY else 0
    padded = (count + 15) & ~15
    for j in range(count, padded):
        x[j] = np.float32(1e6)
        for layer in range(LAYERS + 1):
            words[layer, j] = 0
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
        # Near ones first, without a branch that cannot be foreseen.
        near = 0
        for j in range(count):
            at = place[j]
            place[near], near_at[near] = at, j
            near += at >= 0
        seen = np.uint64(0)
        for layer in range(LAYERS):
            acc[layer] = 0
        for k in range(near):
            at, j = np.uint32(place[k]), near_at[k]
            seen |= _TABLE[at + _SEEN_FROM]
            bits = _TABLE[at + weak[j]] * np.uint64(j != np.uint32(i))
            turn = np.uint32((steps[j] - steps[i]) & (ANGLE_STEPS - 1))
            acc[_LAYER_OF[turn, 0]] |= bits
            acc[_LAYER_OF[turn, 1]] |= bits
        words[SEEN, i] = seen
        for layer in range(LAYERS):
            words[layer, i] = acc[layer]


@inlined
def agreements(
    a: NDArray[np.uint64],
    i: int,
    b: NDArray[np.uint64],
    count: int,
    row: NDArray[np.float32],
) -> None:
    """Fill row with the share of bits in which minutia i of a agrees with each of b.

    a, b: words of two prints. Written out over the layers: the loop over b then runs
    in wide registers.
    """
    seen = a[6, i]
    a0, a1, a2, a3, a4, a5 = a[0, i], a[1, i], a[2, i], a[3, i], a[4, i], a[5, i]
    for j in range(count):
        shared = seen & b[6, j]
        p0, p1, p2 = a0 & shared, a1 & shared, a2 & shared
        p3, p4, p5 = a3 & shared, a4 & shared, a5 & shared
        q0, q1, q2 = b[0, j] & shared, b[1, j] & shared, b[2, j] & shared
        q3, q4, q5 = b[3, j] & shared, b[4, j] & shared, b[5, j] & shared
        in_a = ones(p0) + ones(p1) + ones(p2) + ones(p3) + ones(p4) + ones(p5)
        in_b = ones(q0) + ones(q1) + ones(q2) + ones(q3) + ones(q4) + ones(q5)
        differ = ones(p0 ^ q0) + ones(p1 ^ q1) + ones(p2 ^ q2)
        differ = differ + ones(p3 ^ q3) + ones(p4 ^ q4) + ones(p5 ^ q5)
        both = np.float32(np.int64(in_a + in_b)) * np.float32(2) + _TINY
        value = _ONE - np.float32(np.int64(differ)) / both
        is_said = (ones(shared) >= _FEWEST_SHARED) & (in_a + in_b > np.uint64(0))
        row[j] = value if is_said else _NOTHING
