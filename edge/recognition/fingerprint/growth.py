"""From one agreeing pair over the whole print: pair every minutia that follows it.

The pairing grows outwards from its first pair and carries the displacement of the pairs
already made, so it follows the skin where it is stretched, which a rigid movement of
the whole print cannot.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.recognition.fingerprint.compiled import inlined, kernel
from edge.recognition.fingerprint.cylinders import CAPACITY, Print

if TYPE_CHECKING:
    from numpy.typing import NDArray

# How far from its expected place a minutia may lie: at a pair, and more the farther
# from the nearest pair; and how far its angle may be off.
_NEAR_PX, _NEAR_SHARE = np.float32(8.0), np.float32(0.12)
_ANGLE = np.float32(1 / 0.45**2)
# Pairs nearer than this have about equal say in a displacement.
_BLUR_PX2 = np.float32(20.0**2)
# Minutiae this near on three or four sides say that a place was in the print.
_AROUND_PX2 = np.float32(90.0**2)
_DISTANCE_BINS = 64
MEASURES = 10  # of the evidence
_PER_BIN = np.float32(0.125)
_FULL_TURN = np.float32(2 * math.pi)
_HALF, _ONE, _NOTHING = np.float32(0.5), np.float32(1), np.float32(0)


# x, y and angle.
Place = tuple[np.float32, np.float32, np.float32]


class Pairing(NamedTuple):
    """Workspace and result of `grow`.

    of_a, of_b: int64, the partner of each minutia, -1 for none. off: float32, squared
    distance of the pair from what was expected, 0 to 1, by minutia of a.
    movement: float32: cosine and sine of the turn, then the mean displacement.
    measures: float32, the evidence.
    """

    of_a: NDArray[np.int64]
    of_b: NDArray[np.int64]
    off: NDArray[np.float32]
    movement: NDArray[np.float32]
    order: NDArray[np.int64]
    bin_of: NDArray[np.int64]
    starts: NDArray[np.int64]
    fields: NDArray[np.float32]
    measures: NDArray[np.float32]


def empty_pairing() -> Pairing:
    return Pairing(
        of_a=np.zeros(CAPACITY, np.int64),
        of_b=np.zeros(CAPACITY, np.int64),
        off=np.zeros(CAPACITY, np.float32),
        movement=np.zeros(4, np.float32),
        order=np.zeros(CAPACITY, np.int64),
        bin_of=np.zeros(CAPACITY, np.int64),
        starts=np.zeros(_DISTANCE_BINS + 2, np.int64),
        fields=np.zeros((6, CAPACITY), np.float32),
        measures=np.zeros(MEASURES, np.float32),
    )


@kernel
def grow(
    a: Print, n: int, b: Print, m: int, first: tuple[int, int], pairing: Pairing
) -> int:
    """Pair the minutiae that follow the first pair; return how many pairs there are."""
    for i in range(n):
        pairing.of_a[i] = -1
    for j in range(m):
        pairing.of_b[j] = -1
    i, j = first
    turn = b.angle[j] - a.angle[i]
    cosine, sine = math.cos(turn), math.sin(turn)
    shift_x = b.x[j] - (cosine * a.x[i] - sine * a.y[i])
    shift_y = b.y[j] - (sine * a.x[i] + cosine * a.y[i])
    _order_outwards(a, n, i, pairing)
    _carry(pairing, 0, (b.x[j], b.y[j], turn), (b.x[j], b.y[j], turn))
    pairing.of_a[i], pairing.of_b[j], pairing.off[i] = j, i, _NOTHING
    used = 1
    for place in range(n):
        i = pairing.order[place]
        if pairing.of_a[i] >= 0:
            continue
        x = cosine * a.x[i] - sine * a.y[i] + shift_x
        y = sine * a.x[i] + cosine * a.y[i] + shift_y
        moved = (x, y, a.angle[i] + turn)
        j = _nearest_free(b, m, moved, pairing, used)
        if j >= 0:
            pairing.of_a[i], pairing.of_b[j] = j, i
            pairing.off[i] = pairing.fields[5, j]
            _carry(pairing, used, moved, (b.x[j], b.y[j], b.angle[j]))
            used += 1
    _mean_movement(pairing, used, (cosine, sine, shift_x, shift_y))
    return used


@inlined
def _carry(
    pairing: Pairing,
    used: int,
    moved: Place,
    found: Place,
) -> None:
    """Remember how far a pair is from the rigid movement."""
    fields = pairing.fields
    fields[0, used], fields[1, used] = moved[0], moved[1]
    fields[2, used], fields[3, used] = found[0] - moved[0], found[1] - moved[1]
    off = found[2] - moved[2]
    fields[4, used] = off - _FULL_TURN * math.floor(off / _FULL_TURN + _HALF)


@kernel
def _mean_movement(
    pairing: Pairing, used: int, rigid: tuple[float, float, float, float]
) -> None:
    mean_x, mean_y = _NOTHING, _NOTHING
    for u in range(used):
        mean_x += pairing.fields[2, u]
        mean_y += pairing.fields[3, u]
    pairing.movement[0] = rigid[0]
    pairing.movement[1] = rigid[1]
    pairing.movement[2] = rigid[2] + mean_x / used
    pairing.movement[3] = rigid[3] + mean_y / used


@inlined
def _nearest_free(b: Print, m: int, moved: Place, pairing: Pairing, used: int) -> int:
    """Return the free minutia of b nearest to where the skin has carried one, or -1."""
    fields = pairing.fields
    at_x, at_y, off_x, off_y, off_turn = (
        fields[0],
        fields[1],
        fields[2],
        fields[3],
        fields[4],
    )
    x, y, angle = moved
    total, sum_x, sum_y = _NOTHING, _NOTHING, _NOTHING
    sum_turn, nearest = _NOTHING, np.float32(1e9)
    for u in range(used):
        dx, dy = at_x[u] - x, at_y[u] - y
        far = dx * dx + dy * dy
        nearest = min(nearest, far)
        say = _ONE / ((far + _BLUR_PX2) * (far + _BLUR_PX2))
        total += say
        sum_x += say * off_x[u]
        sum_y += say * off_y[u]
        sum_turn += say * off_turn[u]
    per = _ONE / total
    x, y, angle = x + sum_x * per, y + sum_y * per, angle + sum_turn * per
    reach = _NEAR_PX + _NEAR_SHARE * math.sqrt(nearest)
    per_reach2 = _ONE / (reach * reach)
    away = fields[5]
    for j in range(m):
        dx, dy = b.x[j] - x, b.y[j] - y
        off = b.angle[j] - angle
        off -= _FULL_TURN * math.floor(off / _FULL_TURN + _HALF)
        away[j] = (dx * dx + dy * dy) * per_reach2 + off * off * _ANGLE
    best, least = -1, _ONE
    for j in range(m):
        if away[j] < least and pairing.of_b[j] < 0:
            best, least = j, away[j]
    return best


@kernel
def _order_outwards(a: Print, n: int, start: int, pairing: Pairing) -> None:
    """Sort the minutiae of a by their distance from one of them, in coarse steps."""
    starts, bin_of = pairing.starts, pairing.bin_of
    for q in range(_DISTANCE_BINS + 2):
        starts[q] = 0
    for i in range(n):
        dx, dy = a.x[i] - a.x[start], a.y[i] - a.y[start]
        level = int(math.sqrt(dx * dx + dy * dy) * _PER_BIN)
        bin_of[i] = min(level, _DISTANCE_BINS - 1)
        starts[bin_of[i] + 1] += 1
    for q in range(_DISTANCE_BINS):
        starts[q + 1] += starts[q]
    for i in range(n):
        pairing.order[starts[bin_of[i]]] = i
        starts[bin_of[i]] += 1


@kernel
def missed(a: Print, n: int, b: Print, m: int, pairing: Pairing) -> np.float32:
    """Return the weight of unpaired minutiae that lie inside the other print."""
    cosine, sine = pairing.movement[0], pairing.movement[1]
    shift_x, shift_y = pairing.movement[2], pairing.movement[3]
    total = _NOTHING
    for i in range(n):
        if pairing.of_a[i] < 0:
            x = cosine * a.x[i] - sine * a.y[i] + shift_x
            y = sine * a.x[i] + cosine * a.y[i] + shift_y
            total += a.weight[i] * _surrounded(x, y, b, m)
    for j in range(m):
        if pairing.of_b[j] < 0:
            dx, dy = b.x[j] - shift_x, b.y[j] - shift_y
            x, y = cosine * dx + sine * dy, cosine * dy - sine * dx
            total += b.weight[j] * _surrounded(x, y, a, n)
    return total


@inlined
def _surrounded(x: float, y: float, other: Print, count: int) -> np.float32:
    """Return 1 if minutiae lie near on all four sides, a half for three, else 0."""
    first = second = third = fourth = 0
    for k in range(count):
        dx, dy = other.x[k] - x, other.y[k] - y
        is_near = dx * dx + dy * dy < _AROUND_PX2
        first |= is_near & (dx > 0) & (dy > 0)
        second |= is_near & (dx > 0) & (dy <= 0)
        third |= is_near & (dx <= 0) & (dy > 0)
        fourth |= is_near & (dx <= 0) & (dy <= 0)
    sides = first + second + third + fourth
    return _ONE if sides == 4 else (_HALF if sides == 3 else _NOTHING)
