"""What a comparison says for and against a mate: its likelihood ratio.

    LR = density of the score among mated / among non-mated comparisons

Scores enter as their rarity, u = -log10 of the false match rate: whatever the engine,
non-mated comparisons reach a rarity u with probability 10**-u, by what a false match
rate is. So the non-mated side is the false match calibration itself, in the tail too,
and a table only has to say how mated comparisons spread over u.

It is fitted in bins of u: the share of mated comparisons in a bin over the share of
non-mated ones, which is known. Pooling adjacent violators makes the ratios rise: that
is the maximum likelihood fit of a rising ratio (Ayer et al., 1955; Brummer and du
Preez, "Application-independent evaluation of speaker detection", 2006). As if half a
mated comparison had scored like a non-mated one is added, so that what was never seen
is not taken for impossible. Between the middles of the bins log10 LR is linear, beyond
the ends constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# No sample says more than this against a person: fingers are mistaken for one another,
# and a face can be changed on purpose.
LEAST_LOG_RATIO = -2.0
# A table rises at least so much in log10 LR for each decade of rarity.
LEAST_RISE = 0.05
# Bins of rarity: fine where most non-mated comparisons are.
FINE, FINE_TO, COARSE = 0.25, 2.0, 0.5
NEVER_SEEN = 0.5
DIGITS = 4


@dataclass(frozen=True)
class LikelihoodTable:
    """One kind of comparison.

    rarities: rising from 0. log_ratios: log10 of the likelihood ratio at each, rising.
    """

    kind: str
    rarities: tuple[float, ...]
    log_ratios: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no table.

        Raises:
            ModelError: its columns are not of one length, not finite or do not rise.
        """
        is_table = len(self.rarities) == len(self.log_ratios) >= 2
        columns = np.array([self.rarities, self.log_ratios]) if is_table else None
        if (
            columns is None
            or columns[0, 0] != 0
            or not np.isfinite(columns).all()
            or not (np.diff(columns) > 0).all()
        ):
            message = f"likelihood ratios of {self.kind}: they do not rise"
            raise ModelError(message)

    def log_ratio(self, false_match_rate: float) -> float:
        """Return log10 of the likelihood ratio of a comparison with this rate."""
        return self.log_ratio_at(rarity(false_match_rate))

    def log_ratio_at(self, rarity: float) -> float:
        return float(np.interp(rarity, self.rarities, self.log_ratios))

    def rarity_at(self, log_ratio: float) -> float:
        """Return the least rarity with this ratio; infinite above the highest."""
        if log_ratio > self.log_ratios[-1]:
            return math.inf
        return float(np.interp(log_ratio, self.log_ratios, self.rarities))


def rarity(false_match_rate: float) -> float:
    """Return in how many decades a non-mated comparison is that rare, 0 or more."""
    return max(0.0, -math.log10(max(false_match_rate, 1e-300)))


def bins_to(highest: float) -> Floats:
    """Return where the bins begin; the last holds what is at the highest rarity."""
    coarse = np.arange(FINE_TO, highest, COARSE)
    return np.concatenate([np.arange(0, FINE_TO, FINE), coarse, [highest]])


def fitted(
    kind: str, highest: float, mated_shares: Floats, mated: int
) -> LikelihoodTable:
    """Return the table of a kind of comparison.

    highest: the rarity beyond which its calibration does not tell apart. mated_shares:
    of mated comparisons in each of the bins. mated: how many were counted.
    """
    edges = bins_to(highest)
    reached = np.r_[10.0**-edges, 0.0]
    non_mated = reached[:-1] - reached[1:]
    shares = (mated * mated_shares + NEVER_SEEN * non_mated) / (mated + NEVER_SEEN)
    ratios = np.log10(rising(shares / non_mated, non_mated))
    rarities = np.r_[0.0, (edges[:-1] + edges[1:]) / 2, highest]
    bounded = _bounded(rarities, np.r_[ratios[0], ratios])
    return LikelihoodTable(
        kind,
        tuple(round(float(u), DIGITS) for u in rarities),
        tuple(round(float(ratio), DIGITS) for ratio in bounded),
    )


def counts_in_bins(mated_rates: Floats, highest: float) -> tuple[int, ...]:
    """Return how many comparisons, by their false match rates, are in each bin."""
    found = -np.log10(np.clip(mated_rates, 10.0**-highest, 1.0))
    edges = bins_to(highest)
    # Rounding must not move what is at the end out of its bin.
    edges[-1] -= 1e-9
    place = np.searchsorted(edges, found, side="right") - 1
    return tuple(np.bincount(place, minlength=len(edges)).tolist())


def rising(values: Floats, weights: Floats) -> Floats:
    """Return the nearest values that never fall, by pooling adjacent violators."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, count = value, weight, 1
        while pools and pools[-1][0] >= mean:
            before = pools.pop()
            mean = (before[0] * before[1] + mean * total) / (before[1] + total)
            total += before[1]
            count += before[2]
        pools.append((mean, total, count))
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])


def _bounded(rarities: Floats, log_ratios: Floats) -> Floats:
    """Return the ratios, not below the lowest allowed and rising everywhere."""
    bounded = np.maximum(log_ratios, LEAST_LOG_RATIO)
    for place in range(1, len(bounded)):
        rise = LEAST_RISE * (rarities[place] - rarities[place - 1])
        bounded[place] = max(bounded[place], bounded[place - 1] + rise)
    return bounded
