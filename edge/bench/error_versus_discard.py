"""Error versus discard: what a quality measure is worth to the comparison.

After P. Grother, E. Tabassi, "Performance of biometric quality measures" (IEEE TPAMI
29, 2007), and ISO/IEC 29794-1: drop the pairs whose worse sample is poorest and see how
fast false non-matches vanish. A perfect measure drops only false non-matches; a useless
one leaves the rate where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DISCARDS = (0.0, 0.01, 0.02, 0.05, 0.10, 0.15, 0.20)


@dataclass(frozen=True)
class DiscardPoint:
    """discarded: share of mated pairs dropped. fnmr: of the pairs that are left."""

    discarded: float
    fnmr: float


def pair_quality(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the quality of pairs: that of the worse sample."""
    return np.minimum(first, second)


def error_versus_discard(
    pair_quality: NDArray[np.float64],
    scores: NDArray[np.float64],
    threshold: float,
    discards: Sequence[float] = DISCARDS,
) -> list[DiscardPoint]:
    """Return the false non-match rate of mated pairs after dropping the poorest.

    pair_quality, scores: float64 (n,), one value a mated pair. A pair is a false
    non-match if its score is below threshold. Pairs of equal quality at the edge of a
    discard count with the share of them that stays, so that their order is no matter.

    Raises:
        ValueError: no pairs, lengths that differ, or a discard outside 0 to below 1.
    """
    if len(scores) == 0 or len(pair_quality) != len(scores):
        message = f"{len(pair_quality)} qualities for {len(scores)} scores"
        raise ValueError(message)
    if not all(0 <= share < 1 for share in discards):
        message = f"discards must be 0 to below 1: {list(discards)}"
        raise ValueError(message)
    missed = np.asarray(scores) < threshold
    levels, place = np.unique(pair_quality, return_inverse=True)
    pairs = np.bincount(place, minlength=len(levels)).astype(np.float64)
    misses = np.bincount(place, weights=missed, minlength=len(levels))
    return [
        _point(float(share), pairs, misses.astype(np.float64)) for share in discards
    ]


def area_under(points: Sequence[DiscardPoint]) -> float:
    """Return the mean FNMR between the first and the last discard; lower is better."""
    shares = np.array([point.discarded for point in points])
    rates = np.array([point.fnmr for point in points])
    width = shares[-1] - shares[0]
    if width <= 0:
        return float(rates[0])
    trapezes = (rates[1:] + rates[:-1]) / 2 * np.diff(shares)
    return float(trapezes.sum() / width)


def _point(
    share: float, pairs: NDArray[np.float64], misses: NDArray[np.float64]
) -> DiscardPoint:
    """Drop share of the pairs, from the poorest level up, parts of a level evenly."""
    to_drop = share * pairs.sum()
    before = np.cumsum(pairs) - pairs
    kept = 1 - np.clip((to_drop - before) / pairs, 0, 1)
    left = float((kept * pairs).sum())
    return DiscardPoint(share, float((kept * misses).sum()) / left)
