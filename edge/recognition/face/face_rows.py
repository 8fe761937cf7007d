"""The rows of a face gallery: versions that share their arrays.

Rows are only ever appended; a version knows how many it has and which of them live, so
what later versions add or withdraw does not touch a search on an earlier one. A
withdrawn row is overwritten once no version in use can see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.face.coded_vectors import CodedVectors, new_coded
from edge.recognition.face.vector_search import Extremes, SearchedVectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge.terms import FaceTemplate, NumberedReference

# Room grows by a part, so that adding one by one copies each row a few times in all.
# Searches go through all of the room.
_FEWEST_ROWS, _MORE_ROOM = 256, 8
# Dead rows are copied away when they are this share of all, and this many.
_DEAD_SHARE, _DEAD_ROWS = 0.25, 1000
_COPIED_AT_ONCE = 4096  # rows
# The position of a dead row of which nothing is left.
_OVERWRITTEN = 255


@dataclass(frozen=True, eq=False)
class FaceRows:
    """matrix: float32 (room, d). coded: the same in bytes. extremes: of both.

    numbers: int64 (room,), rising. positions: uint8 (room,). living: bool (count,).
    """

    matrix: NDArray[np.float32]
    coded: CodedVectors
    numbers: NDArray[np.int64]
    positions: NDArray[np.uint8]
    living: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    entry_ids: list[str] = field(default_factory=list)
    reference_ids: list[str] = field(default_factory=list)
    extremes: Extremes = field(default_factory=Extremes)

    @property
    def count(self) -> int:
        """How many rows there are, dead ones too."""
        return len(self.living)

    @property
    def living_count(self) -> int:
        return int(np.count_nonzero(self.living))

    @property
    def searched(self) -> SearchedVectors:
        """What a search looks through."""
        matrix = self.matrix[: self.count]
        return SearchedVectors(matrix, self.coded, self.extremes, self.living)

    def living_entry_ids(self) -> Iterator[str]:
        """Yield the entry of each living row."""
        for row in np.flatnonzero(self.living):
            yield self.entry_ids[row]

    def with_added(
        self, added: Sequence[tuple[NumberedReference, FaceTemplate]]
    ) -> FaceRows:
        """Return the version with these rows besides; numbers rise."""
        rows = self._with_room(len(added))
        start = rows.count
        own = slice(start, start + len(added))
        for row, (item, template) in enumerate(added, start):
            rows.matrix[row] = template.vector
            rows.numbers[row] = item.number
            rows.positions[row] = int(item.reference.position)
        # A patch that failed half-way may have left names behind.
        del rows.entry_ids[start:], rows.reference_ids[start:]
        rows.entry_ids.extend(item.reference.entry_id for item, _ in added)
        rows.reference_ids.extend(item.reference.reference_id for item, _ in added)
        rows.coded.put(start, rows.matrix[own])
        return replace(
            rows,
            living=np.r_[rows.living, np.ones(len(added), np.bool_)],
            extremes=rows.extremes.with_rows(rows.coded, own),
        )

    def without(self, numbers: NDArray[np.int64]) -> FaceRows:
        """Return the version in which the rows of these numbers are dead."""
        own = self.numbers[: self.count]
        at = np.searchsorted(own, numbers)
        at = at[at < self.count]
        at = at[np.isin(own[at], numbers)]
        if not self.living[at].any():
            return self
        living = self.living.copy()
        living[at] = False
        return replace(self, living=living)

    def overwrite_dead(self) -> None:
        """Leave nothing of dead rows; no search may see them any more."""
        own = slice(self.count)
        rows = np.flatnonzero(~self.living & (self.positions[own] != _OVERWRITTEN))
        self.matrix[rows] = 0
        self.coded.forget(rows)
        self.positions[rows] = _OVERWRITTEN
        for row in rows.tolist():
            self.entry_ids[row] = self.reference_ids[row] = ""

    def _with_room(self, more: int) -> FaceRows:
        """Return rows that so many more fit into: a copy of the living, if not these.

        Where many are dead they are left behind, too.
        """
        count = self.count
        dead = count - self.living_count
        is_sparse = dead > _DEAD_ROWS and dead > _DEAD_SHARE * count
        if count + more <= len(self.matrix) and not is_sparse:
            return self
        chosen = np.flatnonzero(self.living)
        needed = len(chosen) + more
        room = max(needed + needed // _MORE_ROOM, _FEWEST_ROWS)
        return self._copied_to(new_rows(self.matrix.shape[1], room), chosen)

    def _copied_to(self, fresh: FaceRows, chosen: NDArray[np.int64]) -> FaceRows:
        count = len(chosen)
        # One long call of numpy would keep the searches of other threads waiting.
        for first in range(0, count, _COPIED_AT_ONCE):
            part = chosen[first : first + _COPIED_AT_ONCE]
            fresh.matrix[first : first + len(part)] = self.matrix[part]
            fresh.coded.copy(first, self.coded, part)
        fresh.numbers[:count] = self.numbers[chosen]
        fresh.positions[:count] = self.positions[chosen]
        rows = chosen.tolist()
        return replace(
            fresh,
            living=self.living[chosen],
            entry_ids=[self.entry_ids[row] for row in rows],
            reference_ids=[self.reference_ids[row] for row in rows],
            extremes=Extremes().with_rows(fresh.coded, slice(count)),
        )


def new_rows(length: int, room: int = 0) -> FaceRows:
    """Return no rows, with room for at least so many vectors of this length."""
    coded = new_coded(length, max(room, _FEWEST_ROWS))
    return FaceRows(
        np.zeros((coded.room, length), np.float32),
        coded,
        np.zeros(coded.room, np.int64),
        np.zeros(coded.room, np.uint8),
    )
