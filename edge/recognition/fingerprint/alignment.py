"""Which minutiae of two prints may be the same, and which of these agree.

Descriptors propose pairs; each pair implies a movement of the finger; pairs that imply
the same movement support each other. The relaxation is that of R. Cappelli, M. Ferrara,
D. Maltoni: "Minutia Cylinder-Code" (IEEE TPAMI 32, 2010), without its trigonometry.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.recognition.fingerprint.compiled import kernel
from edge.recognition.fingerprint.cylinders import (
    CAPACITY,
    COSINE,
    SINE,
    Print,
    agreements,
)
from edge.recognition.fingerprint.packed import ANGLE_STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIR_LIMIT = 32
# Least similarity of a pair worth looking at.
_FLOOR = np.float32(0.05)
_BINS = 64
# Similarities are told apart in steps of this many to one.
_LEVELS, _PER_LEVEL = np.float32(65536), np.float32(1 / 65536)
_ROUNDS = 5
# A handful of pairs that agree by chance must not count like many.
_FEWEST_OTHERS = 20
_FEWEST_PAIRS, _MOST_PAIRS = 4, 14
# Where agreement of two pairs has fallen to one half: difference of their distances
# (pixels, plus a share of the distance), of their turns, and of the bearings (radians).
_APART_PX, _APART_SHARE = np.float32(5.0), np.float32(0.02)
_TURN = np.float32(1 / 0.30**2)
_BEARING = np.float32(1 / 0.30**2)
_FULL_TURN = np.float32(2 * math.pi)
_HALF, _ONE, _NOTHING = np.float32(0.5), np.float32(1), np.float32(0)
_TWO, _TINY = np.float32(2), np.float32(1e-3)


class Pairs(NamedTuple):
    """Workspace and result of `propose` and `support`.

    row, column: int64, minutiae of the two prints. value: float32, similarity, later
    the efficiency. strength: float32, similarity after relaxation.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float32]
    strength: NDArray[np.float32]
    kept: NDArray[np.float32]
    found_row: NDArray[np.int64]
    found_column: NDArray[np.int64]
    found_value: NDArray[np.float32]
    histogram: NDArray[np.int64]
    keys: NDArray[np.int32]
    agreement: NDArray[np.float32]
    fields: NDArray[np.float32]
    fit: NDArray[np.float32]


def empty_pairs() -> Pairs:
    return Pairs(
        row=np.zeros(PAIR_LIMIT + 1, np.int64),
        column=np.zeros(PAIR_LIMIT + 1, np.int64),
        value=np.zeros(PAIR_LIMIT + 1, np.float32),
        strength=np.zeros(PAIR_LIMIT, np.float32),
        kept=np.zeros(PAIR_LIMIT, np.float32),
        found_row=np.zeros(2 * CAPACITY, np.int64),
        found_column=np.zeros(2 * CAPACITY, np.int64),
        found_value=np.zeros(2 * CAPACITY, np.float32),
        histogram=np.zeros(_BINS + 1, np.int64),
        keys=np.zeros(CAPACITY, np.int32),
        agreement=np.zeros((CAPACITY, CAPACITY), np.float32),
        fields=np.zeros((8, PAIR_LIMIT), np.float32),
        fit=np.zeros((PAIR_LIMIT, PAIR_LIMIT), np.float32),
    )


@kernel
def propose(a: Print, n: int, b: Print, m: int, pairs: Pairs) -> int:
    """Collect the pairs worth looking at; return how many, at most PAIR_LIMIT.

    The best two of each minutia of a, so that one crowded region cannot fill the list,
    then the most similar of all.
    """
    found, keys, histogram = 0, pairs.keys, pairs.histogram
    rows, columns, values = pairs.found_row, pairs.found_column, pairs.found_value
    agreement = pairs.agreement
    for q in range(_BINS + 1):
        histogram[q] = 0
    m = (m + 7) & ~7
    for i in range(n):
        row = agreement[i]
        agreements(a, i, b, m, keys, row)
        # Similarity and place in one number: the best two need no branches.
        for j in range(m):
            keys[j] = np.int32(row[j] * _LEVELS) << 8 | j
        best = second = np.int32(0)
        for j in range(m):
            best = max(best, keys[j])
        for j in range(m):
            second = max(second, np.int32(0) if keys[j] == best else keys[j])
        for key in (best, second):
            # A pair stays only if it is similar enough.
            value = _ONE - math.sqrt(_ONE - np.float32(key >> 8) * _PER_LEVEL)
            rows[found], columns[found], values[found] = i, key & 0xFF, value
            is_similar = value > _FLOOR
            histogram[int(value * _BINS)] += is_similar
            found += int(is_similar)
    return _most_similar(pairs, found)


@kernel
def _most_similar(pairs: Pairs, found: int) -> int:
    """Keep PAIR_LIMIT of the found pairs: whole bins, then some of the next bin."""
    histogram, cut, total = pairs.histogram, _BINS + 1, 0
    while cut > 0 and total + histogram[cut - 1] <= PAIR_LIMIT:
        cut -= 1
        total += histogram[cut]
    rows, columns, values = pairs.row, pairs.column, pairs.value
    from_rows, from_columns = pairs.found_row, pairs.found_column
    from_values = pairs.found_value
    spare, count = PAIR_LIMIT - total, 0
    for t in range(found):
        level = int(from_values[t] * _BINS)
        is_next = (level == cut - 1) & (spare > 0)
        rows[count], columns[count] = from_rows[t], from_columns[t]
        values[count] = from_values[t]
        spare -= is_next
        count += (level >= cut) | is_next
    return count


@kernel
def support(a: Print, n: int, b: Print, m: int, pairs: Pairs, count: int) -> float:
    """Let the pairs support each other; return the mean strength of the best ones.

    Afterwards pairs.kept holds the share of its similarity that each pair kept.
    """
    if count < 2:
        return 0.0
    _place(a, b, pairs, count)
    _agree(pairs, count)
    _relax(pairs, count)
    kept, strength, value = pairs.kept, pairs.strength, pairs.value
    for t in range(count):
        kept[t] = strength[t] / value[t]
    share = 1.0 / (1.0 + math.exp(-0.4 * (min(n, m) - 20)))
    wanted = _FEWEST_PAIRS + round(share * (_MOST_PAIRS - _FEWEST_PAIRS))
    return float(_best_sum(pairs, count, wanted)) / wanted


@kernel
def strongest(pairs: Pairs, count: int) -> int:
    """Return the pair that kept most of its similarity."""
    best, kept = 0, pairs.kept
    for t in range(1, count):
        if kept[t] > kept[best]:
            best = t
    return best


@kernel
def _best_sum(pairs: Pairs, count: int, wanted: int) -> np.float32:
    """Sum the strengths of the pairs that kept most, each minutia once."""
    keys, kept, strength = pairs.keys, pairs.kept, pairs.strength
    rows, columns, total = pairs.row, pairs.column, _NOTHING
    for t in range(count):
        keys[t] = np.int32(kept[t] * _LEVELS) << 8 | t
    for _ in range(wanted):
        best = np.int32(0)
        for t in range(count):
            best = max(best, keys[t])
        if best < 256:
            break
        at = best & 0xFF
        total += strength[at]
        row, column = rows[at], columns[at]
        for t in range(count):
            is_taken = (rows[t] == row) | (columns[t] == column)
            keys[t] = np.int32(0) if is_taken else keys[t]
    return total


@kernel
def _place(a: Print, b: Print, pairs: Pairs, count: int) -> None:
    rows, columns, fields = pairs.row, pairs.column, pairs.fields
    ax, ay, bx, by, turn = fields[0], fields[1], fields[2], fields[3], fields[4]
    cosine, sine = fields[5], fields[6]
    x_a, y_a, angle_a, step_a = a.x, a.y, a.angle, a.step
    x_b, y_b, angle_b, step_b = b.x, b.y, b.angle, b.step
    for t in range(count):
        i, j = rows[t], columns[t]
        ax[t], ay[t] = x_a[i], y_a[i]
        bx[t], by[t] = x_b[j], y_b[j]
        turn[t] = angle_b[j] - angle_a[i]
        step = np.uint32((step_b[j] - step_a[i]) & (ANGLE_STEPS - 1))
        cosine[t], sine[t] = COSINE[step], SINE[step]


@kernel
def _agree(pairs: Pairs, count: int) -> None:
    """Fill fit: whether two pairs imply one movement of the finger, 0 to 1.

    They do if the distance, the turn and the bearing from one minutia to the other are
    the same in both prints. Skin stretches: the leeway grows with the distance.
    """
    fields, fit = pairs.fields, pairs.fit
    ax, ay, bx, by = fields[0], fields[1], fields[2], fields[3]
    turn, cosine, sine = fields[4], fields[5], fields[6]
    for s in range(count):
        xs, ys, us, vs = ax[s], ay[s], bx[s], by[s]
        turn_s, cosine_s, sine_s = turn[s], cosine[s], sine[s]
        for t in range(count):
            dx, dy, eu, ev = ax[t] - xs, ay[t] - ys, bx[t] - us, by[t] - vs
            far_a, far_b = dx * dx + dy * dy, eu * eu + ev * ev
            # Sum of the distances, near enough where they are alike, then their
            # difference over its leeway; one division serves both quotients.
            both = math.sqrt(_TWO * (far_a + far_b))
            leeway = both * (_APART_PX + _APART_SHARE * both) + _TINY
            product = far_a * far_b + _TINY
            inverse = _ONE / (leeway * product)
            apart = (far_a - far_b) * product * inverse
            apart = apart * apart
            # The way from s to t, turned as s and as t imply it, against the way in b.
            px, py = cosine_s * dx - sine_s * dy, sine_s * dx + cosine_s * dy
            qx, qy = cosine[t] * dx - sine[t] * dy, sine[t] * dx + cosine[t] * dy
            cross_s, cross_t = px * ev - py * eu, qx * ev - qy * eu
            worst = max(cross_s * cross_s, cross_t * cross_t)
            bearing = worst * _BEARING * leeway * inverse
            off = turn[t] - turn_s
            off -= _FULL_TURN * math.floor(off / _FULL_TURN + _HALF)
            off = off * off * _TURN
            is_ahead = (px * eu + py * ev > 0) & (qx * eu + qy * ev > 0)
            is_apart = (far_a >= _ONE) & (far_b >= _ONE)
            value = _ONE / (
                (_ONE + apart * apart) * (_ONE + off * off) * (_ONE + bearing * bearing)
            )
            fit[s, t] = value if is_ahead & is_apart else _NOTHING


@kernel
def _relax(pairs: Pairs, count: int) -> None:
    now, before, fit = pairs.strength, pairs.kept, pairs.fit
    value = pairs.value
    for t in range(count):
        now[t] = value[t]
    share = _HALF / np.float32(max(count - 1, _FEWEST_OTHERS))
    for _ in range(_ROUNDS):
        for t in range(count):
            before[t] = now[t]
        for s in range(count):
            heard = _NOTHING
            for t in range(count):
                heard += fit[s, t] * before[t]
            now[s] = _HALF * before[s] + share * heard
