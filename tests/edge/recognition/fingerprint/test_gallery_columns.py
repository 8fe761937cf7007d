"""The arrays of a gallery."""

from __future__ import annotations

import numpy as np
import pytest

from edge.recognition.fingerprint.gallery_columns import (
    ALIVE,
    ROW,
    GalleryColumns,
    checksum,
    minutiae_of,
    snapshot_of,
)
from edge.recognition.fingerprint.packed import WORDS


def columns_of(counts, persons, version=1):
    total = sum(counts)
    rows = np.zeros(len(counts) + 2, ROW)
    rows["number"][: len(counts)] = np.arange(1, len(counts) + 1)
    rows["person"][: len(counts)] = persons
    rows["born"], rows["died"] = 1, ALIVE
    extents = np.zeros((len(rows), 2), np.uint32)
    extents[: len(counts), 1] = counts
    extents[: len(counts), 0] = np.cumsum(counts) - counts
    return GalleryColumns(
        rows=rows,
        extents=extents,
        packed=np.arange((total + 9) * WORDS, dtype=np.uint16).reshape(-1, WORDS),
        codes=np.arange(total + 9, dtype=np.uint64),
        row_count=len(counts),
        minutia_count=total,
        persons=max(persons, default=-1) + 1,
        version=version,
        revision="r",
    )


def empty(rows=20, minutiae=200):
    return GalleryColumns(
        np.zeros(rows, ROW),
        np.zeros((rows, 2), np.uint32),
        np.zeros((minutiae, WORDS), np.uint16),
        np.zeros(minutiae, np.uint64),
        generation=7,
    )


@pytest.mark.parametrize("chosen", [[0, 1, 2, 3, 4], [1, 3], [4], [0, 2], []])
def test_the_chosen_rows_are_copied_with_their_minutiae(chosen):
    columns = columns_of([5, 0, 7, 1, 3], [0, 0, 1, 2, 2])
    copy = columns.copied_to(empty(), np.array(chosen, np.int64))
    assert (copy.row_count, copy.version, copy.revision) == (len(chosen), 1, "r")
    assert copy.generation == 7
    for to, from_ in enumerate(chosen):
        assert copy.rows["number"][to] == columns.rows["number"][from_]
        for new, old in zip(
            minutiae_of(copy, to), minutiae_of(columns, from_), strict=True
        ):
            assert np.array_equal(new, old)
    assert copy.minutia_count == sum(columns.extents[chosen, 1])


def test_persons_are_counted_anew_in_a_copy():
    columns = columns_of([1] * 6, [0, 0, 3, 4, 4, 9])
    copy = columns.copied_to(empty(), np.array([1, 3, 4, 5]))
    assert copy.rows["person"][:4].tolist() == [0, 1, 1, 2]
    assert copy.persons == 3


def test_rows_live_from_their_birth_up_to_their_death():
    columns = columns_of([1] * 4, [0, 1, 2, 3], version=5)
    columns.rows["born"][:4] = [1, 5, 6, 2]
    columns.rows["died"][:4] = [ALIVE, 6, ALIVE, 5]
    assert snapshot_of(columns).chosen().tolist() == [0, 1]


def test_a_position_chooses_its_rows_and_those_of_unknown_position():
    columns = columns_of([1] * 4, [0, 1, 2, 3])
    columns.rows["position"][:4] = [0, 2, 3, 2]
    seen = snapshot_of(columns)
    assert seen.chosen(2).tolist() == [0, 1, 3]
    assert seen.chosen(7).tolist() == [0]
    assert seen.chosen().tolist() == [0, 1, 2, 3]


def test_room_is_for_rows_and_for_minutiae():
    columns = columns_of([5, 5], [0, 1])
    assert columns.has_room(2, 9)
    assert not columns.has_room(3, 9)
    assert not columns.has_room(2, 10)


def test_a_checksum_tells_minutiae_and_codes():
    packed, codes = minutiae_of(columns_of([5], [0]), 0)
    sums = {checksum(packed, codes)}
    for array in (packed, codes):
        array[2] += 1
        sums.add(checksum(packed, codes))
    sums.add(checksum(packed[:4], codes[:4]))
    assert len(sums) == 4
    assert checksum(packed[:0], codes[:0]) == 0
