"""Speed and exactness of the one-to-many search of face vectors.

The vectors are drawn at random, of unit length: how fast a search is does not depend on
whose faces they are, and what it finds is compared with all distances in float64.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bench.face_patching import PATCHED_AT_ONCE, patched
from edge.bench.memory_read import READ_BYTES, memory_read_gb_per_s
from edge.bench.progress import Progress, Silent
from edge.errors import InputError
from edge.recognition.face.calibration import shipped_calibration
from edge.recognition.face.coded_vectors import new_coded
from edge.recognition.face.inner_products import product_engine
from edge.recognition.face.vector_search import (
    Extremes,
    SearchedVectors,
    nearest,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

BEST = 10
WARM_UP_SEARCHES = 5
# Of those timed, so many are compared with the distances in float64.
CHECKED_SEARCHES = 20
MOST_NUMBERS = 250_000_000
# How far a mated probe lies from its vector.
_MATED_NOISE = 0.6
_DRAWN_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class FaceSearchMeasurement:
    """Times in ms by number of threads, of the best ten and of a threshold's search."""

    vectors: int
    dim: int
    engine: str
    read_bytes: int
    bytes_per_vector: float
    best_ms: dict[int, list[float]]
    threshold_ms: dict[int, list[float]]
    memory_read: dict[int, float]
    recall: float
    is_exact: bool
    build_s: float
    patch_ms: list[float]
    meanwhile_ms: list[float]

    def report(self) -> dict[str, object]:
        """Return the benchmark's keys, ready for JSON."""
        rates = {
            threads: self.read_bytes / float(np.median(times)) / 1e6
            for threads, times in self.best_ms.items()
        }
        return {
            "vectors": self.vectors,
            "dim": self.dim,
            "engine": self.engine,
            "best": BEST,
            "searches": len(next(iter(self.best_ms.values()))),
            "latency_ms": _by_threads(self.best_ms),
            "threshold_latency_ms": _by_threads(self.threshold_ms),
            "gb_per_s": {str(threads): rate for threads, rate in rates.items()},
            "memory_read_gb_per_s": {
                str(threads): rate for threads, rate in self.memory_read.items()
            },
            "share_of_memory_read": {
                str(threads): rate / self.memory_read[threads]
                for threads, rate in rates.items()
            },
            "is_exact": self.is_exact,
            "recall": self.recall,
            "bytes_per_vector": self.bytes_per_vector,
            "build_s": self.build_s,
            "patched_at_once": PATCHED_AT_ONCE,
            "patch_ms": _summary(self.patch_ms),
            "latency_while_patching_ms": _summary(self.meanwhile_ms),
        }


def measure_face_search(
    count: int,
    dim: int,
    *,
    threads: Sequence[int] = (1, 4),
    searches: int = 200,
    seed: int = 1,
    progress: Progress | None = None,
    read_bytes: int = READ_BYTES,
) -> FaceSearchMeasurement:
    """Draw the vectors, search them with each number of threads, and change them.

    Raises:
        InputError: more numbers than a usual machine holds.
    """
    if count * dim > MOST_NUMBERS:
        raise InputError(
            f"{count:,} vectors of {dim:,} numbers: give at most {MOST_NUMBERS:,} "
            "numbers in all"
        )
    progress = progress or Silent()
    rng = np.random.default_rng(seed)
    vectors = drawn_vectors(rng, count, dim)
    probes = drawn_probes(rng, vectors, searches)
    searched = _searched(vectors)
    limit = float(shipped_calibration().score_at(1e-5))
    best_ms, threshold_ms, memory_read = {}, {}, {}
    for each in threads:
        memory_read[each] = memory_read_gb_per_s(each, read_bytes)
        timed = _Timed(searched, each, progress)
        best_ms[each] = timed.best(probes)
        threshold_ms[each] = timed.within(probes, 1 / limit - 1)
    recall, is_exact = _checked(searched, probes[:CHECKED_SEARCHES], threads)
    build_s, patch_ms, meanwhile_ms = patched(vectors, probes[0], max(threads))
    return FaceSearchMeasurement(
        vectors=count,
        dim=dim,
        engine=product_engine(max(threads)).name,
        read_bytes=count * dim * _bytes_each(product_engine(max(threads)).name),
        bytes_per_vector=(searched.coded.nbytes + vectors.nbytes) / count,
        best_ms=best_ms,
        threshold_ms=threshold_ms,
        memory_read=memory_read,
        recall=recall,
        is_exact=is_exact,
        build_s=build_s,
        patch_ms=patch_ms,
        meanwhile_ms=meanwhile_ms,
    )


def drawn_vectors(rng: np.random.Generator, count: int, dim: int) -> Vectors:
    """Draw directions, evenly; float32 (count, dim) of unit length."""
    vectors = np.empty((count, dim), np.float32)
    for first in range(0, count, _DRAWN_AT_ONCE):
        part = vectors[first : first + _DRAWN_AT_ONCE]
        part[...] = _unit(rng.standard_normal(part.shape))
    return vectors


def drawn_probes(rng: np.random.Generator, vectors: Vectors, count: int) -> Vectors:
    """Draw probes: every other one near a vector, the others near none."""
    probes = drawn_vectors(rng, count, vectors.shape[1])
    mated = rng.integers(0, len(vectors), len(probes[::2]))
    probes[::2] = _unit(vectors[mated] + _MATED_NOISE * probes[::2])
    return probes


class _Timed:
    """Searches with so many threads, and keeps the time of each search, in ms."""

    def __init__(
        self, searched: SearchedVectors, threads: int, progress: Progress
    ) -> None:
        self._searched = searched
        self._engine = product_engine(threads)
        self._threads, self._progress = threads, progress

    def best(self, probes: Vectors) -> list[float]:
        for probe in probes[:WARM_UP_SEARCHES]:
            nearest(self._searched, probe, BEST, self._engine)
        return list(self._best(probes))

    def within(self, probes: Vectors, distance: float) -> list[float]:
        return list(self._within(probes, distance))

    def _best(self, probes: Vectors) -> Iterator[float]:
        text = f"searching, threads: {self._threads}"
        for done, probe in enumerate(probes, 1):
            start = time.perf_counter_ns()
            nearest(self._searched, probe, BEST, self._engine)
            yield (time.perf_counter_ns() - start) / 1e6
            self._progress.step(text, done, len(probes))

    def _within(self, probes: Vectors, distance: float) -> Iterator[float]:
        for probe in probes:
            start = time.perf_counter_ns()
            within(self._searched, probe, distance, self._engine)
            yield (time.perf_counter_ns() - start) / 1e6


def _checked(
    searched: SearchedVectors, probes: Vectors, threads: Sequence[int]
) -> tuple[float, bool]:
    """Return the share of the best ten that searches return, and if all are equal."""
    found, is_exact = [], True
    for probe, squared in zip(
        probes, _squared_distances(searched.matrix, probes), strict=True
    ):
        expected = np.argsort(squared, kind="stable")[:BEST]
        for each in threads:
            rows, distances = nearest(searched, probe, BEST, product_engine(each))
            found.append(len(np.intersect1d(rows, expected)) / len(expected))
            close = np.allclose(distances, np.sqrt(squared[expected]), atol=1e-7)
            is_exact &= close and rows.tolist() == expected.tolist()
    return float(np.mean(found)), is_exact


def _squared_distances(vectors: Vectors, probes: Vectors) -> NDArray[np.float64]:
    """Return those of each probe to all vectors, without any search."""
    squared = np.empty((len(probes), len(vectors)))
    wide = probes.astype(np.float64)
    for first in range(0, len(vectors), _DRAWN_AT_ONCE):
        own = slice(first, first + _DRAWN_AT_ONCE)
        exact = vectors[own].astype(np.float64)
        squares = np.einsum("ij,ij->i", exact, exact)
        squared[:, own] = squares - 2 * (wide @ exact.T)
    squared += np.einsum("ij,ij->i", wide, wide)[:, None]
    return np.maximum(squared, 0)


def _searched(vectors: Vectors) -> SearchedVectors:
    coded = new_coded(vectors.shape[1], len(vectors))
    for first in range(0, len(vectors), _DRAWN_AT_ONCE):
        coded.put(first, vectors[first : first + _DRAWN_AT_ONCE])
    extremes = Extremes().with_rows(coded, slice(len(vectors)))
    return SearchedVectors(vectors, coded, extremes, np.ones(len(vectors), np.bool_))


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    lengths: NDArray[np.floating] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def _bytes_each(engine: str) -> int:
    """Return the bytes of a number that the engine reads."""
    return 4 if engine == "float32" else 1


def _by_threads(times: dict[int, list[float]]) -> dict[str, Any]:
    return {str(threads): _summary(each) for threads, each in times.items()}


def _summary(times: list[float]) -> dict[str, float]:
    return {
        "median": float(np.median(times)),
        "p95": float(np.percentile(times, 95)),
        "most": max(times),
    }
