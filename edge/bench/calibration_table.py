"""The table of one source of templates, with its band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge.bench.calibration_fit import GRID, curves, highest
from edge.recognition.fingerprint.calibration import Calibration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.bench.calibration_fit import Curve
    from edge.bench.calibration_pairs import PairScores
    from edge.bench.progress import Progress

LOWEST_IN_TABLE = 1e-12
RESAMPLES, BAND_PERCENT = 200, (2.5, 97.5)


def table_of(kinds: Sequence[PairScores], invented: PairScores) -> Calibration:
    """Return the table without a band: low and high are the rates themselves.

    kinds: pairs with real prints; all scores of at least one of them were kept.

    Raises:
        InputError: there are too few pairs.
    """
    found, shape = curves(kinds, invented)
    used = _is_used(found)
    deciding = np.argmax([curve.rates for curve in found], axis=0)
    is_counted = np.array([found[k].is_counted[i] for i, k in enumerate(deciding)])
    deepest = found[deciding[np.flatnonzero(used)[-1]]]
    rates = _stored(highest(found)[used])
    compared = [kind for kind in kinds if not kind.is_part]
    return Calibration(
        scores=tuple(round(float(score), 4) for score in GRID[used]),
        rates=rates,
        low=rates,
        high=rates,
        tail_decades=round(shape.decades, 2),
        real_to=round(float(GRID[is_counted.argmin() - 1]), 4),
        generated_to=round(shape.counted_to + deepest.shift, 4),
        pairs=sum(kind.count for kind in compared) + invented.count,
        real_pairs=sum(kind.count for kind in compared if kind.kept_from == 0),
        source=", ".join(f"{kind.count} {kind.name}" for kind in (*kinds, invented)),
    )


def with_band(
    table: Calibration,
    kinds: Sequence[PairScores],
    invented: PairScores,
    seed: int,
    progress: Progress,
) -> Calibration:
    """Return the table with its 95 % band, by a bootstrap over fingers."""
    found, _ = curves(kinds, invented)
    decided = [curve.is_counted for curve in found]
    used = _is_used(found)
    rng = np.random.default_rng(seed)
    drawn = []
    for done in range(RESAMPLES):
        progress.step("bootstrap", done, RESAMPLES)
        weights = _weights(kinds, invented, rng)
        resampled, _ = curves(kinds, invented, weights, decided)
        drawn.append(highest(resampled)[used])
    progress.step("bootstrap", RESAMPLES, RESAMPLES)
    low, high = np.percentile(drawn, BAND_PERCENT, axis=0)
    return replace(table, low=_stored(low), high=_stored(np.minimum(high, 1.0)))


def _weights(
    kinds: Sequence[PairScores], invented: PairScores, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw real fingers, then invented ones; return how often each was drawn."""
    first_invented = int(min(invented.first.min(), invented.second.min()))
    end = 1 + max(int(max(kind.second.max(), kind.first.max())) for kind in kinds)
    end = max(end, 1 + int(max(invented.second.max(), invented.first.max())))
    sizes = (first_invented, end - first_invented)
    drawn = [rng.multinomial(size, np.full(size, 1 / size)) for size in sizes if size]
    return np.concatenate(drawn).astype(np.float64)


def _is_used(found: Sequence[Curve]) -> NDArray[np.bool_]:
    return highest(found) >= LOWEST_IN_TABLE


def _stored(rates: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{max(rate, 1e-15):.4g}") for rate in rates)
