"""Error rates of comparison scores, as ISO/IEC 19795-1 defines them.

A pair matches at threshold t if its score >= t. FMR(t): share of non-mated scores >= t.
FNMR(t): share of mated scores < t. A pair without a score (a print that gave no
template) enters as score 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

# The false match rates that every report gives, under the names it gives them.
RATES = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}
# 0.29 x 100 is a little less than 29 in binary: such a product still counts as whole.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class DetectionErrors:
    """FMR and FNMR, float64 (n,), at thresholds that rise; the last one is infinity."""

    thresholds: Scores
    fmr: Scores
    fnmr: Scores


class PairScores:
    """Scores of mated and of non-mated pairs, and the error rates that they give."""

    def __init__(self, mated: Scores, non_mated: Scores) -> None:
        """Take scores, float64 (m,) and (n,), in any order.

        Raises:
            InputError: one of them is empty, or a score is not finite.
        """
        self.mated = np.sort(np.asarray(mated, np.float64))
        self.non_mated = np.sort(np.asarray(non_mated, np.float64))
        if not len(self.mated) or not len(self.non_mated):
            raise InputError(
                f"{len(self.mated)} mated and {len(self.non_mated)} non-mated pairs: "
                "error rates need both; give two impressions of two fingers at least"
            )
        if not (np.isfinite(self.mated).all() and np.isfinite(self.non_mated).all()):
            raise InputError("comparison scores: one of them is not a finite number")

    def threshold_at(self, fmr: float) -> float:
        """Return the smallest threshold whose false match rate is at most fmr.

        At fmr 0 this is the number just above the highest non-mated score; at fmr 1,
        minus infinity.
        """
        count = len(self.non_mated)
        allowed = math.floor(fmr * count + _ROUNDING)
        if allowed >= count:
            return -math.inf
        first_refused = self.non_mated[count - 1 - allowed]
        return float(np.nextafter(first_refused, math.inf))

    def fnmr(self, threshold: float) -> float:
        below = np.searchsorted(self.mated, threshold, side="left")
        return float(below / len(self.mated))

    def fmr(self, threshold: float) -> float:
        below = np.searchsorted(self.non_mated, threshold, side="left")
        return float(1 - below / len(self.non_mated))

    def fnmr_at(self, fmr: float) -> float:
        """Return the false non-match rate at the threshold for this FMR."""
        return self.fnmr(self.threshold_at(fmr))

    @property
    def zero_fmr(self) -> float:
        """The false non-match rate just above the highest non-mated score."""
        return self.fnmr_at(0.0)

    @cached_property
    def errors(self) -> DetectionErrors:
        """Both rates at every threshold where one of them changes."""
        levels = np.unique(np.concatenate([self.mated, self.non_mated]))
        thresholds = np.append(levels, math.inf)
        mated_below = np.searchsorted(self.mated, thresholds, side="left")
        non_mated_below = np.searchsorted(self.non_mated, thresholds, side="left")
        return DetectionErrors(
            thresholds=thresholds,
            fmr=1 - non_mated_below / len(self.non_mated),
            fnmr=mated_below / len(self.mated),
        )

    @property
    def equal_error_rate(self) -> float:
        """Where FMR = FNMR on the straight lines between neighbouring thresholds.

        Across a score that mated and non-mated pairs share, the line stands for ties
        broken by chance: scores that are all equal give 0.5.
        """
        fmr, fnmr = self.errors.fmr, self.errors.fnmr
        # fnmr - fmr rises from -1, at the lowest score, to 1, at infinity.
        after = int(np.argmax(fnmr >= fmr))
        gap_before = fmr[after - 1] - fnmr[after - 1]
        gap_after = fnmr[after] - fmr[after]
        share = gap_before / (gap_before + gap_after)
        return float(fmr[after - 1] + share * (fmr[after] - fmr[after - 1]))

    def report(self, rates: Mapping[str, float] = RATES) -> dict[str, object]:
        """Return the accuracy keys that a benchmark reports, ready for JSON."""
        return {
            "mated": len(self.mated),
            "non_mated": len(self.non_mated),
            "eer": self.equal_error_rate,
            "fnmr_at_fmr": {name: self.fnmr_at(rate) for name, rate in rates.items()},
            "zero_fmr": self.zero_fmr,
        }
