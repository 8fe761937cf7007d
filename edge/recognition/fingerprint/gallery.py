"""The packed references of a watchlist: searched while they change.

A reference is a row of numbers and a run of packed minutiae with their codes, 14 bytes
a minutia. Rows are only ever appended; a withdrawn row is marked with the version in
which it died. A search works on the version at its start: what a patch adds or
withdraws meanwhile does not touch it. Once no search can see the dead, their minutiae
are overwritten; their space is taken back by copying, once they are many.

With a folder, the arrays are memory-mapped files, and a gallery that was saved is
opened without reading it. It is a cache: what does not fit this software is made anew.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError, StoreError
from edge.recognition.fingerprint.calibration import TemplateSource, source_of
from edge.recognition.fingerprint.gallery_columns import (
    ALIVE,
    GalleryColumns,
    Snapshot,
    checksum,
    overwrite,
    snapshot_of,
)
from edge.recognition.fingerprint.gallery_files import GalleryStorage
from edge.recognition.fingerprint.packed import WORDS, pack
from edge.recognition.fingerprint.shortlist import codes_of, new_vote
from edge.terms import FingerprintTemplate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.terms import NumberedReference, Reference

__all__ = ["PackedReferences", "Snapshot", "TemplateGallery"]

# Dead rows are copied away when they are this share of all, and this many.
_DEAD_SHARE, _DEAD_ROWS = 0.25, 1000
_USUAL_MINUTIAE = 40


@dataclass(frozen=True, eq=False)
class PackedReferences:
    """Many references at once. persons: int64, from 0, rising by 1 at most.

    packed: uint16 (minutiae, WORDS). codes: uint64 (minutiae,). counts: int64, minutiae
    of each reference. positions: uint8. is_foreign: bool, of another extractor.
    """

    packed: NDArray[np.uint16]
    codes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    positions: NDArray[np.uint8]
    is_foreign: NDArray[np.bool_]
    persons: NDArray[np.int64]
    numbers: NDArray[np.int64]


class TemplateGallery:
    """One thread at a time may change it; any number may take snapshots meanwhile."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the gallery of the folder, or an empty one if there is none of use.

        folder: None keeps it in memory.

        Raises:
            StoreError: the folder cannot be used.
            ModelError: the table of the codes is missing or damaged.
        """
        self._vote = new_vote()
        self._changing, self._seeing = threading.Lock(), threading.Lock()
        self._seen: weakref.WeakSet[Snapshot] = weakref.WeakSet()
        self._storage = GalleryStorage(folder)
        saved = self._storage.saved()
        self._columns = saved or self._storage.created(0, 0)
        _revive(self._columns)
        self._is_saved, self._is_swept = True, False

    def __len__(self) -> int:
        """Return the number of living references."""
        return len(snapshot_of(self._columns).chosen())

    @property
    def revision(self) -> str:
        """What the last patch was called; empty for a new gallery."""
        return self._columns.revision

    @property
    def last_number(self) -> int:
        """The number of the last reference added; 0 if there was none."""
        return _last_number(self._columns)

    def snapshot(self) -> Snapshot:
        with self._seeing:
            seen = snapshot_of(self._columns)
            self._seen.add(seen)
        return seen

    def patch(
        self,
        added: Iterable[NumberedReference] = (),
        removed: Sequence[int] = (),
        revision: str = "",
    ) -> None:
        """Withdraw the removed numbers and add references, in one step for searches.

        revision: what the state after the patch is called. Numbers to remove that are
        not there are passed over.

        Raises:
            InputError: a number is not larger than the last; nothing is changed.
            StoreError: no room; what was found before is still found. Where it can be
                searched but not saved, tidy says so.
        """
        self.patch_packed(self.packed_references(added), removed, revision)

    def packed_references(self, added: Iterable[NumberedReference]) -> PackedReferences:
        """Pack and code references, each as it comes: added may rest in between.

        Raises:
            InputError: one of them is no fingerprint.
        """
        items, packed, codes = [], [], []
        for item in added:
            minutiae = pack(_fingerprint(item))
            with self._changing:
                codes.append(codes_of(minutiae, self._vote))
            packed.append(minutiae)
            items.append(item)
        persons = [item.reference.entry_id for item in items]
        is_new = [a != b for a, b in itertools.pairwise(persons)]
        return PackedReferences(
            packed=np.concatenate([np.zeros((0, WORDS), np.uint16), *packed]),
            codes=np.concatenate([np.zeros(0, np.uint64), *codes]),
            counts=np.array([len(minutiae) for minutiae in packed], np.int64),
            positions=np.array([int(i.reference.position) for i in items], np.uint8),
            is_foreign=np.array([_is_foreign(item) for item in items], np.bool_),
            persons=np.cumsum([0, *is_new])[: len(items)].astype(np.int64),
            numbers=np.array([item.number for item in items], np.int64),
        )

    def patch_packed(
        self, added: PackedReferences, removed: Sequence[int] = (), revision: str = ""
    ) -> None:
        """Do as patch does, with references that are packed and coded already.

        Raises:
            InputError: a number is not larger than the last; nothing is changed.
            StoreError: no room; what was found before is still found.
        """
        with self._changing:
            before = np.r_[_last_number(self._columns), added.numbers]
            if (np.diff(before) <= 0).any():
                raise InputError("gallery: the numbers of references must rise")
            columns = self._with_room(len(added.counts), len(added.packed))
            version = columns.version + 1
            _bury(columns, np.asarray(removed, np.int64), version)
            columns = _appended(columns, added, version)
            self._publish(replace(columns, version=version, revision=revision))

    def clear(self, expected: int = 0) -> None:
        """Forget all references, and the revision.

        expected: room for so many is made at once.

        Raises:
            StoreError: no room; what was found before is still found.
        """
        with self._changing:
            minutiae = expected * _USUAL_MINUTIAE
            self._publish(self._storage.created(expected, minutiae))

    def objection(self, reference: Reference) -> str | None:
        """Return why the gallery cannot hold a reference, None if it can."""
        is_finger = isinstance(reference.template, FingerprintTemplate)
        return None if is_finger else "it is no fingerprint"

    def tidy(self) -> bool:
        """Save what could not be saved, overwrite the dead that no search sees.

        Returns False if a search sees some of them still: do it again.

        Raises:
            StoreError: the files cannot be written.
        """
        with self._changing:
            if not self._is_saved:
                self._storage.save(self._columns)
                self._is_saved = True
            if not self._is_swept:
                self._sweep()
            return self._is_swept

    def close(self) -> None:
        """Let another process change the folder."""
        self._storage.close()

    def bytes_of_references(self) -> int:
        """Return the memory that holds the references, spare room left out."""
        columns = self._columns
        row = columns.rows.itemsize + 2 * columns.extents.itemsize
        minutia = WORDS * columns.packed.itemsize + columns.codes.itemsize
        return columns.row_count * row + columns.minutia_count * minutia

    def _publish(self, columns: GalleryColumns) -> None:
        """Let searches see the columns, all of them from here on, and save them."""
        with self._seeing:
            self._columns = columns
        self._is_saved = self._is_swept = False
        with suppress(StoreError):
            self._storage.save(columns)
            self._is_saved = True
            self._sweep()

    def _sweep(self) -> None:
        """Overwrite the dead that no search can see, in the files too.

        Raises:
            StoreError: the files cannot be written.
        """
        columns = self._columns
        with self._seeing:
            oldest = min((seen.version for seen in self._seen), default=columns.version)
        rows = columns.rows[: columns.row_count]
        is_full = columns.extents[: columns.row_count, 1] > 0
        is_left = is_full & (rows["died"] <= columns.version)
        dead = np.flatnonzero(is_left & (rows["died"] <= oldest))
        if len(dead):
            overwrite(columns, dead)
            self._storage.flush_minutiae(columns)
            columns.extents[dead, 1] = 0
        self._is_swept = len(dead) == int(is_left.sum())

    def _with_room(self, rows: int, minutiae: int) -> GalleryColumns:
        """Return columns that so much can be appended to; searches may hold the old."""
        columns = self._columns
        living = snapshot_of(columns).chosen()
        dead = columns.row_count - len(living)
        if dead > _DEAD_ROWS and dead > _DEAD_SHARE * columns.row_count:
            kept = int(columns.extents[living, 1].sum())
            fresh = self._storage.created(len(living) + rows, kept + minutiae)
            return columns.copied_to(fresh, living)
        if columns.has_room(rows, minutiae):
            return columns
        fresh = self._storage.created(
            columns.row_count + rows, columns.minutia_count + minutiae
        )
        return columns.copied_to(fresh, np.arange(columns.row_count))


def _revive(columns: GalleryColumns) -> None:
    """Take back deaths of a version that was never saved."""
    died = columns.rows["died"][: columns.row_count]
    died[(died > columns.version) & (died < ALIVE)] = ALIVE


def _fingerprint(item: NumberedReference) -> FingerprintTemplate:
    template = item.reference.template
    if not isinstance(template, FingerprintTemplate):
        raise InputError(f"gallery: reference {item.number} is no fingerprint")
    return template


def _last_number(columns: GalleryColumns) -> int:
    if not columns.row_count:
        return 0
    return int(columns.rows["number"][columns.row_count - 1])


def _bury(columns: GalleryColumns, removed: NDArray[np.int64], version: int) -> None:
    """Mark living rows as dead from this version on."""
    rows = columns.rows[: columns.row_count]
    at = np.searchsorted(rows["number"], removed)
    at = at[at < len(rows)]
    at = at[np.isin(rows["number"][at], removed)]
    at = at[rows["died"][at] > columns.version]
    rows["died"][at] = version


def _is_foreign(item: NumberedReference) -> bool:
    model_id = item.reference.template.model_id
    return source_of(model_id) is TemplateSource.FOREIGN


def _checksums(added: PackedReferences) -> list[int]:
    ends = np.cumsum(added.counts).tolist()
    return [
        checksum(added.packed[start:end], added.codes[start:end])
        for start, end in itertools.pairwise([0, *ends])
    ]


def _appended(
    columns: GalleryColumns, added: PackedReferences, version: int
) -> GalleryColumns:
    start, first = columns.minutia_count, columns.row_count
    end, last = start + len(added.packed), first + len(added.counts)
    rows = columns.rows[first:last]
    rows["number"], rows["position"] = added.numbers, added.positions
    rows["person"] = columns.persons + added.persons
    rows["born"], rows["died"] = version, ALIVE
    rows["is_foreign"] = added.is_foreign
    rows["checksum"] = _checksums(added)
    columns.extents[first:last, 0] = start + np.cumsum(added.counts) - added.counts
    columns.extents[first:last, 1] = added.counts
    columns.packed[start:end] = added.packed
    columns.codes[start:end] = added.codes
    known = int(added.persons[-1]) + 1 if len(added.persons) else 0
    return replace(
        columns,
        row_count=last,
        minutia_count=end,
        persons=columns.persons + known,
    )
