"""The arrays of a gallery, in memory or as memory-mapped files.

In a folder, each generation of arrays is four files, and header.json names the
generation that holds and how far it is filled. The header is replaced after the data
are on disk; rows beyond it and deaths after its version do not count, so a crash leaves
the former state.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import StoreError
from edge.recognition.fingerprint.codes import TABLE
from edge.recognition.fingerprint.packed import WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = 1
HEADER = "header.json"
# A row that lives dies in this version.
ALIVE = np.iinfo(np.uint32).max
ROW = np.dtype(
    [
        ("number", np.int64),
        ("person", np.uint32),
        ("born", np.uint32),
        ("died", np.uint32),
        ("position", np.uint8),
    ],
    align=False,
)
# New room for this much more than is needed: patches of days fit without copying.
_SPARE_SHARE, _SPARE_ROWS, _SPARE_MINUTIAE = 0.1, 4096, 131_072


@dataclass(frozen=True, eq=False)
class GalleryColumns:
    """rows: structured ROW. extents: uint32 (rows, 2), first minutia and count.

    packed: uint16 (minutiae, WORDS). codes: uint64 (minutiae,). The first row_count and
    minutia_count are filled. persons: number of persons ever added.
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
        """Return fresh, filled with the chosen rows, in their order."""
        counts = self.extents[chosen, 1].astype(np.int64)
        starts = self.extents[chosen, 0].astype(np.int64)
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        from_ = np.repeat(starts - (ends - counts), counts) + np.arange(total)
        fresh.rows[: len(chosen)] = self.rows[chosen]
        fresh.extents[: len(chosen), 0] = ends - counts
        fresh.extents[: len(chosen), 1] = counts
        fresh.packed[:total] = self.packed[from_]
        fresh.codes[:total] = self.codes[from_]
        return replace(
            fresh,
            row_count=len(chosen),
            minutia_count=total,
            persons=self.persons,
            version=self.version,
            revision=self.revision,
        )


class GalleryStorage:
    """Where the arrays live: a folder, or memory if it is None."""

    def __init__(self, folder: Path | None) -> None:
        """Make the folder if it is not there.

        Raises:
            StoreError: the folder cannot be used.
        """
        self._folder = folder
        self._generation = 0
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{folder}: {error.strerror}; see [store]") from error

    def close(self) -> None:
        """Do nothing yet."""

    def saved(self) -> GalleryColumns | None:
        """Return what was saved by this software, None if there is nothing of use."""
        if self._folder is None:
            return None
        try:
            header = json.loads((self._folder / HEADER).read_text("ascii"))
            if header["format"] != FORMAT or header["engine"] != _engine():
                return None
            self._generation = int(header["generation"])
            columns = self._mapped(
                self._folder, header["capacity_rows"], header["capacity_minutiae"]
            )
            return replace(columns, **header["state"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def created(self, rows: int, minutiae: int) -> GalleryColumns:
        """Return empty arrays with room for so many, and some to spare.

        Raises:
            StoreError: no room on the disk.
        """
        rows += int(rows * _SPARE_SHARE) + _SPARE_ROWS
        minutiae += int(minutiae * _SPARE_SHARE) + _SPARE_MINUTIAE
        if self._folder is None:
            return GalleryColumns(
                np.zeros(rows, ROW),
                np.zeros((rows, 2), np.uint32),
                np.zeros((minutiae, WORDS), np.uint16),
                np.zeros(minutiae, np.uint64),
            )
        self._generation += 1
        try:
            for name, size in _sizes(rows, minutiae).items():
                with (self._folder / f"{name}.{self._generation}").open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, size)
            return self._mapped(self._folder, rows, minutiae)
        except OSError as error:
            raise StoreError(
                f"{self._folder}: no room for the gallery: {error.strerror}"
            ) from error

    def save(self, columns: GalleryColumns) -> None:
        """Make the columns what a next start finds.

        Raises:
            StoreError: the files cannot be written.
        """
        if self._folder is None:
            return
        state = {
            "row_count": columns.row_count,
            "minutia_count": columns.minutia_count,
            "persons": columns.persons,
            "version": columns.version,
            "revision": columns.revision,
            "generation": columns.generation,
        }
        header = {
            "format": FORMAT,
            "engine": _engine(),
            "generation": columns.generation,
            "capacity_rows": len(columns.rows),
            "capacity_minutiae": len(columns.packed),
            "state": state,
        }
        try:
            for array in (columns.rows, columns.extents, columns.packed, columns.codes):
                _flush(array)
            new = self._folder / f"{HEADER}.new"
            with new.open("w", encoding="ascii") as file:
                file.write(json.dumps(header))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._folder / HEADER)
            _remove_others(self._folder, columns.generation)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror}") from error

    def _mapped(self, folder: Path, rows: int, minutiae: int) -> GalleryColumns:
        sizes = _sizes(rows, minutiae)
        maps = {name: self._map(folder, name, size) for name, size in sizes.items()}
        return GalleryColumns(
            rows=maps["rows"].view(ROW),
            extents=maps["extents"].view(np.uint32).reshape(rows, 2),
            packed=maps["packed"].view(np.uint16).reshape(minutiae, WORDS),
            codes=maps["codes"].view(np.uint64),
            generation=self._generation,
        )

    def _map(self, folder: Path, name: str, size: int) -> NDArray[np.uint8]:
        path = folder / f"{name}.{self._generation}"
        if path.stat().st_size != size:
            raise ValueError(name)
        return np.asarray(np.memmap(path, np.uint8, "r+", shape=(size,)))


def _remove_others(folder: Path, generation: int) -> None:
    for path in folder.iterdir():
        name, _, number = path.name.partition(".")
        if name in _sizes(1, 1) and number != str(generation):
            path.unlink(missing_ok=True)


def _sizes(rows: int, minutiae: int) -> dict[str, int]:
    return {
        "rows": rows * ROW.itemsize,
        "extents": rows * 8,
        "packed": minutiae * 2 * WORDS,
        "codes": minutiae * 8,
    }


def _flush(array: NDArray[Any]) -> None:
    """Write the mapped file behind a view."""
    owner: Any = array
    while owner is not None and not isinstance(owner, np.memmap):
        owner = owner.base
    if owner is not None:
        owner.flush()


def _engine() -> str:
    """Return what the codes were made with."""
    table = resources.files(__package__).joinpath(TABLE).read_bytes()
    return hashlib.sha256(table).hexdigest()
