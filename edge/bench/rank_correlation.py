"""Spearman's rank correlation: how well one order of the samples follows another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def spearman(first: ArrayLike, second: ArrayLike) -> float | None:
    """Return the correlation of the ranks, -1 to 1; equal values share their mean rank.

    first, second: (n,). None if one of them is the same everywhere: it has no order.

    Raises:
        ValueError: the lengths differ.
    """
    a, b = _centred_ranks(first), _centred_ranks(second)
    if len(a) != len(b):
        message = f"{len(a)} values beside {len(b)}"
        raise ValueError(message)
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / spread, -1, 1)) if spread > 0 else None


def _centred_ranks(values: ArrayLike) -> NDArray[np.float64]:
    _, place, counts = np.unique(
        np.asarray(values, np.float64), return_inverse=True, return_counts=True
    )
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    return np.asarray(ranks - ranks.mean() if len(ranks) else ranks, np.float64)
