"""Where the arrays of a gallery live: in memory or in memory-mapped files.

In a folder, each generation of arrays is four files, and header.json names the
generation that holds and how far it is filled. The header is replaced after the data
are on disk; rows beyond it and deaths after its version do not count, so a crash leaves
the former state.

One process at a time writes a folder. Another finds what is saved there and keeps its
own changes in memory.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.errors import StoreError
from edge.recognition.fingerprint.gallery_columns import (
    ALIVE,
    ROW,
    GalleryColumns,
    checksum,
    minutiae_of,
    snapshot_of,
)
from edge.recognition.fingerprint.packed import MOST_MINUTIAE, WORDS
from edge.terms import FingerPosition

if TYPE_CHECKING:
    from pathlib import Path


FORMAT = 2
HEADER, LOCK = "header.json", "lock"
HEADER_LIMIT = 65536
# What the codes of a print follow from. Named, not imported: edge-sync looks at these
# files too and must not load a compiler for it.
_MADE_WITH = ("codes.npz", "codes.py", "cylinders.py", "packed.py")
# New room for this much more than is needed: patches of days fit without copying.
_SPARE_SHARE, _SPARE_ROWS, _SPARE_MINUTIAE = 0.1, 4096, 131_072


class GalleryStorage:
    """Where the arrays live: a folder, or memory if it is None."""

    def __init__(self, folder: Path | None) -> None:
        """Make the folder if it is not there, and keep others from writing it.

        Raises:
            StoreError: the folder cannot be used.
        """
        self._generation = 0
        self._read_from = folder
        self._write_to: Path | None = None
        self._lock: int | None = None
        if folder is None:
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}; see [search]") from error
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write_to = folder

    def close(self) -> None:
        """Let another process write the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = self._write_to = None

    def saved(self) -> GalleryColumns | None:
        """Return what was saved by this software, None if there is nothing of use."""
        if self._read_from is None:
            return None
        mode: Literal["r+", "c"] = "c" if self._write_to is None else "r+"
        columns = read_columns(self._read_from, mode)
        if columns is not None:
            self._generation = columns.generation
        return columns

    def created(self, rows: int, minutiae: int) -> GalleryColumns:
        """Return empty arrays with room for so many, and some to spare.

        Raises:
            StoreError: no room on the disk.
        """
        rows += int(rows * _SPARE_SHARE) + _SPARE_ROWS
        minutiae += int(minutiae * _SPARE_SHARE) + _SPARE_MINUTIAE
        folder = self._write_to
        if folder is None:
            return GalleryColumns(
                np.zeros(rows, ROW),
                np.zeros((rows, 2), np.uint32),
                np.zeros((minutiae, WORDS), np.uint16),
                np.zeros(minutiae, np.uint64),
            )
        self._generation += 1
        try:
            for name, size in _sizes(rows, minutiae).items():
                _allocate(_path(folder, name, self._generation), size)
            return _mapped(folder, self._generation, (rows, minutiae), "r+")
        except OSError as error:
            raise StoreError(
                f"{folder}: no room for the gallery: {error.strerror}"
            ) from error

    def save(self, columns: GalleryColumns) -> None:
        """Make the columns what a next start finds.

        Raises:
            StoreError: the files cannot be written.
        """
        folder = self._write_to
        if folder is None:
            return
        state = {
            "row_count": columns.row_count,
            "minutia_count": columns.minutia_count,
            "persons": columns.persons,
            "version": columns.version,
            "revision": columns.revision,
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
            for name in _sizes(1, 1):
                _flush(_path(folder, name, columns.generation))
            _replace(folder, json.dumps(header))
            _remove_others(folder, columns.generation)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}") from error

    def flush_minutiae(self, columns: GalleryColumns) -> None:
        """Bring minutiae and codes to the disk as they stand.

        Raises:
            StoreError: the files cannot be written.
        """
        folder = self._write_to
        if folder is None:
            return
        try:
            for name in ("packed", "codes"):
                _flush(_path(folder, name, columns.generation))
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}") from error


@dataclass(frozen=True)
class SavedGallery:
    """numbers: of the living references. damaged: of those with wrong minutiae."""

    revision: str
    numbers: list[int]
    damaged: list[int]


def examine_saved(folder: Path) -> SavedGallery | None:
    """Read a whole saved gallery and change nothing; None if there is none of use."""
    columns = read_columns(folder, "c")
    if columns is None:
        return None
    rows = columns.rows
    wrong = [
        row
        for row in snapshot_of(columns).chosen().tolist()
        if rows["checksum"][row] != checksum(*minutiae_of(columns, row))
    ]
    # What another process withdrew meanwhile is no longer there to be right.
    living = snapshot_of(columns).chosen()
    is_wrong = np.isin(living, np.array(wrong, np.int64))
    return SavedGallery(
        revision=columns.revision,
        numbers=rows["number"][living].tolist(),
        damaged=rows["number"][living[is_wrong]].tolist(),
    )


def data_files(folder: Path) -> dict[Path, int]:
    """Return the files of arrays in a folder with the generation of each.

    Empty if there is no folder.

    Raises:
        OSError: the folder cannot be read.
    """
    found: dict[Path, int] = {}
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            name, _, number = path.name.partition(".")
            if name in _sizes(1, 1) and number.isdecimal():
                found[path] = int(number)
    return found


def read_columns(folder: Path, mode: Literal["r+", "c"]) -> GalleryColumns | None:
    """Return what was saved by this software, None if there is nothing of use.

    mode: r+ writes through to the files, c keeps changes in memory.
    """
    try:
        with (folder / HEADER).open("rb") as file:
            header = json.loads(file.read(HEADER_LIMIT))
        if header["format"] != FORMAT or header["engine"] != _engine():
            return None
        generation, state = int(header["generation"]), header["state"]
        room = (int(header["capacity_rows"]), int(header["capacity_minutiae"]))
        columns = replace(
            _mapped(folder, generation, room, mode),
            row_count=int(state["row_count"]),
            minutia_count=int(state["minutia_count"]),
            persons=int(state["persons"]),
            version=int(state["version"]),
            revision=str(state["revision"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return columns if _is_sound(columns) else None


def _is_sound(columns: GalleryColumns) -> bool:
    """Return False if a search would read where nothing of this gallery is.

    The kernels do not look. Minutiae and codes themselves can only be wrong: see
    examine_saved.
    """
    room = len(columns.rows), len(columns.packed)
    if not (0 <= columns.row_count <= room[0] and 0 <= columns.version < ALIVE):
        return False
    if not 0 <= columns.minutia_count <= room[1]:
        return False
    rows = columns.rows[: columns.row_count]
    extents = columns.extents[: columns.row_count].astype(np.int64)
    person = rows["person"].astype(np.int64)
    steps = np.diff(person, prepend=-1, append=columns.persons)
    is_right = [
        (np.diff(rows["number"], prepend=0) > 0).all(),
        ((steps[:-1] >= 0) & (steps[:-1] <= 1)).all() and steps[-1] == 1,
        (rows["born"] <= columns.version).all(),
        (rows["position"] <= max(FingerPosition)).all(),
        (extents[:, 1] <= MOST_MINUTIAE).all(),
        (extents.sum(axis=1) <= columns.minutia_count).all(),
    ]
    return all(map(bool, is_right))


def _mapped(
    folder: Path, generation: int, room: tuple[int, int], mode: Literal["r+", "c"]
) -> GalleryColumns:
    rows, minutiae = room
    maps = {}
    for name, size in _sizes(rows, minutiae).items():
        path = _path(folder, name, generation)
        if path.stat().st_size != size:
            raise ValueError(name)
        maps[name] = np.asarray(np.memmap(path, np.uint8, mode, shape=(size,)))
    return GalleryColumns(
        rows=maps["rows"].view(ROW),
        extents=maps["extents"].view(np.uint32).reshape(rows, 2),
        packed=maps["packed"].view(np.uint16).reshape(minutiae, WORDS),
        codes=maps["codes"].view(np.uint64),
        generation=generation,
    )


def _path(folder: Path, name: str, generation: int) -> Path:
    return folder / f"{name}.{generation}"


def _allocate(path: Path, size: int) -> None:
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(file, 0, size)
    finally:
        os.close(file)


def _replace(folder: Path, header: str) -> None:
    """Put the header in place; once this returns it stays, whatever happens."""
    new = folder / f"{HEADER}.new"
    with new.open("w", encoding="ascii") as file:
        file.write(header)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / HEADER)
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)


def _remove_others(folder: Path, generation: int) -> None:
    for path, found in data_files(folder).items():
        if found != generation:
            path.unlink(missing_ok=True)


def _sizes(rows: int, minutiae: int) -> dict[str, int]:
    return {
        "rows": rows * ROW.itemsize,
        "extents": rows * 8,
        "packed": minutiae * 2 * WORDS,
        "codes": minutiae * 8,
    }


def _flush(path: Path) -> None:
    """Write what has been changed through a mapping of the file.

    Not by the mapping's own flush, during which no other thread of python can run.
    """
    file = os.open(path, os.O_RDWR)
    try:
        os.fdatasync(file)
    finally:
        os.close(file)


@functools.cache
def _engine() -> str:
    """Return what the codes were made with."""
    digest = hashlib.sha256()
    for name in _MADE_WITH:
        digest.update(resources.files(__package__).joinpath(name).read_bytes())
    return digest.hexdigest()
