"""Several samples of one traveller against one person: one ratio, one false match rate.

    log10 LR of all = sum of log10 LR of each sample that could be compared

That is the likelihood ratio of all samples together where, among non-mated pairs, they
are independent: different fingers, and finger and face, of two persons that have
nothing to do with each other. Two samples of one finger are not; they must not be
fused. A sample that is missing, or has no reference, says nothing: it adds 0.

The false match rate of a sum is counted out: a non-mated comparison reaches a rarity u
with probability 10**-u, so the distribution of each term is known to the end, and that
of the sum is their convolution. On the grid every term is rounded up: the rate is never
stated too low, and too high by less than an eighth for each sample, where the tables
are flattest, by less than a hundredth where evidence is decided on.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.recognition.likelihood import LikelihoodTable

# Of log10 LR: fine enough that rounding costs less than the tables are known to.
STEP = 0.0025
_HALVINGS = 40
_ROUNDING = 1e-9


class EvidenceFusion:
    """Fuses comparisons by the tables of their kinds. For any thread."""

    def __init__(self, tables: Mapping[str, LikelihoodTable]) -> None:
        self._tables = dict(tables)
        self._distribution = cache(self._convolved)

    def log_ratio(self, kind: str, false_match_rate: float) -> float:
        """Return log10 of the likelihood ratio of one comparison of a kind."""
        return self._tables[kind].log_ratio(false_match_rate)

    def false_match_rate(self, kinds: Sequence[str], log_ratio: float) -> float:
        """Return the share of non-mated persons whose sum is at least this.

        kinds: of each comparison in the sum. Of none it is 1.
        """
        if not kinds:
            return 1.0
        if len(kinds) == 1:
            return float(10.0 ** -self._tables[kinds[0]].rarity_at(log_ratio))
        lowest, tail = self._distribution(tuple(sorted(kinds)))
        place = math.ceil((log_ratio - lowest) / STEP - _ROUNDING)
        return 0.0 if place >= len(tail) else float(tail[max(place, 0)])

    def least_rarity(self, kinds: Sequence[str], false_match_rate: float) -> float:
        """Return how rare the rarest sample is at least, to reach a fused rate.

        kinds: of all samples; some of them may have no reference. Infinite if no
        evidence is enough.
        """
        return min(
            self._all_as_rare(chosen, false_match_rate) for chosen in _parts(kinds)
        )

    def _all_as_rare(self, kinds: tuple[str, ...], false_match_rate: float) -> float:
        """Return the rarity that all of these samples need if they have the same."""
        low, high = 0.0, max(self._tables[kind].rarities[-1] for kind in kinds)
        if self._rate_at(kinds, high) > false_match_rate:
            return math.inf
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self._rate_at(kinds, middle) <= false_match_rate:
                high = middle
            else:
                low = middle
        return low

    def _rate_at(self, kinds: tuple[str, ...], rarity: float) -> float:
        total = sum(self._tables[kind].log_ratio_at(rarity) for kind in kinds)
        return self.false_match_rate(kinds, total)

    def _convolved(self, kinds: tuple[str, ...]) -> tuple[float, NDArray[np.float64]]:
        """Return the lowest sum, and the share of non-mated sums from each step up."""
        share, lowest = np.ones(1), 0.0
        for kind in kinds:
            table = self._tables[kind]
            share = np.convolve(share, _shares(table))
            lowest += table.log_ratios[0]
        return lowest, np.minimum(share[::-1].cumsum()[::-1], 1.0)


def _shares(table: LikelihoodTable) -> NDArray[np.float64]:
    """Return the share of non-mated comparisons in each step, at its upper end."""
    lowest, highest = table.log_ratios[0], table.log_ratios[-1]
    edges = lowest + STEP * np.arange(math.ceil((highest - lowest) / STEP) + 1)
    rarities = np.interp(edges, table.log_ratios, table.rarities)
    reached = 10.0**-rarities
    inside = reached[:-1] - reached[1:]
    # The lowest ratio is itself a step; what is as rare as can be is at the very end.
    shares = np.r_[0.0, inside]
    shares[-1] += reached[-1]
    return np.asarray(shares)


def _parts(kinds: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield each choice of some of the kinds once."""
    ordered = tuple(sorted(kinds))
    for size in range(1, len(ordered) + 1):
        yield from sorted(set(itertools.combinations(ordered, size)))
