"""How seldom one comparison may match wrongly, so that a search seldom does."""

from __future__ import annotations

import math


def rate_of_one(fpir: float, persons: int) -> float:
    """Return the false match rate of each of so many persons that makes this FPIR."""
    if fpir >= 1 or persons < 1:
        return 1.0
    return -math.expm1(math.log1p(-fpir) / persons)
