"""Several fingers of one person to one false match rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def fused_false_match_rate(rates: Sequence[float]) -> float:
    """Return the rate at which non-mated persons reach the product of the rates.

    rates: the false match rate of each finger's comparison, in (0, 1]. For independent
    fingers each is evenly distributed, and the product c of k of them is reached with
    c * sum of (-ln c)^i / i! for i < k (Fisher's combined probability test).
    """
    product = math.prod(rates)
    if product <= 0:
        return 0.0
    strength = -math.log(product)
    term, total = 1.0, 1.0
    for i in range(1, len(rates)):
        term *= strength / i
        total += term
    return min(product * total, 1.0)
