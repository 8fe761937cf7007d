"""One-to-many search on a list, with travellers who are on it and strangers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# The false positive identification rates that are reported.
RATES = {"1e-1": 1e-1, "1e-2": 1e-2}


@dataclass(frozen=True, eq=False)
class Division:
    """Indices of images: one of each person on the list, others of them, strangers."""

    references: NDArray[np.intp]
    probes: NDArray[np.intp]
    strangers: NDArray[np.intp]


def divide(persons: Sequence[str]) -> Division:
    """Put persons with several images on the list, by their first image.

    Strangers are the persons with one image; where they are fewer than a third of all,
    every other person with several images is a stranger too.
    """
    names, first, inverse, counts = np.unique(
        np.array(persons), return_index=True, return_inverse=True, return_counts=True
    )
    several = np.flatnonzero(counts > 1)
    if 3 * (len(names) - len(several)) < len(names) and len(several) > 1:
        several = several[::2]
    is_listed = np.isin(inverse, several)
    references = first[several]
    is_reference = np.zeros(len(persons), bool)
    is_reference[references] = True
    return Division(
        references,
        np.flatnonzero(is_listed & ~is_reference),
        np.flatnonzero(~is_listed),
    )


def identification_report(
    scores: NDArray[np.floating], persons: Sequence[str]
) -> dict[str, object]:
    """Return `rank1` and `fnir_at_fpir` with the sizes they stand on.

    scores: (n, n), of every image with every other; a pair that could not be compared
    has minus infinity. `fnir_at_fpir` names the share of listed persons' images whose
    own reference does not reach the threshold at which that share of strangers' images
    reaches any (ISO/IEC 19795-1); None where there are too few strangers to tell.
    """
    division = divide(persons)
    names = np.array(persons)
    listed = scores[np.ix_(division.probes, division.references)]
    is_own = names[division.probes][:, None] == names[division.references]
    own = np.where(is_own, listed, -np.inf).max(axis=1)
    rank1 = own >= np.where(is_own, -np.inf, listed).max(axis=1)
    rank1 &= np.isfinite(own)
    highest = scores[np.ix_(division.strangers, division.references)].max(
        axis=1, initial=-np.inf
    )
    return {
        "listed": len(division.references),
        "probes": len(division.probes),
        "strangers": len(division.strangers),
        "rank1": float(rank1.mean()),
        "fnir_at_fpir": {
            name: _fnir(own, highest, rate) for name, rate in RATES.items()
        },
    }


def _fnir(
    own: NDArray[np.floating], highest: NDArray[np.floating], fpir: float
) -> float | None:
    allowed = int(fpir * len(highest) + 1e-9)
    if not allowed:
        return None
    threshold = np.sort(highest)[::-1][allowed]
    return float((own <= threshold).mean())
