"""Weigh the evidence of a comparison anew, on folders of prints.

    python -m edge.recognition.fingerprint.evidence_training --model leader.onnx DIR...
        [--out evidence.json]

A folder holds the impressions of one set, 500 ppi, named <finger>_<impression>.png.
Pairs of different sets count as non-mated too, except of sets named by --same-fingers.
Prints how each set fares when the weights come from the other sets alone.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.errors import EdgeError, InputError
from edge.recognition.fingerprint.comparison import (
    Prepared,
    measures_of,
    new_work,
    prepare,
    set_work,
)
from edge.recognition.fingerprint.engine import FingerprintEngine
from edge.recognition.fingerprint.evidence import MEASURES, Evidence
from edge.recognition.fingerprint.training_set import TrainingPrint, read_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Pairs with less support than this share of non-mated pairs have are given up.
GIVEN_UP_SHARE = 0.8
# The penalty on large weights; chosen by leaving one set out at a time.
RIDGE = 0.5
_ITERATIONS = 60
_LOWEST, _HIGHEST = -12.0, 100.0


class PairMeasures(NamedTuple):
    """measures: float64 (pairs, measures). sets: int64 (pairs, 2)."""

    measures: Floats
    is_mated: NDArray[np.bool_]
    sets: NDArray[np.int64]


def measure_pairs(
    prints: list[TrainingPrint], same_fingers: set[frozenset[str]]
) -> PairMeasures:
    """Compare every pair whose truth is known.

    Raises:
        InputError: there are no mated or no non-mated pairs.
    """
    everything = Evidence((0.0,) * len(MEASURES), 0.0, 0.0, _LOWEST, _HIGHEST, "none")
    set_work(new_work(everything.row()))
    names = sorted({item.set_name for item in prints})
    prepared = [prepare(item.template) for item in prints]
    rows, mated, sets = [], [], []
    for i, j in itertools.combinations(range(len(prints)), 2):
        a, b = prints[i], prints[j]
        if frozenset((a.set_name, b.set_name)) in same_fingers:
            continue
        row = _measures(prepared[i], prepared[j])
        if row is None:
            continue
        rows.append(row)
        mated.append((a.set_name, a.finger) == (b.set_name, b.finger))
        sets.append((names.index(a.set_name), names.index(b.set_name)))
    set_work(None)
    if not any(mated) or all(mated):
        raise InputError("no pairs; name files <finger>_<impression>.png")
    return PairMeasures(np.array(rows, float), np.array(mated), np.array(sets))


def _measures(a: Prepared, b: Prepared) -> Floats | None:
    row = measures_of(a, b)
    return None if row is None else row.astype(np.float64)


def fit(measures: Floats, is_mated: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return weights and constant of a ridge logistic regression, Newton's method.

    Mated and non-mated pairs have the same total weight.
    """
    middle, spread = measures.mean(axis=0), measures.std(axis=0) + 1e-9
    x = np.c_[(measures - middle) / spread, np.ones(len(measures))]
    share = np.where(is_mated, 0.5 / is_mated.sum(), 0.5 / (~is_mated).sum()) * 1000
    penalty = RIDGE * np.r_[np.ones(x.shape[1] - 1), 1e-6]
    weights = np.zeros(x.shape[1])
    for _ in range(_ITERATIONS):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -500, 500)))
        slope = x.T @ (share * (chance - is_mated)) + penalty * weights
        curve = (x * (share * chance * (1 - chance))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    raw = weights[:-1] / spread
    return raw, float(weights[-1] - raw @ middle)


def evidence_from(pairs: PairMeasures, source: str) -> Evidence:
    weights, constant = fit(pairs.measures, pairs.is_mated)
    supported = pairs.measures[~pairs.is_mated, 0] ** 2
    return Evidence(
        weights=tuple(round(float(weight), 5) for weight in weights),
        constant=round(constant, 5),
        least_support=round(float(np.quantile(supported, GIVEN_UP_SHARE)), 6),
        lowest=_LOWEST,
        highest=_HIGHEST,
        source=source,
    )


def left_out(pairs: PairMeasures) -> Floats:
    """Return each pair's sum with weights from which its first set was left out.

    Raises:
        InputError: what remains without a set has no mated or no non-mated pairs.
    """
    sums = np.zeros(len(pairs.measures))
    for number in np.unique(pairs.sets):
        has_set = (pairs.sets == number).any(axis=1)
        others = pairs.is_mated[~has_set]
        if not others.any() or others.all():
            raise InputError("too few pairs to leave a set out; give two sets or more")
        weights, constant = fit(pairs.measures[~has_set], others)
        chosen = pairs.sets[:, 0] == number
        sums[chosen] = pairs.measures[chosen] @ weights + constant
    return sums


def _report(pairs: PairMeasures, sums: Floats) -> str:
    falling = np.sort(sums[~pairs.is_mated])[::-1]
    mated = sums[pairs.is_mated]
    lines = []
    for rate in (1e-2, 1e-3, 1e-4, 1e-5):
        missed = (mated <= falling[int(rate * len(falling))]).mean()
        lines.append(f"each set left out: FNMR at FMR {rate:g}: {100 * missed:.2f} %")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Weigh the evidence of a comparison.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--same-fingers",
        nargs=2,
        action="append",
        default=[],
        metavar="SET",
        help="Two sets that share fingers: no pairs across them.",
    )
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    engine = FingerprintEngine(given.model, given.threads)
    prints = read_sets(engine, given.folders)
    same = {frozenset(two) for two in given.same_fingers}
    pairs = measure_pairs(prints, same)
    sys.stdout.write(_report(pairs, left_out(pairs)))
    names = ", ".join(folder.name for folder in given.folders)
    mated = int(pairs.is_mated.sum())
    source = f"{mated} mated, {len(pairs.is_mated) - mated} non-mated pairs of {names}"
    text = evidence_from(pairs, source).to_json()
    if given.out is not None:
        given.out.write_text(text, encoding="ascii")
    sys.stdout.write(text)


if __name__ == "__main__":
    try:
        main()
    except EdgeError as problem:
        sys.exit(f"evidence_training: {problem}")
