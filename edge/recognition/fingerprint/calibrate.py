"""Measure the comparison on folders of prints and write its calibration.

    python -m edge.recognition.fingerprint.calibrate --model leader.onnx DIR... \
        [--out calibration.json]

A folder holds the impressions of one set, 500 ppi, named <finger>_<impression>.png.
Non-mated pairs are all pairs of different fingers within one folder: folders may share
fingers. Prints EER and FNMR at fixed false match rates for each folder.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import EdgeError, InputError
from edge.recognition.fingerprint.calibration import fitted
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.engine import FingerprintEngine
from edge.recognition.fingerprint.image import RESOLUTION_PPI, read_finger_image
from edge.terms import FingerPosition, FingerprintSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATES = (1e-2, 1e-3)


@dataclass(frozen=True, eq=False)
class PairScores:
    mated: NDArray[np.float64]
    non_mated: NDArray[np.float64]

    def fnmr_at(self, rate: float) -> float:
        """Return the share of mated pairs at or below the score that gives rate."""
        falling = np.sort(self.non_mated)[::-1]
        return float((self.mated <= falling[int(rate * len(falling))]).mean())

    def equal_error_rate(self) -> float:
        levels = np.unique(np.concatenate([self.mated, self.non_mated]))
        misses = np.searchsorted(np.sort(self.mated), levels) / len(self.mated)
        alarms = 1 - np.searchsorted(np.sort(self.non_mated), levels) / len(
            self.non_mated
        )
        place = int(np.argmin(np.abs(misses - alarms)))
        return float((misses[place] + alarms[place]) / 2)


def score_folder(engine: FingerprintEngine, folder: Path) -> PairScores:
    """Compare every pair of the folder.

    Raises:
        InputError: the folder holds no two impressions of a finger or no two fingers.
    """
    prepared = [
        (path.stem.split("_")[0], prepare(engine.extract(_sample(path))))
        for path in sorted(folder.glob("*.png"))
    ]
    mated: list[float] = []
    non_mated: list[float] = []
    for (finger_a, a), (finger_b, b) in itertools.combinations(prepared, 2):
        (mated if finger_a == finger_b else non_mated).append(compare(a, b))
    if not mated or not non_mated:
        raise InputError(f"{folder}: no pairs; name files <finger>_<impression>.png")
    return PairScores(np.array(mated), np.array(non_mated))


def _sample(path: Path) -> FingerprintSample:
    return FingerprintSample(
        image=read_finger_image(path),
        resolution_ppi=RESOLUTION_PPI,
        position=FingerPosition.UNKNOWN,
        captured_at=datetime.fromtimestamp(0, UTC),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibrate the comparison of prints.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    engine = FingerprintEngine(given.model, given.threads)
    scores: list[NDArray[np.float64]] = []
    for folder in given.folders:
        pairs = score_folder(engine, folder)
        scores.append(pairs.non_mated)
        figures = [pairs.equal_error_rate(), *map(pairs.fnmr_at, RATES)]
        shown = "  ".join(f"{100 * figure:5.2f}" for figure in figures)
        sys.stdout.write(f"{folder.name}: EER, FNMR at {RATES}, percent: {shown}\n")
    names = ", ".join(folder.name for folder in given.folders)
    calibration = fitted(np.concatenate(scores), f"non-mated pairs of {names}")
    if given.out is not None:
        given.out.write_text(calibration.to_json(), encoding="ascii")
    sys.stdout.write(calibration.to_json())


if __name__ == "__main__":
    try:
        main()
    except EdgeError as problem:
        sys.exit(f"calibrate: {problem}")
