"""Exact search for the nearest vectors: bounded products, then the distances.

    products   of all vectors with the probe, off by a known amount
    threshold  the vectors whose product may be high enough: one pass, no sorting
    distances  of these few, from their float32 numbers in float64

Nearness is counted in h = x . y - |x|^2 / 2: |x - y|^2 = |y|^2 - 2 h, so the highest h
is the least distance. Of vectors of unit length that is the highest cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.coded_vectors import CodedVectors
    from edge.recognition.face.inner_products import ProductEngine, Products

# Of so many vectors the one with the highest product is looked at first.
_GROUP = 64
_DISTANCES_AT_ONCE = 4096
# Room for the rounding of float64, relative to the squared lengths, and of numbers too
# small for float32.
_ROUNDING, _TINY = 1e-12, 1e-30
_MOST_FLOAT32 = 3e38


@dataclass(frozen=True)
class Extremes:
    """Of all vectors that there are: of the columns of CodedVectors."""

    length: float = 0.0
    error: float = 0.0
    least_square: float = np.inf

    def with_rows(self, coded: CodedVectors, rows: slice) -> Extremes:
        return Extremes(
            float(coded.lengths[rows].max(initial=self.length)),
            float(coded.errors[rows].max(initial=self.error)),
            float(coded.squares[rows].min(initial=self.least_square)),
        )


@dataclass(frozen=True, eq=False)
class SearchedVectors:
    """matrix: float32 (n, d). coded: the same, coded. living: bool (n,), who counts."""

    matrix: NDArray[np.float32]
    coded: CodedVectors
    extremes: Extremes
    living: NDArray[np.bool_]


def within(
    searched: SearchedVectors,
    vector: NDArray[np.float32],
    most_distance: float,
    engine: ProductEngine,
) -> NDArray[np.int64]:
    """Return the living rows no further than that from the vector, rising."""
    if not len(searched.matrix):
        return np.zeros(0, np.int64)
    view = _View(searched, vector, engine)
    rows = view.reaching((view.square - most_distance * most_distance) / 2)
    return rows[distances(searched.matrix, rows, vector) <= most_distance]


def nearest(
    searched: SearchedVectors,
    vector: NDArray[np.float32],
    count: int,
    engine: ProductEngine,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest living rows and their distances, the nearest first.

    Of equally distant rows the lower come first.
    """
    if count < 1 or not searched.living.any():
        return np.zeros(0, np.int64), np.zeros(0)
    view = _View(searched, vector, engine)
    rows = view.reaching(view.reached_by(count))
    lowest, _ = view.bounds(rows)
    if len(rows) > count:
        rows = view.refined(rows, _highest(lowest, count))
    exact = distances(searched.matrix, rows, vector)
    order = np.lexsort((rows, exact))[:count]
    return rows[order], exact[order]


def distances(
    matrix: NDArray[np.float32], rows: NDArray[np.int64], vector: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return those of some rows of the matrix to the vector."""
    exact, found = vector.astype(np.float64), np.empty(len(rows))
    for first in range(0, len(rows), _DISTANCES_AT_ONCE):
        part = slice(first, first + _DISTANCES_AT_ONCE)
        found[part] = np.linalg.norm(matrix[rows[part]] - exact, axis=1)
    return found


class _View:
    """All h of one probe, as bounds."""

    def __init__(
        self,
        searched: SearchedVectors,
        vector: NDArray[np.float32],
        engine: ProductEngine,
    ) -> None:
        self._searched = searched
        exact = vector.astype(np.float64)
        self.square = float(exact @ exact)
        self._products: Products = engine.products(
            vector, searched.coded, searched.matrix
        )
        if not searched.living.all():
            self._products.values[np.flatnonzero(~searched.living)] = -np.inf
        longest = searched.extremes.length
        self._rounding = _ROUNDING * (self.square + longest**2) + _TINY

    def bounds(
        self, rows: NDArray[np.int64] | slice
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what h of these rows is at least and at most."""
        products, coded = self._products, self._searched.coded
        half = products.unit * products.values[rows].astype(np.float64)
        half -= coded.squares[rows] / 2
        off = products.per_length * coded.lengths[rows]
        off += products.per_error * coded.errors[rows] + self._rounding
        return half - off, half + off

    def reaching(self, least: float) -> NDArray[np.int64]:
        """Return the living rows whose h may be that high, rising."""
        products, extremes = self._products, self._searched.extremes
        off = products.per_length * extremes.length
        off += products.per_error * extremes.error + self._rounding
        limit = (least + extremes.least_square / 2 - off) / products.unit
        # Rounding to float32 must not raise it; nothing is beyond its range.
        limit = min(max(limit, -_MOST_FLOAT32), _MOST_FLOAT32)
        lowered = np.nextafter(np.float32(limit), np.float32(-np.inf))
        rows = np.flatnonzero(products.values >= lowered)
        return self.refined(rows, least)

    def refined(self, rows: NDArray[np.int64], least: float) -> NDArray[np.int64]:
        """Return those of the rows whose h may be that high."""
        return rows[self.bounds(rows)[1] >= least]

    def reached_by(self, count: int) -> float:
        """Return an h that at least so many living rows reach, if there are as many.

        Any so many rows would do; the highest of many groups are among the best.
        """
        values, living = self._products.values, self._searched.living
        groups = len(values) // _GROUP
        if groups >= count:
            # Column c is a group: rows c, c + groups, c + 2 groups and so on.
            grouped = values[: groups * _GROUP].reshape(_GROUP, groups)
            best = np.argpartition(grouped.max(axis=0), groups - count)[-count:]
            rows = best + groups * grouped[:, best].argmax(axis=0)
        else:
            rows = np.flatnonzero(living)
        rows = rows[living[rows]]
        lowest = self.bounds(rows)[0]
        return _highest(lowest, count) if len(lowest) >= count else -np.inf


def _highest(values: NDArray[np.float64], count: int) -> float:
    """Return the one that so many reach."""
    return float(np.partition(values, len(values) - count)[len(values) - count])
