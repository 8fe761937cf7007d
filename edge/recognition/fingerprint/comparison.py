"""Two prints to one score: local descriptors propose pairs, geometry confirms them.

After R. Cappelli, M. Ferrara, D. Maltoni: "Minutia Cylinder-Code" (IEEE TPAMI 32,
2010): bit cylinders, then relaxation over the best pairs, then the mean of the pairs
that kept their strength.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.fingerprint import kernels
from edge.recognition.fingerprint.descriptors import Prepared, prepare
from edge.terms import FingerPosition, FingerprintTemplate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Prepared", "compare", "correspondences", "prepare", "warm_up"]

FEWEST_PAIRS, MOST_PAIRS = 4, 14
# Fewer minutiae than this agree with too many fingers to say anything.
FEWEST_MINUTIAE = 5


def compare(probe: Prepared, reference: Prepared) -> float:
    """Return how alike two prints are, 0 to 1; symmetric and deterministic.

    The value means nothing without its false match rate: see calibration.
    """
    if min(len(probe), len(reference)) < FEWEST_MINUTIAE:
        return 0.0
    strengths, _, _ = _confirmed_pairs(probe, reference)
    wanted = _pair_count(min(len(probe), len(reference)))
    return float(min(max(float(strengths.sum()) / wanted, 0.0), 1.0))


def correspondences(probe: Prepared, reference: Prepared) -> list[tuple[int, int]]:
    """Return indices of the minutiae that carry the score, strongest pair first."""
    _, rows, columns = _confirmed_pairs(probe, reference)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True)]


def warm_up() -> None:
    """Compile now, if this machine never did: seconds that no capture should wait."""
    spread = np.arange(8)
    invented = FingerprintTemplate(
        position=FingerPosition.UNKNOWN,
        model_id="warm-up",
        width_px=100,
        height_px=100,
        x=(spread * 37 % 90).astype(np.int16),
        y=(spread * 53 % 90).astype(np.int16),
        angle_rad=spread.astype(np.float32) % 6,
        kind=np.ones(8, np.uint8),
        quality=np.full(8, 90, np.uint8),
    )
    compare(prepare(invented), prepare(invented))


def _confirmed_pairs(
    probe: Prepared, reference: Prepared
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    swapped = (len(probe), probe.order) > (len(reference), reference.order)
    a, b = (reference, probe) if swapped else (probe, reference)
    similarity = kernels.similarities(a.words, a.seen, b.words, b.seen)
    rows, columns, values = kernels.best_pairs(similarity)
    fit = kernels.compatibilities(a.points, b.points, rows, columns)
    strengths = kernels.relaxed(values, fit)
    chosen = kernels.choose(strengths, values, rows, columns, _pair_count(len(a)))
    rows, columns = rows[chosen], columns[chosen]
    return strengths[chosen], *((columns, rows) if swapped else (rows, columns))


def _pair_count(minutiae: int) -> int:
    share = 1.0 / (1.0 + math.exp(-0.4 * (minutiae - 20)))
    return FEWEST_PAIRS + round(share * (MOST_PAIRS - FEWEST_PAIRS))
