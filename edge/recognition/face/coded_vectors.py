"""Vectors in one byte a number, with how far they may be off.

A vector x is coded as x = scale * code + rest, codes -127..127, one scale a vector. A
probe y is y = step * (code - zero) + rest, codes 0..2 zero. Then

    x . y = scale * step * code . (code - zero)  +  scale * code . rest  +  rest . y

of which the first is computed exactly in integers, and by Cauchy and Schwarz the others
are at most |scale * code| |rest of y| + |rest of x| |y|: what a product is off by is
bounded, whatever the vectors are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CODE = 127
# Columns come in multiples of what the product takes at a time.
_COLUMNS = 64
# Keeps scales in the normal range of float32.
_LEAST_PEAK = 1e-30
# The bounds themselves are computed in float64: they are rounded up by this share.
_UP = 1 + 1e-9


@dataclass(frozen=True, eq=False)
class CodedVectors:
    """Room for vectors, filled in place; float32 numbers of at most 1e9 are coded.

    codes: int8 (d, room), a column a vector. sums: int32 (room,), of the codes, times
    MOST_CODE. scales: float32 (room,). lengths, errors, squares: float64 (room,): at
    least |x| and |scale * code|, at least |rest|, and |x|^2.
    """

    codes: NDArray[np.int8]
    sums: NDArray[np.int32]
    scales: NDArray[np.float32]
    lengths: NDArray[np.float64]
    errors: NDArray[np.float64]
    squares: NDArray[np.float64]

    @property
    def room(self) -> int:
        return len(self.sums)

    @property
    def nbytes(self) -> int:
        """Return the memory of the codes and of what belongs to them."""
        return self.codes.nbytes + sum(column.nbytes for column in self._columns)

    def put(self, first: int, vectors: NDArray[np.float32]) -> None:
        """Code vectors (n, d) in the places from first on."""
        exact = vectors.astype(np.float64)
        peaks = np.abs(exact).max(axis=1, initial=0)
        scales = (np.maximum(peaks, _LEAST_PEAK) / MOST_CODE).astype(np.float32)
        wide = scales.astype(np.float64)[:, None]
        codes = np.clip(np.rint(exact / wide), -MOST_CODE, MOST_CODE)
        coded = codes * wide
        own = slice(first, first + len(vectors))
        self.sums[own] = MOST_CODE * codes.sum(axis=1)
        self.scales[own] = scales
        self.squares[own] = np.einsum("ij,ij->i", exact, exact)
        self.errors[own] = np.linalg.norm(exact - coded, axis=1) * _UP
        self.lengths[own] = _UP * np.maximum(
            np.sqrt(self.squares[own]), np.linalg.norm(coded, axis=1)
        )
        self.codes[:, own] = codes.T

    def copy(self, first: int, source: CodedVectors, rows: NDArray[np.int64]) -> None:
        """Take over vectors from elsewhere, in the places from first on."""
        own = slice(first, first + len(rows))
        self.codes[:, own] = source.codes[:, rows]
        for column, other in zip(self._columns, source._columns, strict=True):
            column[own] = other[rows]

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Overwrite all that the vectors at these places were made into."""
        self.codes[:, rows] = 0
        for column in self._columns:
            column[rows] = 0

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        bounds = (self.lengths, self.errors, self.squares)
        return (self.sums, self.scales, *bounds)


def new_coded(length: int, room: int) -> CodedVectors:
    """Return room for at least so many vectors of this length."""
    room = max(1, -(-room // _COLUMNS)) * _COLUMNS
    return CodedVectors(
        np.zeros((length, room), np.int8),
        np.zeros(room, np.int32),
        np.zeros(room, np.float32),
        *(np.zeros(room, np.float64) for _ in range(3)),
    )


@dataclass(frozen=True, eq=False)
class CodedProbe:
    """codes: uint8 (1, d), 0..2 zero. step: of a code. rest, length: at least those."""

    codes: NDArray[np.uint8]
    zero: int
    step: float
    rest: float
    length: float


def coded_probe(vector: NDArray[np.float32], zero: int) -> CodedProbe:
    """Code a vector (d,); zero: the code of 0, and the most steps away from it."""
    exact = vector.astype(np.float64)
    peak = float(np.abs(exact).max(initial=0))
    step = max(peak, _LEAST_PEAK) / zero
    codes = np.clip(np.rint(exact / step), -zero, zero)
    rest = float(np.linalg.norm(exact - step * codes))
    length = float(np.linalg.norm(exact))
    shifted = (codes + zero).astype(np.uint8)[None]
    return CodedProbe(shifted, zero, step, rest * _UP, length * _UP)
