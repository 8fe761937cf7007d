"""From scores of non-mated pairs to a table of false match rates.

Counted: a kind of pairs gives the rate of a score as long as FEWEST_BEYOND of its pairs
reach that score.

Beyond: invented pairs, tens of millions, give the shape of the tail. It goes on
log-linearly from where they end, with the slope of all their excesses over the score
that TAIL_RATE of them reach (maximum likelihood of an exponential tail; invented tails
are a little lighter, so this overstates: see calibration_checks). Other kinds of pairs
follow the same shape from where their own counts end, moved along the score by the mean
distance between both over the last decade that was counted.

The rate of a score is the highest that any kind of pairs gives: real pairs within each
set, real pairs within and across sets, real with invented, invented.

The band is a percentile bootstrap: real and invented fingers are drawn with
replacement, a pair counts the product of the counts of its fingers, and all is fitted
anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.bench.calibration_pairs import PairScores

    Floats = NDArray[np.float64]

METHOD = (
    "highest of the rates of real pairs within sets, real pairs within and across sets,"
    " real with invented and invented pairs; counted down to 10 pairs; below, the shape"
    " of the invented pairs' tail, moved along the score; beyond them an exponential"
    " tail (maximum likelihood above the score that 1e-4 of invented pairs reach)."
    " Band: 95 %, percentile bootstrap over fingers."
)
FEWEST_BEYOND, MOST_FOR_SHIFT = 10, 100
TAIL_RATE, FEWEST_IN_TAIL = 1e-4, 200
# The ranks that move the shape then lie among the scores that are kept.
FEWEST_PAIRS = 10_000
# Fine where pairs have evidence, coarse where they were given up.
GRID: Floats = np.concatenate([np.arange(10) / 100, np.arange(50, 300) / 500])


@dataclass(frozen=True, eq=False)
class Counted:
    """Rates at GRID. is_counted: where enough pairs lie beyond."""

    name: str
    count: int
    rates: Floats
    is_counted: NDArray[np.bool_]

    def score_at(self, rate: float) -> float:
        logs = -np.log10(np.maximum(self.rates, 0.1 / self.count))
        return float(np.interp(-math.log10(rate), logs, GRID))


@dataclass(frozen=True, eq=False)
class Shape:
    """The tail of the invented pairs. log_rates: at GRID, log 10, all the way."""

    counted: Counted
    log_rates: Floats
    decades: float
    counted_to: float

    def log_rate(self, scores: Floats) -> Floats:
        inside = np.interp(scores, GRID, self.log_rates)
        beyond = np.maximum(scores - GRID[-1], 0.0) * self.decades
        return np.asarray(inside - beyond)

    def score_at(self, rate: float) -> float:
        return float(np.interp(-math.log10(rate), -self.log_rates, GRID))


@dataclass(frozen=True, eq=False)
class Curve:
    """One kind of pairs, all the way. shift: of the shape that it follows."""

    name: str
    rates: Floats
    is_counted: NDArray[np.bool_]
    shift: float


def counted(
    pairs: PairScores,
    weights: Floats | None = None,
    is_counted: NDArray[np.bool_] | None = None,
) -> Counted:
    """Count how many pairs reach each score of GRID.

    weights: of each finger. is_counted: decided already, by the unweighted counts.

    Raises:
        InputError: there are too few pairs to say anything.
    """
    if pairs.count < FEWEST_PAIRS:
        raise InputError(
            f"{pairs.name}: {pairs.count} non-mated pairs; at least {FEWEST_PAIRS} are "
            "needed, give more prints"
        )
    weight = None if weights is None else weights[pairs.first] * weights[pairs.second]
    place = np.searchsorted(GRID, pairs.scores, side="right") - 1
    beyond = np.bincount(place, weight, len(GRID))[::-1].cumsum()[::-1]
    rates = np.minimum(beyond / pairs.count, 1.0)
    if is_counted is None:
        is_counted = (beyond >= FEWEST_BEYOND) & (pairs.kept_from - 1e-9 <= GRID)
    return Counted(pairs.name, pairs.count, rates, is_counted)


def tail_decades(pairs: PairScores, weights: Floats | None = None) -> float:
    """Return the decades per unit of score that an exponential tail falls."""
    excess, weight = tail_excesses(pairs, weights)
    return 1 / (math.log(10) * float(np.average(excess, weights=weight)))


def tail_excesses(
    pairs: PairScores, weights: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return excesses over the start of the tail, above 0, and what each counts."""
    wanted = max(int(TAIL_RATE * pairs.count), FEWEST_IN_TAIL)
    if wanted >= len(pairs.scores):
        raise InputError(f"{pairs.name}: {pairs.count} pairs are too few for a tail")
    start = np.partition(pairs.scores, -wanted)[-wanted]
    is_beyond = pairs.scores > start
    excess = (pairs.scores[is_beyond] - start).astype(np.float64)
    if weights is None:
        return excess, np.ones(len(excess))
    return excess, weights[pairs.first[is_beyond]] * weights[pairs.second[is_beyond]]


def shape_of(
    pairs: PairScores,
    weights: Floats | None = None,
    is_counted: NDArray[np.bool_] | None = None,
) -> Shape:
    """Return the tail of the invented pairs.

    Raises:
        InputError: there are too few of them.
    """
    found = counted(pairs, weights, is_counted)
    decades = tail_decades(pairs, weights)
    end = int(np.flatnonzero(found.is_counted)[-1])
    logs = np.log10(np.maximum(found.rates, 0.1 / found.count))
    # Below what was kept nothing is known but that the rate is at least as high.
    first = int(np.argmax(found.is_counted))
    logs[:first] = logs[first]
    logs[end:] = logs[end] - (GRID[end:] - GRID[end]) * decades
    return Shape(found, logs, decades, float(GRID[end]))


def follow(pairs: Counted, shape: Shape) -> Curve:
    """Continue the counts of one kind of pairs along the shape."""
    ranks = np.geomspace(FEWEST_BEYOND, MOST_FOR_SHIFT, 10)
    rates_there = ranks / pairs.count
    gaps = [pairs.score_at(rate) - shape.score_at(rate) for rate in rates_there]
    shift = float(np.mean(gaps))
    end = int(np.flatnonzero(pairs.is_counted)[-1])
    rates = pairs.rates.copy()
    beyond = 10.0 ** shape.log_rate(GRID[end + 1 :] - shift)
    rates[end + 1 :] = np.minimum(beyond, rates[end])
    return Curve(pairs.name, rates, pairs.is_counted, shift)


def curves(
    kinds: Sequence[PairScores],
    invented: PairScores,
    weights: Floats | None = None,
    decided: Sequence[NDArray[np.bool_]] | None = None,
) -> tuple[list[Curve], Shape]:
    """Return the curve of each kind, that of the invented pairs last, and its tail.

    decided: what counts as counted, of each curve.

    Raises:
        InputError: there are too few pairs.
    """
    nothing: list[NDArray[np.bool_] | None] = [None] * (len(kinds) + 1)
    masks = nothing if decided is None else list(decided)
    shape = shape_of(invented, weights, masks[-1])
    found = [
        follow(counted(kind, weights, mask), shape)
        for kind, mask in zip(kinds, masks, strict=False)
    ]
    is_beyond = shape.counted_to < GRID
    rates = np.where(is_beyond, 10.0**shape.log_rates, shape.counted.rates)
    found.append(Curve(invented.name, rates, shape.counted.is_counted, 0.0))
    return found, shape


def highest(found: Sequence[Curve]) -> Floats:
    """Return the highest rate of all curves at each score of GRID."""
    return np.asarray(np.max([curve.rates for curve in found], axis=0))
