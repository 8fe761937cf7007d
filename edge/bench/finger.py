"""Accuracy and speed of extraction and one-to-one comparison on a folder of prints."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from edge.bench.error_rates import PairScores
from edge.bench.progress import Progress, Silent, mapped
from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.bench.print_folder import Impression
    from edge.terms import FingerprintSample, FingerprintTemplate

    Matrix = NDArray[np.float64]
    Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]  # first and second of each pair

# Timings are taken apart from the rest, on one thread; so many give a stable median.
TIMED_EXTRACTIONS = 20
TIMED_COMPARISONS = 2000
FAILED_SCORE = 0.0

Prepared = TypeVar("Prepared")


class Extractor(Protocol):
    def extract(self, sample: FingerprintSample) -> FingerprintTemplate: ...


@dataclass(frozen=True)
class FingerMethods(Generic[Prepared]):
    """What is measured. prepare: done once a print; compare: once a pair.

    All of them are called from several threads.
    """

    extractor: Extractor
    prepare: Callable[[FingerprintTemplate], Prepared]
    compare: Callable[[Prepared, Prepared], float]
    encode: Callable[[FingerprintTemplate], bytes]


@dataclass(frozen=True, eq=False)
class FingerMeasurement:
    """What was measured on one folder. The times are those of one thread."""

    impressions: int
    fingers: int
    all_pairs: PairScores
    fvc_pairs: PairScores
    failure_to_extract: float
    extract_ms: list[float]
    compare_us: list[float]
    template_bytes: list[int]

    def report(self) -> dict[str, object]:
        """Return the benchmark's keys, ready for JSON; medians are None of nothing."""
        return {
            "impressions": self.impressions,
            "fingers": self.fingers,
            **self.all_pairs.report(),
            "failure_to_extract": self.failure_to_extract,
            "extract_ms_median": _median(self.extract_ms),
            "compare_us_median": _median(self.compare_us),
            "template_bytes_median": _median(self.template_bytes),
            "fvc_protocol": self.fvc_pairs.report(),
        }


def measure_fingers(
    impressions: Sequence[Impression],
    methods: FingerMethods[Any],
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> FingerMeasurement:
    """Extract every impression, compare every pair, and time both.

    An impression that the extractor refuses, or finds no minutia in, is a failure to
    extract; its pairs score 0.

    Raises:
        InputError: a file cannot be read, or there are no mated or non-mated pairs.
        ModelError: the network fails.
    """
    progress = progress or Silent()
    fingers = [impression.finger for impression in impressions]
    _require_pairs(impressions)
    templates = mapped(
        lambda impression: extracted(methods.extractor, impression),
        impressions,
        threads=threads,
        progress=progress,
        text="extracting",
    )
    prepared = [None if t is None else methods.prepare(t) for t in templates]
    scores = score_matrix(prepared, methods.compare, threads=threads, progress=progress)
    return FingerMeasurement(
        impressions=len(impressions),
        fingers=len(set(fingers)),
        all_pairs=_divided(scores, fingers, every_pair(len(fingers))),
        fvc_pairs=_divided(scores, fingers, fvc_pairs(fingers)),
        failure_to_extract=templates.count(None) / len(templates),
        extract_ms=_extraction_times(impressions, methods, progress),
        compare_us=_comparison_times(prepared, methods, progress),
        template_bytes=[len(methods.encode(t)) for t in templates if t is not None],
    )


def extracted(
    extractor: Extractor, impression: Impression
) -> FingerprintTemplate | None:
    """Return the template; None if the extractor refuses the print or finds nothing.

    Raises:
        InputError: the file cannot be read.
        ModelError: the network fails.
    """
    sample = impression.sample()
    try:
        template = extractor.extract(sample)
    except InputError:
        return None
    return template if len(template) else None


def every_pair(count: int) -> Pairs:
    """Return every pair of count impressions once, the lower index first."""
    first, second = np.triu_indices(count, 1)
    return first, second


def fvc_pairs(fingers: Sequence[str]) -> Pairs:
    """Return the pairs of the Fingerprint Verification Competitions.

    Mated: all impressions of a finger with each other, once. Non-mated: the first
    impression of each finger with the first of each other (Maio et al., "FVC2000",
    IEEE TPAMI 24, 2002).
    """
    first, second = every_pair(len(fingers))
    names = np.array(fingers)
    is_first = np.array([fingers.index(name) == i for i, name in enumerate(fingers)])
    is_mated = names[first] == names[second]
    chosen = is_mated | (is_first[first] & is_first[second])
    return first[chosen], second[chosen]


def _require_pairs(impressions: Sequence[Impression]) -> None:
    """Refuse before the long work what could not be evaluated after it."""
    fingers = {impression.finger for impression in impressions}
    if not impressions or not 1 < len(fingers) < len(impressions):
        place = impressions[0].path.parent if impressions else "no folder"
        raise InputError(
            f"{place}: {len(impressions)} impressions of {len(fingers)} fingers; "
            "error rates need two impressions of a finger and two fingers"
        )


def score_matrix(
    prepared: Sequence[Prepared | None],
    compare: Callable[[Prepared, Prepared], float],
    *,
    threads: int,
    progress: Progress,
) -> Matrix:
    """Return the scores of all pairs i < j, float64 (n, n); None compares as 0."""
    scores = np.full((len(prepared), len(prepared)), FAILED_SCORE)

    def fill_row(i: int) -> None:
        for j in range(i + 1, len(prepared)):
            first, second = prepared[i], prepared[j]
            if first is not None and second is not None:
                scores[i, j] = compare(first, second)

    rows = range(len(prepared))
    mapped(fill_row, rows, threads=threads, progress=progress, text="comparing")
    return scores


def _divided(scores: Matrix, fingers: Sequence[str], pairs: Pairs) -> PairScores:
    first, second = pairs
    names = np.array(fingers)
    is_mated = names[first] == names[second]
    values = scores[first, second]
    return PairScores(values[is_mated], values[~is_mated])


def _extraction_times(
    impressions: Sequence[Impression], methods: FingerMethods[Any], progress: Progress
) -> list[float]:
    """Return milliseconds of single extractions, without reading the file."""
    samples = [item.sample() for item in spread(impressions, TIMED_EXTRACTIONS)]

    def timed(sample: FingerprintSample) -> float:
        start = time.perf_counter_ns()
        try:
            methods.extractor.extract(sample)
        except InputError:
            return -1.0
        return (time.perf_counter_ns() - start) / 1e6

    times = mapped(
        timed, samples, threads=1, progress=progress, text="timing extraction"
    )
    return [duration for duration in times if duration >= 0]


def _comparison_times(
    prepared: Sequence[Any], methods: FingerMethods[Any], progress: Progress
) -> list[float]:
    """Return microseconds of single comparisons, mated or not, evenly chosen."""
    usable = [item for item in prepared if item is not None]
    first, second = every_pair(len(usable))
    pairs = [
        (usable[first[k]], usable[second[k]])
        for k in spread(range(len(first)), TIMED_COMPARISONS)
    ]

    def timed(pair: tuple[Any, Any]) -> float:
        start = time.perf_counter_ns()
        methods.compare(*pair)
        return (time.perf_counter_ns() - start) / 1e3

    return mapped(timed, pairs, threads=1, progress=progress, text="timing comparison")


Item = TypeVar("Item")


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many of the items, evenly spread over all of them."""
    chosen = np.linspace(0, len(items) - 1, min(most, len(items)))
    return [items[round(place)] for place in chosen]


def _median(values: Sequence[float]) -> float | None:
    return float(statistics.median(values)) if values else None


def mean_report(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean over sets of every rate and median, and the sum of every count.

    A median that one of the sets does not have is None.
    """
    mean: dict[str, Any] = {}
    for key, first in reports[0].items():
        values = [report[key] for report in reports]
        if isinstance(first, dict):
            mean[key] = mean_report(values)
        elif isinstance(first, int):
            mean[key] = sum(values)
        else:
            mean[key] = None if None in values else statistics.fmean(values)
    return mean
