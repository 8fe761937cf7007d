"""A watchlist and galleries in memory, for what follows and searches them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.errors import InputError
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Modality,
    NumberedReference,
    Reference,
    WatchlistEntry,
    WatchlistState,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FACE = FaceTemplate("m", np.ones(4, np.float32))
NONE = np.zeros(0, np.int16)
FINGER = FingerprintTemplate(
    FingerPosition.UNKNOWN,
    "m",
    *(9, 9, NONE, NONE),
    *(NONE.astype(np.float32), NONE.astype(np.uint8), NONE.astype(np.uint8)),
)


class ScriptedWatchlist:
    """Implements the sources of an index; past: the audit line of each change."""

    def __init__(self, name="first") -> None:
        self.name = name
        self.past = [""]
        self.held: dict[str, WatchlistEntry] = {}
        self.stored: dict[int, Reference] = {}
        self.gone: list[int] = []
        self.last_number = 0
        self.asked_after: list[int] = []
        self.damaged: set[str] = set()

    def put(self, entry_id, *, modality=Modality.FACE, count=1, **validity):
        entry = WatchlistEntry(entry_id, 1, "c", "o", "h", "l", "i", NOON, None)
        self.held[entry_id] = replace(entry, **validity)
        template = FACE if modality is Modality.FACE else FINGER
        for n in range(count):
            self.last_number += 1
            self.stored[self.last_number] = Reference(
                f"{entry_id}-{n}", entry_id, modality, FingerPosition.UNKNOWN, template
            )
        self.past.append(f"{self.name}-{len(self.past)}")

    def withdraw(self, entry_id):
        del self.held[entry_id]
        numbers = [n for n, r in self.stored.items() if r.entry_id == entry_id]
        for number in numbers:
            del self.stored[number]
        self.gone += numbers
        self.past.append(f"{self.name}-{len(self.past)}")

    def revision(self):
        return len(self.past) - 1

    def state(self):
        at = self.revision()
        return WatchlistState(
            at, self.last_number, len(self.gone), at, self.past[at].encode().hex()
        )

    def has_been_in(self, state):
        line = self.past[state.audit_number : state.audit_number + 1]
        return [state.audit_hash] == [text.encode().hex() for text in line]

    def added(self, modality, *, after, to, on_damaged):
        self.asked_after.append(after)
        for number, reference in list(self.stored.items()):
            if reference.reference_id in self.damaged:
                on_damaged(f"{reference.reference_id} is damaged")
            elif after < number <= to and reference.modality is modality:
                yield NumberedReference(number, reference)

    def removed(self, *, after, to):
        return self.gone[after:to]

    def owners(self, numbers):
        held = {n: self.stored[n] for n in numbers if n in self.stored}
        return {n: (r.entry_id, r.reference_id) for n, r in held.items()}

    def numbers_of(self, modality, entry_ids):
        return [
            n
            for n, r in self.stored.items()
            if r.modality is modality and r.entry_id in entry_ids
        ]

    def tally(self, modality):
        numbers = [n for n, r in self.stored.items() if r.modality is modality]
        return len(numbers), max(numbers, default=0)

    def entry(self, entry_id):
        return self.held.get(entry_id)

    def count_valid(self, at):
        return sum(
            e.valid_from <= at and (e.expires_at is None or at < e.expires_at)
            for e in self.held.values()
        )


class EverybodyGallery:
    """Finds every reference it was patched with, the last number first."""

    def __init__(self) -> None:
        self.revision = ""
        self.numbers: set[int] = set()
        self.patches: list[tuple[list[int], list[int]]] = []
        self.times_cleared = 0
        self.times_tidied = 0
        self.refused: set[str] = set()
        self.error: Exception | None = None

    def __len__(self):
        return len(self.numbers)

    def objection(self, reference):
        return "it is odd" if reference.reference_id in self.refused else None

    def tidy(self):
        self.times_tidied += 1
        return True

    def clear(self, expected):
        assert expected >= 0
        self.times_cleared += 1
        self.numbers.clear()
        self.revision = ""

    def patch(self, added, removed, revision):
        if self.error is not None:
            raise self.error
        numbers = [item.number for item in added]
        assert min(numbers, default=1 << 30) > max(self.numbers, default=0)
        self.patches.append((numbers, list(removed)))
        self.numbers = (self.numbers | set(numbers)) - set(removed)
        self.revision = revision

    def examine(self, probes, before):
        del before
        self.probes = probes
        return probes

    def rare_numbers(self, examined, max_fmr):
        del examined, max_fmr
        return sorted(self.numbers)

    def evidence(self, examined, numbers):
        return [
            _Found(number, probe)
            for number in numbers
            for probe in range(len(examined))
            if number in self.numbers
        ]


class _Found:
    def __init__(self, number, probe) -> None:
        self.number = number
        self.probe = probe
        self.score = 0.5
        self.false_match_rate = self.false_match_rate_of_best = 1.0 / number


class _FoundFace:
    def __init__(self, candidate) -> None:
        self.best = candidate
        self.false_match_rate_of_best = candidate.score.false_match_rate


class EverybodyRules:
    """Everybody is referred whose rate is at most the limit; nearly so up to 1."""

    def __init__(self) -> None:
        self.limit = 1.0
        self.open_to = 0.0
        self.asked: list = []

    def kind_of(self, template):
        return "face" if isinstance(template, FaceTemplate) else "finger"

    def log_ratio(self, kind, false_match_rate):
        del kind
        return -math.log10(false_match_rate)

    def false_match_rate(self, kinds, log_ratio):
        del kinds
        return 10.0**-log_ratio

    def least_rarity(self, kinds, false_match_rate):
        del kinds, false_match_rate
        return 0.0

    def referred_at(self, kinds, persons, share):
        self.asked.append((tuple(kinds), persons, share))
        return self.limit

    def open_at(self, persons):
        del persons
        return self.open_to


class EveryFaceGallery(EverybodyGallery):
    """Finds every face it was patched with, the first number first."""

    def __init__(self) -> None:
        super().__init__()
        self.references: dict[int, Reference] = {}
        self.objection_to_all = ""

    def patch(self, added, removed, revision):
        added = list(added)
        super().patch(added, removed, revision)
        self.references |= {item.number: item.reference for item in added}

    def require_carried(self):
        if self.objection_to_all:
            raise InputError(self.objection_to_all)

    def rare_entries(self, probe, max_fmr):
        del probe, max_fmr
        return sorted({c.entry_id for c in self._candidates()})

    def evidence(self, probe, entry_ids):
        del probe
        best = {}
        for candidate in self._candidates():
            if candidate.entry_id in entry_ids:
                best.setdefault(candidate.entry_id, _FoundFace(candidate))
        return list(best.values())

    def _candidates(self):
        return [
            Candidate(
                r.entry_id,
                r.reference_id,
                r.modality,
                r.position,
                ComparisonScore(1 - number / 100, 1e-6 * number),
            )
            for number, r in sorted(self.references.items())
            if number in self.numbers
        ]


@pytest.fixture
def finger():
    return FINGER


@pytest.fixture
def face():
    return FACE


@pytest.fixture
def watchlist():
    return ScriptedWatchlist()


@pytest.fixture
def rules():
    return EverybodyRules()


@pytest.fixture
def another_watchlist():
    return ScriptedWatchlist("second")


@pytest.fixture
def gallery():
    return EverybodyGallery()


@pytest.fixture
def made():
    """Make a new watchlist and a new gallery at each call."""
    return lambda: (ScriptedWatchlist(), EverybodyGallery())


@pytest.fixture
def face_gallery():
    return EveryFaceGallery()


@pytest.fixture
def noon():
    return NOON
