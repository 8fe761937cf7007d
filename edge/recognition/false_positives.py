"""How seldom one comparison may match wrongly, so that a search seldom does."""

from __future__ import annotations

import math


def rate_of_one(fpir: float, persons: int) -> float:
    """Return the false match rate of each of so many persons that makes this FPIR."""
    if fpir >= 1 or persons < 1:
        return 1.0
    return -math.expm1(math.log1p(-fpir) / persons)


def rate_of_best(false_match_rate: float, references: int) -> float:
    """Return the rate at which the best of so many references is as good.

    References of one person are alike: taken as if they were not, it is an upper bound.
    """
    if false_match_rate >= 1:
        return 1.0
    return -math.expm1(references * math.log1p(-false_match_rate))
