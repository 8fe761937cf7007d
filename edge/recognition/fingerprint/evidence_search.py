"""What each finger of a person says of the persons of a gallery, one by one.

For decisions that fuse fingers with other samples: the same shortlist and comparison as
edge.recognition.fingerprint.search, but every probe's own score, of persons that may be
found by other samples as well. Fingers that come one after the other vote once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.false_positives import rate_of_best
from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.search import (
    Finger,
    FingerprintSearch,
    best_of_persons,
    require_sense,
    shortlist,
    zeros,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.fingerprint.gallery import Snapshot
    from edge.terms import FingerprintTemplate

    Indices = NDArray[np.int64]


@dataclass(frozen=True)
class FingerMatch:
    """How one probe compares with one person.

    person: the gallery's number. probe: its place among the probes. number, score: of
    the reference that is most alike. false_match_rate: of that comparison;
    false_match_rate_of_best: that the best of all the person's references is as good.
    """

    person: int
    probe: int
    number: int
    score: float
    false_match_rate: float
    false_match_rate_of_best: float


@dataclass(frozen=True, eq=False)
class BestOfPersons:
    """persons: int64 (n,), rising. scores, rows: of each one's best reference.

    counts: int64 (n,), how many references of each were compared.
    """

    persons: Indices
    scores: NDArray[np.float32]
    rows: Indices
    counts: Indices


@dataclass(frozen=True, eq=False)
class Examined:
    """What `examine` found. searched: persons that there were to choose from."""

    probes: tuple[FingerprintTemplate, ...]
    seen: Snapshot
    fingers: tuple[Finger, ...]
    persons: Indices
    searched: int
    best: list[BestOfPersons]


class EvidenceSearch(FingerprintSearch):
    """Searches a gallery and weighs its persons. May be called from any thread."""

    def examine(
        self, probes: Sequence[FingerprintTemplate], before: Examined | None = None
    ) -> Examined:
        """Compare a shortlist of all persons with the probes; see `search` for both.

        before: what was found with fewer of these probes; what of it can be used again
        is, if the gallery has not changed.

        Raises:
            InputError: no probe, or two of one known position.
        """
        require_sense(probes)
        seen = self._gallery.snapshot()
        known = _known_votes(seen, before)
        fingers = []
        for probe in probes:
            finger = known.get(id(probe))
            if finger is None:
                rows = seen.chosen(int(probe.position))
                finger = Finger(pack(probe), rows, zeros(rows))
                self._vote(seen, finger)
            fingers.append(finger)
        persons, searched = shortlist(seen, fingers)
        best = [self._best(seen, finger, persons) for finger in fingers]
        return Examined(tuple(probes), seen, tuple(fingers), persons, searched, best)

    def evidence(self, examined: Examined, numbers: Sequence[int]) -> list[FingerMatch]:
        """Return how each probe compares with the persons of some references.

        numbers: of references; one that is no longer there is passed over. Persons
        that were not on the shortlist are compared now. By person, then by probe.
        """
        seen = examined.seen
        persons = _persons_of(seen, numbers)
        others = np.setdiff1d(persons, examined.persons, assume_unique=True)
        found = []
        for place, finger in enumerate(examined.fingers):
            tables = [examined.best[place], self._best(seen, finger, others)]
            for table in tables:
                chosen = np.flatnonzero(np.isin(table.persons, persons))
                found += [self._match(seen, place, table, int(at)) for at in chosen]
        return sorted(found, key=lambda match: (match.person, match.probe))

    def rare_numbers(self, examined: Examined, max_fmr: float) -> list[int]:
        """Return references of the persons of whom some finger is that rare, rising.

        Of persons on the shortlist; one reference of each finger that is.
        """
        weakest = min(table.threshold(max_fmr) for table in self._calibrations)
        numbers = set()
        for place, table in enumerate(examined.best):
            for at in np.flatnonzero(table.scores >= weakest).tolist():
                match = self._match(examined.seen, place, table, at)
                if match.false_match_rate_of_best <= max_fmr:
                    numbers.add(match.number)
        return sorted(numbers)

    def _match(
        self, seen: Snapshot, place: int, table: BestOfPersons, at: int
    ) -> FingerMatch:
        score, row = float(table.scores[at]), int(table.rows[at])
        rate = self._rate(seen, score, row)
        return FingerMatch(
            person=int(table.persons[at]),
            probe=place,
            number=int(seen.rows["number"][row]),
            score=score,
            false_match_rate=rate,
            false_match_rate_of_best=rate_of_best(rate, int(table.counts[at])),
        )

    def _best(self, seen: Snapshot, finger: Finger, persons: Indices) -> BestOfPersons:
        """Compare a finger with some persons; its votes stay as they are."""
        compared = Finger(finger.packed, finger.rows, finger.values)
        self._compare(seen, compared, persons)
        found = best_of_persons(seen, compared)
        rows = seen.rows["person"][compared.rows]
        counts = np.bincount(rows, minlength=seen.persons)[found[0]]
        return BestOfPersons(*found, counts.astype(np.int64))


def _known_votes(seen: Snapshot, before: Examined | None) -> dict[int, Finger]:
    """Return the fingers that have voted on this very state, by their probe."""
    is_same = before is not None and before.seen.version == seen.version
    if before is None or not is_same or before.seen.packed is not seen.packed:
        return {}
    return {
        id(probe): finger
        for probe, finger in zip(before.probes, before.fingers, strict=True)
    }


def _persons_of(seen: Snapshot, numbers: Sequence[int]) -> Indices:
    """Return the persons of living references, rising, each once."""
    wanted = np.asarray(numbers, np.int64)
    rows = seen.chosen()
    own = seen.rows["number"][rows]
    at = np.searchsorted(own, wanted)
    at = at[at < len(own)]
    at = at[np.isin(own[at], wanted)]
    return np.unique(seen.rows["person"][rows[at]].astype(np.int64))
