"""The arrays of a gallery, and what a search sees of them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COPIED_AT_ONCE = 1024  # references
# A row that lives dies in this version.
ALIVE = np.iinfo(np.uint32).max
ROW = np.dtype(
    [
        ("number", np.int64),
        ("person", np.uint32),
        ("born", np.uint32),
        ("died", np.uint32),
        ("checksum", np.uint32),
        ("position", np.uint8),
        ("is_foreign", np.uint8),
    ],
    align=False,
)


@dataclass(frozen=True, eq=False)
class GalleryColumns:
    """rows: structured ROW. extents: uint32 (rows, 2), first minutia and count.

    packed: uint16 (minutiae, WORDS). codes: uint64 (minutiae,). The first row_count and
    minutia_count are filled. Numbers and persons rise; persons are less than persons.
    """

    rows: NDArray[np.void]
    extents: NDArray[np.uint32]
    packed: NDArray[np.uint16]
    codes: NDArray[np.uint64]
    row_count: int = 0
    minutia_count: int = 0
    persons: int = 0
    version: int = 0
    revision: str = ""
    generation: int = 0

    def has_room(self, rows: int, minutiae: int) -> bool:
        fits = self.row_count + rows <= len(self.rows)
        return fits and self.minutia_count + minutiae <= len(self.packed)

    def copied_to(
        self, fresh: GalleryColumns, chosen: NDArray[np.int64]
    ) -> GalleryColumns:
        """Return fresh, filled with the chosen rows in order, persons counted anew."""
        counts = self.extents[chosen, 1].astype(np.int64)
        starts = self.extents[chosen, 0].astype(np.int64)
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        kept = self.rows[chosen]
        is_next = np.diff(kept["person"].astype(np.int64), prepend=-1) > 0
        kept["person"] = np.cumsum(is_next) - 1
        fresh.rows[: len(chosen)] = kept
        fresh.extents[: len(chosen), 0] = ends - counts
        fresh.extents[: len(chosen), 1] = counts
        # One long call of numpy would keep the searches of other threads waiting.
        for first in range(0, len(chosen), _COPIED_AT_ONCE):
            part = slice(first, first + _COPIED_AT_ONCE)
            from_ = minutiae_in(starts[part], counts[part])
            at = int(ends[first] - counts[first])
            fresh.packed[at : at + len(from_)] = self.packed[from_]
            fresh.codes[at : at + len(from_)] = self.codes[from_]
        return replace(
            fresh,
            row_count=len(chosen),
            minutia_count=total,
            persons=int(is_next.sum()),
            version=self.version,
            revision=self.revision,
        )


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What one search sees. rows: structured, see gallery_columns.ROW."""

    rows: NDArray[np.void]
    extents: NDArray[np.uint32]
    packed: NDArray[np.uint16]
    codes: NDArray[np.uint64]
    version: int
    persons: int

    def chosen(self, position: int = 0) -> NDArray[np.int64]:
        """Return the living rows that may be of this finger; 0 stands for any."""
        rows = self.rows
        is_chosen = (rows["born"] <= self.version) & (rows["died"] > self.version)
        if position:
            held = rows["position"]
            is_chosen &= (held == position) | (held == 0)
        return np.flatnonzero(is_chosen)


def snapshot_of(columns: GalleryColumns) -> Snapshot:
    return Snapshot(
        rows=columns.rows[: columns.row_count],
        extents=columns.extents[: columns.row_count],
        packed=columns.packed,
        codes=columns.codes,
        version=columns.version,
        persons=columns.persons,
    )


def minutiae_of(
    columns: GalleryColumns, row: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    start, count = columns.extents[row].tolist()
    return columns.packed[start : start + count], columns.codes[start : start + count]


def overwrite(columns: GalleryColumns, rows: NDArray[np.int64]) -> None:
    """Leave nothing of the minutiae of these rows and of their codes."""
    extents = columns.extents[rows].astype(np.int64)
    at = minutiae_in(extents[:, 0], extents[:, 1])
    columns.packed[at] = 0
    columns.codes[at] = 0


def minutiae_in(
    starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the indices of the minutiae of several runs, one run after another."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def checksum(packed: NDArray[np.uint16], codes: NDArray[np.uint64]) -> int:
    """Return the CRC-32 of a reference's minutiae and codes."""
    return zlib.crc32(codes.data, zlib.crc32(packed.data))
