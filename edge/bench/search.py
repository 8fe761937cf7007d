"""Accuracy, speed and memory of a one-to-many search.

Terms of ISO/IEC 19795-1: FPIR(t) is the share of searches by strangers that return
anybody with score >= t; FNIR(t) the share of searches by enrolled persons that do not
return the person with score >= t, be it because the first stage lost it.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge.bench.error_rates import PairScores
from edge.bench.progress import Progress, Silent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from edge.bench.search_cast import Cast, Probe
    from edge.simulate.template_gallery import TemplateColumns
    from edge.terms import FingerprintTemplate

RATES = {"1e-2": 1e-2, "1e-3": 1e-3}
# How many candidates a search returns: the person counts as found among these.
LIMIT = 20
# Long enough that reading the clock does not show, short enough to wait for.
TIMED_COMPARISONS = 200_000
# The first searches warm caches and are not timed.
WARM_UP_SEARCHES = 3
PATCHED_PERSONS = 1000
# Fingers differ in what a comparison with them takes; few of them say little.
TIMED_PROBES = 100


@dataclass(frozen=True)
class SearchResult:
    """candidates: person and score, best first, one entry a person.

    compared: the persons that the first stage let through to the full comparison.
    """

    candidates: Sequence[tuple[int, float]]
    compared: Collection[int]


class SearchedGallery(Protocol):
    """A gallery as it is measured; persons are counted from 0."""

    def search(self, probe: Probe, *, limit: int) -> SearchResult:
        """Search one person's fingers with all threads."""
        ...

    def matches(self, probe: Probe, person: int) -> bool:
        """Whether full comparison finds the person at the operational limit."""
        ...

    def patch(self, added: TemplateColumns, probe: Probe) -> tuple[float, list[float]]:
        """Add persons and withdraw as many, searching all the while, in seconds."""
        ...

    def compare_fully(self, probe: FingerprintTemplate, count: int) -> int:
        """Compare with so many templates, from all over the gallery, on one thread.

        Return how many it were.
        """
        ...

    def size_in_bytes(self) -> int:
        """Return the memory of everything that a search reads."""
        ...


@dataclass(frozen=True, eq=False)
class SearchMeasurement:
    persons: int
    templates: int
    mate_scores: Sequence[float]  # 0 where the person was not returned
    mate_ranks: Sequence[int | None]  # from 1
    mates_lost_early: int  # though full comparison would have found them
    mates_not_compared: int
    stranger_scores: Sequence[float]  # of the best candidate, 0 without any
    latency_ms: Sequence[float]
    comparisons_per_s: float
    gallery_bytes: int
    build_s: float
    patch_s: float | None
    slowest_search_while_patching_s: float | None
    rss_bytes_per_template: float
    peak_rss_mib: float

    @property
    def scores(self) -> PairScores:
        """Mates' scores as mated, strangers' best as non-mated: FNMR is then FNIR."""
        return PairScores(np.array(self.mate_scores), np.array(self.stranger_scores))

    def report(self) -> dict[str, object]:
        """Return the benchmark's keys, ready for JSON."""
        searches, scores = len(self.mate_ranks), self.scores
        return {
            "persons": self.persons,
            "templates": self.templates,
            "mated_searches": searches,
            "non_mated_searches": len(self.stranger_scores),
            "rank1": self.mate_ranks.count(1) / searches,
            "fnir_at_fpir": {
                # Fewer strangers than this could not show such a rate.
                name: scores.fnmr_at(f) if len(self.stranger_scores) * f >= 1 else None
                for name, f in RATES.items()
            },
            "first_stage_loss": self.mates_lost_early / searches,
            "first_stage_loss_strict": self.mates_not_compared / searches,
            "latency_ms": {
                "median": float(np.median(self.latency_ms)),
                "p95": float(np.percentile(self.latency_ms, 95)),
            },
            "comparisons_per_s_per_core": self.comparisons_per_s,
            "gallery_bytes_per_template": self.gallery_bytes / self.templates,
            "rss_bytes_per_template": self.rss_bytes_per_template,
            "build_s": self.build_s,
            "patched_persons": PATCHED_PERSONS,
            "patch_s": self.patch_s,
            "slowest_search_while_patching_s": self.slowest_search_while_patching_s,
            "peak_rss_mib": self.peak_rss_mib,
        }


def measure_search(
    cast: Cast,
    build: Callable[[TemplateColumns, int], SearchedGallery],
    *,
    progress: Progress | None = None,
) -> SearchMeasurement:
    """Build the gallery and search it, one search after the other.

    build: from templates and the number of fingers of each person.
    """
    progress = progress or Silent()
    before = _resident_bytes()
    start = time.perf_counter()
    gallery = build(cast.enrolled, cast.fingers)
    build_s = time.perf_counter() - start
    resident = _resident_bytes() - before
    for _, probe in cast.mated[:WARM_UP_SEARCHES]:
        gallery.search(probe, limit=LIMIT)
    timed = _Stopwatch(gallery, progress)
    mated = [
        (person, timed.search(probe, "searching enrolled persons", len(cast.mated)))
        for person, probe in cast.mated
    ]
    strangers = [
        timed.search(probe, "searching strangers", len(cast.strangers))
        for probe in cast.strangers
    ]
    found = [_place_of(person, result) for person, result in mated]
    missed = [
        (person, probe)
        for (person, result), (_, probe) in zip(mated, cast.mated, strict=True)
        if person not in result.compared
    ]
    rate = _comparison_rate(gallery, cast)
    size = gallery.size_in_bytes()
    patch_s, slowest_s = _patched(gallery, cast)
    return SearchMeasurement(
        persons=cast.persons,
        templates=len(cast.enrolled),
        mate_scores=[score for _, score in found],
        mate_ranks=[rank for rank, _ in found],
        mates_lost_early=sum(
            gallery.matches(probe, person) for person, probe in missed
        ),
        mates_not_compared=len(missed),
        stranger_scores=[_best_score(result) for result in strangers],
        latency_ms=timed.latency_ms,
        comparisons_per_s=rate,
        gallery_bytes=size,
        build_s=build_s,
        patch_s=patch_s,
        slowest_search_while_patching_s=slowest_s,
        rss_bytes_per_template=resident / len(cast.enrolled),
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _patched(gallery: SearchedGallery, cast: Cast) -> tuple[float | None, float | None]:
    """Return the seconds of a patch and of the slowest search that ran meanwhile."""
    if cast.persons < 2 * PATCHED_PERSONS:
        return None, None
    added = cast.enrolled.part(0, PATCHED_PERSONS * cast.fingers)
    patch_s, searches_s = gallery.patch(added, cast.strangers[0])
    return patch_s, max(searches_s, default=None)


def _resident_bytes() -> int:
    """Return the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


class _Stopwatch:
    """Searches, and keeps the time of each search."""

    def __init__(self, gallery: SearchedGallery, progress: Progress) -> None:
        self._gallery = gallery
        self._progress = progress
        self._done: dict[str, int] = {}
        self.latency_ms: list[float] = []

    def search(self, probe: Probe, text: str, total: int) -> SearchResult:
        start = time.perf_counter_ns()
        result = self._gallery.search(probe, limit=LIMIT)
        self.latency_ms.append((time.perf_counter_ns() - start) / 1e6)
        self._done[text] = self._done.get(text, 0) + 1
        self._progress.step(text, self._done[text], total)
        return result


def _place_of(person: int, result: SearchResult) -> tuple[int | None, float]:
    for rank, (candidate, score) in enumerate(result.candidates, 1):
        if candidate == person:
            return rank, score
    return None, 0.0


def _best_score(result: SearchResult) -> float:
    return result.candidates[0][1] if result.candidates else 0.0


def _comparison_rate(gallery: SearchedGallery, cast: Cast) -> float:
    """Return full comparisons a second of one thread, probes of strangers."""
    probes = [probe[0] for probe in cast.strangers[:TIMED_PROBES]]
    each = max(TIMED_COMPARISONS // len(probes), 1)
    gallery.compare_fully(probes[0], 1)
    start = time.perf_counter()
    done = sum(gallery.compare_fully(probe, each) for probe in probes)
    return done / (time.perf_counter() - start)
