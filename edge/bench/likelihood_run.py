"""Count what mated comparisons of real prints say: `edge calibration ratios`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from edge.bench.progress import mapped
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.likelihood_tables import FingerLikelihoods, of_fingers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.bench.progress import Progress
    from edge.recognition.fingerprint.training_set import TrainingPrint


def make(
    prints: Sequence[TrainingPrint], threads: int, progress: Progress
) -> FingerLikelihoods:
    """Compare all prints of each finger with each other, within each set.

    Raises:
        InputError: there are too few.
        ModelError: there is no false match calibration for this engine.
    """
    calibration = committed()
    by_finger: dict[tuple[str, str], list[TrainingPrint]] = {}
    for item in prints:
        by_finger.setdefault((item.set_name, item.finger), []).append(item)

    def rates_of(key: tuple[str, str]) -> list[tuple[str, float]]:
        prepared = [prepare(item.template) for item in by_finger[key]]
        pairs = itertools.combinations(prepared, 2)
        return [(key[1], calibration.false_match_rate(compare(*two))) for two in pairs]

    found = mapped(
        rates_of,
        list(by_finger),
        threads=threads,
        progress=progress,
        text="comparing mates",
    )
    by_set: dict[str, list[tuple[str, float]]] = {}
    for (set_name, _), rates in zip(by_finger, found, strict=True):
        by_set.setdefault(set_name, []).extend(rates)
    return of_fingers(by_set)
