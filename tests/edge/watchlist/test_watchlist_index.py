from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from edge.clock import ManualClock
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Modality,
    Reference,
    WatchlistEntry,
)
from edge.watchlist.search import WatchlistIndex

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FACE = FaceTemplate("m", np.ones(4, np.float32))
NONE = np.zeros(0, np.int16)
FINGER = FingerprintTemplate(
    FingerPosition.UNKNOWN,
    "m",
    *(9, 9, NONE, NONE),
    *(NONE.astype(np.float32), NONE.astype(np.uint8), NONE.astype(np.uint8)),
)


class ScriptedSource:
    def __init__(self) -> None:
        self.number = 0
        self.held: dict[str, WatchlistEntry] = {}
        self.stored: list[Reference] = []

    def put(self, entry_id, *, modality=Modality.FACE, count=1, **validity):
        entry = WatchlistEntry(entry_id, 1, "c", "o", "h", "l", "i", NOON, None)
        self.held[entry_id] = replace(entry, **validity)
        template = FACE if modality is Modality.FACE else FINGER
        position = FingerPosition.UNKNOWN
        self.stored += [
            Reference(f"{entry_id}-{n}", entry_id, modality, position, template)
            for n in range(count)
        ]
        self.number += 1

    def revision(self):
        return self.number

    def entries(self):
        return list(self.held.values())

    def references(self):
        return self.stored


class EverybodyGallery:
    """Finds every reference it was made of, in their order."""

    def __init__(self, references) -> None:
        self._references = references

    def search(self, probe):
        del probe
        return [
            Candidate(
                r.entry_id,
                r.reference_id,
                r.modality,
                r.position,
                ComparisonScore(1 - n / 100, 1e-6),
            )
            for n, r in enumerate(self._references)
        ]


@pytest.fixture
def source():
    return ScriptedSource()


@pytest.fixture
def clock():
    return ManualClock(NOON)


@pytest.fixture
def built():
    return []


@pytest.fixture
def index(source, clock, built):
    def factory(references):
        built.append([r.reference_id for r in references])
        return EverybodyGallery(references)

    return WatchlistIndex(source, dict.fromkeys(Modality, factory), clock)


def found(index, probe=FACE):
    return [c.reference_id for c in index.search(probe)]


def test_each_modality_is_searched_among_its_own_references(index, source):
    source.put("a")
    source.put("b", modality=Modality.FINGERPRINT)
    assert found(index, FACE) == ["a-0"]
    assert found(index, FINGER) == ["b-0"]


def test_the_best_reference_stands_for_its_entry(index, source):
    source.put("a", count=3)
    source.put("b", count=2)
    assert found(index) == ["a-0", "b-0"]


def test_galleries_are_rebuilt_only_when_the_watchlist_changed(index, source, built):
    source.put("a")
    found(index)
    found(index)
    index.size()
    assert len(built) == len(Modality)
    source.put("b")
    assert found(index) == ["a-0", "b-0"]
    assert len(built) == 2 * len(Modality)


def test_a_withdrawn_entry_is_not_found_again(index, source):
    source.put("a")
    assert found(index) == ["a-0"]
    source.held.clear()
    source.stored = []
    source.number += 1
    assert (found(index), index.size(), index.entry("a")) == ([], 0, None)


def test_an_entry_counts_from_its_first_instant_up_to_its_last(index, source, clock):
    hour = timedelta(hours=1)
    source.put("a", valid_from=NOON + hour, expires_at=NOON + 2 * hour)
    seen = []
    for _ in range(3):
        seen.append((found(index), index.size(), index.entry("a") is not None))
        clock.advance(3600)
    assert seen == [([], 0, False), (["a-0"], 1, True), ([], 0, False)]


def test_a_source_that_cannot_be_read_leaves_the_index_to_try_again(index, source):
    source.put("a")
    working = source.references

    def broken():
        raise OSError

    source.references = broken
    with pytest.raises(OSError):  # noqa: PT011  any error must pass through
        index.search(FACE)
    source.references = working
    assert found(index) == ["a-0"]
