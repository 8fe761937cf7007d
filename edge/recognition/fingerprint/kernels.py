"""Compiled inner loops of the comparison of minutiae.

Bit cylinders and relaxation after R. Cappelli, M. Ferrara, D. Maltoni: "Minutia
Cylinder-Code" (IEEE TPAMI 32, 2010); the constants are our own where stated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.recognition.fingerprint.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE_CELLS = 8
LAYERS = 6
RADIUS_PX = 75.0
CELL_PX = 2.0 * RADIUS_PX / SIDE_CELLS
SIGMA_PX = 10.0
SIGMA_RAD = 2.0 * math.pi / 9.0
# Share of the largest contribution of one minutia that sets a bit.
BIT_LEVEL = 0.35
# Descriptors that see less of each other than this many of the 64 places say nothing.
FEWEST_SHARED_CELLS = 24

PAIR_LIMIT = 56
PAIRS_A_MINUTIA = 2
ROUNDS = 5
# A handful of pairs that agree by chance must not count like many.
FEWEST_OTHERS = 20
FULL_TURN = 2.0 * math.pi

_M1 = np.uint64(0x5555555555555555)
_M2 = np.uint64(0x3333333333333333)
_M4 = np.uint64(0x0F0F0F0F0F0F0F0F)
_H01 = np.uint64(0x0101010101010101)
_S1, _S2, _S4, _S56 = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)


@compiled
def _ones(word: Any) -> Any:  # noqa: ANN401  compiled; LLVM makes it one instruction
    word = word - ((word >> _S1) & _M1)
    word = (word & _M2) + ((word >> _S2) & _M2)
    word = (word + (word >> _S4)) & _M4
    return (word * _H01) >> _S56


@compiled
def _turn(angle: float) -> float:
    """Return the angle between -pi and pi."""
    return angle - FULL_TURN * math.floor(angle / FULL_TURN + 0.5)


@compiled
def describe(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    angle: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> NDArray[np.uint64]:
    """Return bit cylinders, uint64 (n, LAYERS): one bit a place, one word a direction.

    x, y: pixels, y up. weight: how much a minutia counts as a neighbour, 0 to 1.
    """
    count = len(x)
    words = np.zeros((count, LAYERS), np.uint64)
    values = np.zeros((LAYERS, SIDE_CELLS * SIDE_CELLS), np.float32)
    reach = RADIUS_PX + 2.5 * SIGMA_PX
    for i in range(count):
        values[:] = 0.0
        cosine, sine = math.cos(angle[i]), math.sin(angle[i])
        for j in range(count):
            dx, dy = x[j] - x[i], y[j] - y[i]
            if i == j or dx * dx + dy * dy > reach * reach:
                continue
            u = dx * cosine + dy * sine
            v = dy * cosine - dx * sine
            _spread(values, u, v, angle[j] - angle[i], weight[j])
        for layer in range(LAYERS):
            word = np.uint64(0)
            for cell in range(SIDE_CELLS * SIDE_CELLS):
                if values[layer, cell] >= BIT_LEVEL:
                    word |= np.uint64(1) << np.uint64(cell)
            words[i, layer] = word
    return words


@compiled
def _spread(
    values: NDArray[np.float32], u: float, v: float, turn: float, weight: float
) -> None:
    """Add one neighbour, in the frame of the minutia, to the cells near it."""
    for layer in range(LAYERS):
        off = _turn(turn - (layer + 0.5) * FULL_TURN / LAYERS)
        direction = weight * math.exp(-off * off / (2 * SIGMA_RAD * SIGMA_RAD))
        if direction < 0.05:
            continue
        for row in range(SIDE_CELLS):
            dv = (row + 0.5) * CELL_PX - RADIUS_PX - v
            if abs(dv) > 2.5 * SIGMA_PX:
                continue
            for column in range(SIDE_CELLS):
                du = (column + 0.5) * CELL_PX - RADIUS_PX - u
                far = du * du + dv * dv
                values[layer, row * SIDE_CELLS + column] += direction * math.exp(
                    -far / (2 * SIGMA_PX * SIGMA_PX)
                )


@compiled
def similarities(
    words_a: NDArray[np.uint64],
    seen_a: NDArray[np.uint64],
    words_b: NDArray[np.uint64],
    seen_b: NDArray[np.uint64],
) -> NDArray[np.float32]:
    """Return float32 (n, m): 0 to 1, how alike two neighbourhoods are."""
    result = np.zeros((len(seen_a), len(seen_b)), np.float32)
    for i in range(len(seen_a)):
        for j in range(len(seen_b)):
            shared = seen_a[i] & seen_b[j]
            if _ones(shared) < FEWEST_SHARED_CELLS:
                continue
            in_a, in_b, differ = 0, 0, 0
            for layer in range(LAYERS):
                a, b = words_a[i, layer] & shared, words_b[j, layer] & shared
                in_a += _ones(a)
                in_b += _ones(b)
                differ += _ones(a ^ b)
            if in_a + in_b > 0:
                norm = math.sqrt(in_a) + math.sqrt(in_b)
                result[i, j] = 1.0 - math.sqrt(differ) / norm
    return result


@compiled
def best_pairs(
    similarity: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return rows, columns and values of the pairs worth looking at, best first.

    The best few of each row, so that one crowded region cannot fill the list.
    """
    rows, columns = similarity.shape
    found = np.zeros(rows * PAIRS_A_MINUTIA, np.float32)
    place = np.zeros(rows * PAIRS_A_MINUTIA, np.int64)
    used = 0
    for i in range(rows):
        first, second = -1, -1
        for j in range(columns):
            value = similarity[i, j]
            if first < 0 or value > similarity[i, first]:
                first, second = j, first
            elif second < 0 or value > similarity[i, second]:
                second = j
        for j in (first, second):
            if j >= 0 and similarity[i, j] > 0:
                found[used] = similarity[i, j]
                place[used] = i * columns + j
                used += 1
    order = np.argsort(-found[:used], kind="mergesort")[:PAIR_LIMIT]
    chosen = place[order]
    return chosen // columns, chosen % columns, found[order]


@compiled
def _falling(value: float, middle: float) -> float:
    """1 at zero, one half at middle, towards 0 beyond: a cheap sigmoid."""
    ratio = value / middle
    ratio *= ratio
    return 1.0 / (1.0 + ratio * ratio)


@compiled
def compatibilities(
    a: NDArray[np.float32],
    b: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return float32 (k, k): whether two pairs fit one movement of the finger, 0 to 1.

    a, b: float32 (n, 3), x, y up, angle. Two pairs fit if the distance, the turn from
    one minutia to the other and the bearing of the other are the same in both prints.
    """
    count = len(rows)
    result = np.zeros((count, count), np.float32)
    for s in range(count):
        i, j = rows[s], columns[s]
        for t in range(s):
            k, m = rows[t], columns[t]
            if i == k or j == m:
                continue
            ax, ay = a[k, 0] - a[i, 0], a[k, 1] - a[i, 1]
            bx, by = b[m, 0] - b[j, 0], b[m, 1] - b[j, 1]
            da, db = math.sqrt(ax * ax + ay * ay), math.sqrt(bx * bx + by * by)
            apart = abs(da - db)
            leeway = 5.0 + 0.04 * (da + db) * 0.5
            if apart > 2.5 * leeway:
                continue
            turn = abs(_turn((a[i, 2] - a[k, 2]) - (b[j, 2] - b[m, 2])))
            if turn > 0.8:
                continue
            bearing = abs(
                _turn((math.atan2(ay, ax) - a[i, 2]) - (math.atan2(by, bx) - b[j, 2]))
            )
            back = abs(
                _turn((math.atan2(ay, ax) - a[k, 2]) - (math.atan2(by, bx) - b[m, 2]))
            )
            fit = (
                _falling(apart, leeway)
                * _falling(turn, 0.30)
                * _falling(max(bearing, back), 0.30)
            )
            result[s, t] = fit
            result[t, s] = fit
    return result


@compiled
def relaxed(
    values: NDArray[np.float32], fit: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the pairs' strengths after each has listened to the others."""
    count = len(values)
    now = values.copy()
    if count < 2:
        return np.zeros_like(values)
    others = max(count - 1, FEWEST_OTHERS)
    for _ in range(ROUNDS):
        before = now.copy()
        for s in range(count):
            heard = np.float32(0.0)
            for t in range(count):
                heard += fit[s, t] * before[t]
            now[s] = 0.5 * before[s] + 0.5 * heard / others
    return now


@compiled
def choose(
    strengths: NDArray[np.float32],
    values: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    wanted: int,
) -> NDArray[np.int64]:
    """Return indices of the pairs that kept most strength, each minutia once."""
    order = np.argsort(-strengths / values, kind="mergesort")
    chosen = np.zeros(min(wanted, len(order)), np.int64)
    used = 0
    for s in order:
        if used == len(chosen):
            break
        is_free = True
        for t in chosen[:used]:
            if rows[t] == rows[s] or columns[t] == columns[s]:
                is_free = False
        if is_free:
            chosen[used] = s
            used += 1
    return chosen[:used]
