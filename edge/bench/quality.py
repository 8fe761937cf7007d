"""How well a quality score orders prints: against labels, and for our comparison."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bench.error_rates import PairScores
from edge.bench.error_versus_discard import (
    DiscardPoint,
    area_under,
    error_versus_discard,
    pair_quality,
)
from edge.bench.finger import every_pair, score_matrix, spread
from edge.bench.progress import Progress, Silent, mapped
from edge.bench.rank_correlation import spearman
from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.bench.finger import FingerMethods
    from edge.bench.quality_labels import LabelledPrint
    from edge.terms import FingerprintSample

    Scores = NDArray[np.float64]

TIMED_PREVIEWS = 100
# Where false non-matches are counted: the threshold of this FMR, over all sets.
DISCARD_FMR = 1e-3


@dataclass(frozen=True)
class QualityMethods:
    """What is measured. preview: of the pixels alone; assess: with the minutiae.

    Both return 0 to 100 and are called from several threads. comparison: whose false
    non-matches the quality ought to foretell.
    """

    preview: Callable[[FingerprintSample], float]
    assess: Callable[[FingerprintSample], float]
    comparison: FingerMethods[Any]


@dataclass(frozen=True, eq=False)
class RankedPrints:
    """Qualities of the prints of one set, float64 (n,) each, and their fingers."""

    fingers: Sequence[str]
    label: Scores
    preview: Scores
    with_minutiae: Scores
    scores: NDArray[np.float64]  # (n, n), of pairs i < j


@dataclass(frozen=True, eq=False)
class QualityMeasurement:
    """What was measured; preview_ms are the times of one thread."""

    sets: Mapping[str, RankedPrints]
    preview_ms: Sequence[float]

    def report(self) -> dict[str, object]:
        """Return the benchmark's keys, ready for JSON.

        The keys at the top are those of the preview. A correlation is None where one
        side does not vary, error_versus_discard where there are no pairs.
        """
        return {
            "images": sum(len(ranked.label) for ranked in self.sets.values()),
            **self._judged("preview"),
            "ms_median": statistics.median(self.preview_ms),
            "with_minutiae": self._judged("with_minutiae"),
            "labels": {"error_versus_discard": self._discard_report("label")},
        }

    def discard_points(self, measure: str) -> list[DiscardPoint]:
        """Return error versus discard by preview, with_minutiae or label.

        All mated pairs of a set count, at the one threshold where DISCARD_FMR of all
        non-mated pairs within the sets match. Empty without such pairs.
        """
        mated, quality, non_mated = self._pairs(measure)
        if not len(mated) or not len(non_mated):
            return []
        threshold = PairScores(mated, non_mated).threshold_at(DISCARD_FMR)
        return error_versus_discard(quality, mated, threshold)

    def values(self, measure: str) -> Scores:
        """Return preview, with_minutiae or label of all prints, set after set."""
        return np.concatenate([getattr(each, measure) for each in self.sets.values()])

    def _judged(self, measure: str) -> dict[str, object]:
        return {
            "spearman": spearman(self.values(measure), self.values("label")),
            "spearman_per_set": {
                name: spearman(getattr(ranked, measure), ranked.label)
                for name, ranked in self.sets.items()
            },
            "error_versus_discard": self._discard_report(measure),
        }

    def _discard_report(self, measure: str) -> dict[str, object] | None:
        points = self.discard_points(measure)
        if not points:
            return None
        return {
            "fmr": DISCARD_FMR,
            "points": [{"discarded": p.discarded, "fnmr": p.fnmr} for p in points],
            "mean_fnmr": area_under(points),
        }

    def _pairs(self, measure: str) -> tuple[Scores, Scores, Scores]:
        mated, quality, non_mated = [], [], []
        for ranked in self.sets.values():
            first, second = every_pair(len(ranked.fingers))
            names, values = np.array(ranked.fingers), getattr(ranked, measure)
            is_mated = names[first] == names[second]
            scores = ranked.scores[first, second]
            mated.append(scores[is_mated])
            non_mated.append(scores[~is_mated])
            worse = pair_quality(values[first], values[second])
            quality.append(worse[is_mated])
        return np.concatenate(mated), np.concatenate(quality), np.concatenate(non_mated)


def measure_quality(
    sets: Mapping[str, Sequence[LabelledPrint]],
    methods: QualityMethods,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> QualityMeasurement:
    """Judge every print, compare every pair within its set, and time the preview.

    Raises:
        InputError: there are no prints, or a file cannot be read.
        ModelError: the network fails.
    """
    progress = progress or Silent()
    everything = [item for prints in sets.values() for item in prints]
    if not everything:
        raise InputError("quality: no labelled prints")
    ranked = {
        name: _rank(prints, methods, threads, progress) for name, prints in sets.items()
    }
    return QualityMeasurement(ranked, _preview_times(everything, methods, progress))


def _rank(
    prints: Sequence[LabelledPrint],
    methods: QualityMethods,
    threads: int,
    progress: Progress,
) -> RankedPrints:
    comparison = methods.comparison

    def judged(item: LabelledPrint) -> tuple[float, float, object]:
        sample = item.impression.sample()
        preview, assessed = methods.preview(sample), methods.assess(sample)
        try:
            template = comparison.extractor.extract(sample)
        except InputError:
            return preview, assessed, None
        prepared = comparison.prepare(template) if len(template) else None
        return preview, assessed, prepared

    found = mapped(judged, prints, threads=threads, progress=progress, text="judging")
    previews, assessed, prepared = zip(*found, strict=True)
    return RankedPrints(
        fingers=[item.impression.finger for item in prints],
        label=np.array([item.label for item in prints], np.float64),
        preview=np.array(previews, np.float64),
        with_minutiae=np.array(assessed, np.float64),
        scores=score_matrix(
            prepared, comparison.compare, threads=threads, progress=progress
        ),
    )


def _preview_times(
    prints: Sequence[LabelledPrint], methods: QualityMethods, progress: Progress
) -> list[float]:
    """Return milliseconds of single previews, without reading the file."""

    def timed(item: LabelledPrint) -> float:
        sample = item.impression.sample()
        start = time.perf_counter_ns()
        methods.preview(sample)
        return (time.perf_counter_ns() - start) / 1e6

    chosen = spread(prints, TIMED_PREVIEWS)
    return mapped(timed, chosen, threads=1, progress=progress, text="timing")
