"""The cheap first stage of a search: how well the codes of two prints line up.

Every minutia of the probe finds its nearest code in the reference. If the prints are of
one finger, many of these pairs imply one movement: the best few pairs are tried as that
movement, and the others vote for them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.recognition.fingerprint.codes import Projection, committed, encode
from edge.recognition.fingerprint.compiled import kernel, ones
from edge.recognition.fingerprint.cylinders import CAPACITY, Print, empty_print
from edge.recognition.fingerprint.packed import ANGLE_STEPS
from edge.recognition.fingerprint.workspace import apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Codes that differ in this many of 64 bits or more say nothing; half is chance.
_DISTANCE_LIMIT = 30
_TRIED = 4
# Leeway of a vote: pixels, a share of the distance squared, and the angle.
_NEAR_PX2, _NEAR_SHARE = np.float32(15.0**2), np.float32(0.03)
_ANGLE = np.float32(1 / 0.5**2)
_FULL_TURN = np.float32(2 * math.pi)
_STEP_RAD = np.float32(2 * math.pi / ANGLE_STEPS)
_HALF, _ONE, _NOTHING = np.float32(0.5), np.float32(1), np.float32(0)


class Vote(NamedTuple):
    """What one thread needs for the first stage."""

    probe: Print
    place: NDArray[np.int32]
    sums: NDArray[np.float32]
    codes: NDArray[np.uint64]
    fields: NDArray[np.float32]
    projection: Projection


def new_vote(projection: Projection | None = None) -> Vote:
    """Return a workspace; one thread at a time may use it.

    Raises:
        ModelError: the table in the package is missing or damaged.
    """
    return apart(
        Vote(
            probe=empty_print(),
            place=np.zeros(CAPACITY, np.int32),
            sums=np.zeros(64, np.float32),
            codes=np.zeros(CAPACITY, np.uint64),
            fields=np.zeros((8, CAPACITY), np.float32),
            projection=committed() if projection is None else projection,
        )
    )


def codes_of(packed: NDArray[np.uint16], vote: Vote) -> NDArray[np.uint64]:
    """Return the codes, uint64 (n,), of packed minutiae (n, WORDS)."""
    codes = np.zeros(len(packed), np.uint64)
    encode(packed, vote.projection, vote.probe, vote.place, vote.sums, codes)
    return codes


@kernel
def encode_runs(
    packed: NDArray[np.uint16],
    extents: NDArray[np.uint32],
    vote: Vote,
    codes: NDArray[np.uint64],
) -> None:
    """Fill codes of many runs of minutiae: extents (references, 2), start and count."""
    for r in range(len(extents)):
        start = np.int64(extents[r, 0])
        end = start + np.int64(extents[r, 1])
        encode(
            packed[start:end],
            vote.projection,
            vote.probe,
            vote.place,
            vote.sums,
            codes[start:end],
        )


@kernel
def vote_many(
    probe: NDArray[np.uint16],
    packed: NDArray[np.uint16],
    codes: NDArray[np.uint64],
    extents: NDArray[np.uint32],
    chosen: NDArray[np.int64],
    votes: NDArray[np.float32],
    work: Vote,
) -> None:
    """Fill votes (k,) of the probe for the chosen (k,) of many references.

    probe: uint16 (n, WORDS). packed, codes: of all references. extents: uint32
    (references, 2), first minutia and count of each; a count of 0 gets no votes.
    """
    n = len(probe)
    encode(probe, work.projection, work.probe, work.place, work.sums, work.codes)
    for c in range(len(chosen)):
        start = np.int64(extents[chosen[c], 0])
        end = start + np.int64(extents[chosen[c], 1])
        if end == start:
            votes[c] = _NOTHING
            continue
        votes[c] = _votes(work, n, packed[start:end], codes[start:end])


@kernel
def _votes(
    work: Vote, n: int, packed: NDArray[np.uint16], codes: NDArray[np.uint64]
) -> np.float32:
    fields = work.fields
    ax, ay, bx, by = fields[0], fields[1], fields[2], fields[3]
    turn, value = fields[4], fields[5]
    count, m = 0, len(codes)
    for i in range(n):
        mine = work.codes[i]
        # Distance and place in one number: the loop runs in wide registers.
        nearest = np.int64(1 << 40)
        for j in range(m):
            nearest = min(nearest, np.int64(ones(mine ^ codes[j])) << 16 | j)
        distance, nearest_at = nearest >> 16, nearest & 0xFFFF
        ax[count], ay[count] = work.probe.x[i], work.probe.y[i]
        bx[count] = np.float32(packed[nearest_at, 0] & 0x3FFF)
        by[count] = -np.float32(packed[nearest_at, 1] & 0x3FFF)
        step = np.int32(packed[nearest_at, 1] >> 14)
        step |= np.int32(packed[nearest_at, 2] >> 8) << 2
        turn[count] = np.float32(step) * _STEP_RAD - work.probe.angle[i]
        value[count] = np.float32(_DISTANCE_LIMIT - distance)
        count += int(distance < _DISTANCE_LIMIT)
    return _most_agreed(fields, count)


@kernel
def _most_agreed(fields: NDArray[np.float32], count: int) -> np.float32:
    """Return the votes for the movement, of the best few pairs', with most of them."""
    ax, ay, bx, by = fields[0], fields[1], fields[2], fields[3]
    turn, value, left = fields[4], fields[5], fields[6]
    for t in range(count):
        left[t] = value[t]
    best = _NOTHING
    for _ in range(min(_TRIED, count)):
        s = 0
        for t in range(1, count):
            if left[t] > left[s]:
                s = t
        left[s] = -_ONE
        cosine, sine = math.cos(turn[s]), math.sin(turn[s])
        xs, ys, us, vs, turn_s = ax[s], ay[s], bx[s], by[s], turn[s]
        total = _NOTHING
        for t in range(count):
            dx, dy = ax[t] - xs, ay[t] - ys
            ex = bx[t] - us - (cosine * dx - sine * dy)
            ey = by[t] - vs - (sine * dx + cosine * dy)
            off = turn[t] - turn_s
            off -= _FULL_TURN * math.floor(off / _FULL_TURN + _HALF)
            leeway = _NEAR_PX2 + _NEAR_SHARE * (dx * dx + dy * dy)
            error = (ex * ex + ey * ey) / leeway + off * off * _ANGLE
            total += value[t] * max(_ONE - error, _NOTHING)
        best = max(best, total)
    return best
