"""Which minutiae of two prints may be the same, and which of these agree.

Descriptors propose pairs; each pair implies a movement of the finger; pairs that imply
the same movement support each other. The relaxation is that of R. Cappelli, M. Ferrara,
D. Maltoni: "Minutia Cylinder-Code" (IEEE TPAMI 32, 2010), without its trigonometry.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.recognition.fingerprint.compiled import compiled
from edge.recognition.fingerprint.cylinders import CAPACITY, Print, similarities

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
    similarity: NDArray[np.float32]
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
        similarity=np.zeros((CAPACITY, CAPACITY), np.float32),
        fields=np.zeros((8, PAIR_LIMIT), np.float32),
        fit=np.zeros((PAIR_LIMIT, PAIR_LIMIT), np.float32),
    )


@compiled
def propose(a: Print, n: int, b: Print, m: int, pairs: Pairs) -> int:
    """Collect the pairs worth looking at; return how many, at most PAIR_LIMIT.

    The best two of each minutia of a, so that one crowded region cannot fill the list,
    then the most similar of all.
    """
    found, keys = 0, pairs.keys
    for q in range(_BINS + 1):
        pairs.histogram[q] = 0
    for i in range(n):
        row = pairs.similarity[i]
        similarities(a.words, i, b.words, m, row)
        # Similarity and place in one number: the best two need no branches.
        for j in range(m):
            keys[j] = np.int32(row[j] * _LEVELS) << 8 | j
        best = second = np.int32(0)
        for j in range(m):
            best = max(best, keys[j])
        for j in range(m):
            second = max(second, np.int32(0) if keys[j] == best else keys[j])
        found = _note(pairs, found, i, best)
        found = _note(pairs, found, i, second)
    return _most_similar(pairs, found)


@compiled
def _note(pairs: Pairs, found: int, i: int, key: np.int32) -> int:
    """Write down a pair; it stays only if it is similar enough."""
    value = np.float32(key >> 8) * _PER_LEVEL
    pairs.found_row[found] = i
    pairs.found_column[found] = key & 0xFF
    pairs.found_value[found] = value
    is_similar = value > _FLOOR
    pairs.histogram[int(value * _BINS)] += is_similar
    return found + int(is_similar)


@compiled
def _most_similar(pairs: Pairs, found: int) -> int:
    """Keep PAIR_LIMIT of the found pairs: whole bins, then some of the next bin."""
    cut, total = _BINS + 1, 0
    while cut > 0 and total + pairs.histogram[cut - 1] <= PAIR_LIMIT:
        cut -= 1
        total += pairs.histogram[cut]
    spare, count = PAIR_LIMIT - total, 0
    for t in range(found):
        level = int(pairs.found_value[t] * _BINS)
        is_next = (level == cut - 1) & (spare > 0)
        pairs.row[count] = pairs.found_row[t]
        pairs.column[count] = pairs.found_column[t]
        pairs.value[count] = pairs.found_value[t]
        spare -= is_next
        count += (level >= cut) | is_next
    return count


@compiled
def support(a: Print, n: int, b: Print, m: int, pairs: Pairs, count: int) -> float:
    """Let the pairs support each other; return the mean strength of the best ones.

    Afterwards pairs.kept holds the share of its similarity that each pair kept.
    """
    if count < 2:
        return 0.0
    _place(a, b, pairs, count)
    _agree(pairs, count)
    _relax(pairs, count)
    for t in range(count):
        pairs.kept[t] = pairs.strength[t] / pairs.value[t]
    share = 1.0 / (1.0 + math.exp(-0.4 * (min(n, m) - 20)))
    wanted = _FEWEST_PAIRS + round(share * (_MOST_PAIRS - _FEWEST_PAIRS))
    return float(_best_sum(pairs, count, wanted)) / wanted


@compiled
def strongest(pairs: Pairs, count: int) -> int:
    """Return the pair that kept most of its similarity."""
    best = 0
    for t in range(1, count):
        if pairs.kept[t] > pairs.kept[best]:
            best = t
    return best


@compiled
def _best_sum(pairs: Pairs, count: int, wanted: int) -> np.float32:
    """Sum the strengths of the pairs that kept most, each minutia once."""
    left, total = pairs.fields[0], _NOTHING
    for t in range(count):
        left[t] = pairs.kept[t]
    for _ in range(wanted):
        best, value = -1, _NOTHING
        for t in range(count):
            if left[t] > value:
                best, value = t, left[t]
        if best < 0:
            break
        total += pairs.strength[best]
        row, column = pairs.row[best], pairs.column[best]
        for t in range(count):
            if (pairs.row[t] == row) | (pairs.column[t] == column):
                left[t] = -_ONE
    return total


@compiled
def _place(a: Print, b: Print, pairs: Pairs, count: int) -> None:
    fields = pairs.fields
    for t in range(count):
        i, j = pairs.row[t], pairs.column[t]
        fields[0, t], fields[1, t] = a.x[i], a.y[i]
        fields[2, t], fields[3, t] = b.x[j], b.y[j]
        fields[4, t] = b.angle[j] - a.angle[i]
    for t in range(count):
        fields[5, t] = math.cos(fields[4, t])
        fields[6, t] = math.sin(fields[4, t])


@compiled
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
            side_a, side_b = math.sqrt(far_a), math.sqrt(far_b)
            apart = (side_a - side_b) / (_APART_PX + _APART_SHARE * (side_a + side_b))
            apart = apart * apart
            # The way from s to t, turned as s and as t imply it, against the way in b.
            px, py = cosine_s * dx - sine_s * dy, sine_s * dx + cosine_s * dy
            qx, qy = cosine[t] * dx - sine[t] * dy, sine[t] * dx + cosine[t] * dy
            cross_s, cross_t = px * ev - py * eu, qx * ev - qy * eu
            worst = max(cross_s * cross_s, cross_t * cross_t)
            bearing = worst * _BEARING / (far_a * far_b + np.float32(1e-3))
            off = turn[t] - turn_s
            off -= _FULL_TURN * math.floor(off / _FULL_TURN + _HALF)
            off = off * off * _TURN
            is_ahead = (px * eu + py * ev > 0) & (qx * eu + qy * ev > 0)
            is_apart = (far_a >= _ONE) & (far_b >= _ONE)
            value = _ONE / (
                (_ONE + apart * apart) * (_ONE + off * off) * (_ONE + bearing * bearing)
            )
            fit[s, t] = value if is_ahead & is_apart else _NOTHING


@compiled
def _relax(pairs: Pairs, count: int) -> None:
    now, before, fit = pairs.strength, pairs.kept, pairs.fit
    for t in range(count):
        now[t] = pairs.value[t]
    share = _HALF / np.float32(max(count - 1, _FEWEST_OTHERS))
    for _ in range(_ROUNDS):
        for t in range(count):
            before[t] = now[t]
        for s in range(count):
            heard = _NOTHING
            for t in range(count):
                heard += fit[s, t] * before[t]
            now[s] = _HALF * before[s] + share * heard
