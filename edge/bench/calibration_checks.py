"""Does a calibration hold where it was not made?

Left out: a table made without one set, beside the pairs that involve that set.
Tail: the tail fitted on a twentieth of the invented fingers, beside what the pairs of
all others do at the scores where it states far lower rates.
Sources: what invented pairs do at the scores where real pairs have a rate.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bench.calibration_fit import FEWEST_PAIRS, counted, tail_excesses
from edge.bench.calibration_table import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.bench.calibration_pairs import PairScores
    from edge.recognition.fingerprint.calibration import Calibration

RATES = (1e-2, 1e-3, 1e-4)
TAIL_RATES = (1e-4, 1e-5, 1e-6, 1e-7)
# As many groups of fingers as there are tails fitted: each has 1/400 of all pairs.
GROUPS = 20
_FEWEST_EXPECTED = 4


def observed(pairs: PairScores, table: Calibration) -> dict[str, Any]:
    """Return how many pairs reach the thresholds of RATES, beside what is stated."""
    lines = {}
    for rate in RATES:
        beyond = int((pairs.scores >= table.threshold(rate)).sum())
        expected = round(rate * pairs.count, 1)
        lines[f"{rate:g}"] = {"expected": expected, "beyond": beyond}
    return {"pairs": pairs.count, "at": lines}


def left_out(
    kinds: Sequence[PairScores], invented: PairScores, names: Sequence[str]
) -> dict[str, Any]:
    """Return, for each set, what its pairs do at the thresholds of all others.

    kinds: only real pairs that are not part of others are used. A set without which
    too few pairs remain is not left out.
    """
    whole = [kind for kind in kinds if kind.kept_from == 0 and not kind.is_part]
    lines: dict[str, Any] = {}
    for number, name in enumerate(names):
        others = [kind.without_set(number) for kind in whole]
        others += [kind.within_sets() for kind in others]
        if min(kind.count for kind in others) < FEWEST_PAIRS:
            continue
        table = table_of(others, invented)
        lines[name] = {
            kind.name: {
                "involving_it": observed(kind.with_set(number), table),
                "within_it": observed(kind.with_set(number).within_sets(), table),
            }
            for kind in whole
        }
    return lines


def tail_held_out(invented: PairScores) -> dict[str, Any]:
    """Return observed to stated rates of GROUPS tails: least, median and most.

    Nothing is returned if a group has too few pairs.

    Two tails: the exponential one that is used, and a generalised Pareto one by the
    method of moments.
    """
    if invented.count < GROUPS**2 * FEWEST_PAIRS:
        return {}
    ratios: dict[str, dict[float, list[float]]] = {
        name: {rate: [] for rate in TAIL_RATES} for name in ("exponential", "pareto")
    }
    for group in range(GROUPS):
        first, second = invented.first % GROUPS, invented.second % GROUPS
        part = invented.where((first == group) & (second == group))
        rest = invented.where((first != group) & (second != group))
        part = replace(part, count=round(invented.count / GROUPS**2))
        rest = replace(rest, count=round(invented.count * (1 - 1 / GROUPS) ** 2))
        for name, score_at in _tails(part).items():
            for rate in TAIL_RATES:
                if rate * rest.count < _FEWEST_EXPECTED:
                    continue
                beyond = float((rest.scores >= score_at(rate)).sum()) / rest.count
                ratios[name][rate].append(beyond / rate)
    return {
        name: {
            f"{rate:g}": [
                round(float(v), 2) for v in np.percentile(found, (0, 50, 100))
            ]
            for rate, found in by_rate.items()
            if found
        }
        for name, by_rate in ratios.items()
    }


def sources(
    kinds: Sequence[PairScores], invented: PairScores
) -> dict[str, dict[str, float]]:
    """Return what others do at the scores where the first kind has each rate."""
    real = counted(kinds[0])
    lines: dict[str, dict[str, float]] = {}
    for rate in RATES:
        if rate * real.count < _FEWEST_EXPECTED:
            continue
        score = real.score_at(rate)
        lines[f"{rate:g}"] = {
            kind.name: float(f"{(kind.scores >= score).sum() / kind.count:.3g}")
            for kind in (*kinds, invented)
        }
    return lines


def _tails(part: PairScores) -> dict[str, Callable[[float], float]]:
    """Return the score that each tail gives for a rate."""
    excess, _ = tail_excesses(part)
    start = float(part.scores.max() - excess.max())
    share = len(excess) / part.count
    mean, variance = float(excess.mean()), float(excess.var())
    bend = 0.5 * (1 - mean**2 / variance)
    width = 0.5 * mean * (mean**2 / variance + 1)

    def exponential(rate: float) -> float:
        return start + mean * math.log(share / rate)

    def pareto(rate: float) -> float:
        if abs(bend) < 1e-6:
            return start + width * math.log(share / rate)
        return float(start + width / bend * ((share / rate) ** bend - 1))

    return {"exponential": exponential, "pareto": pareto}
