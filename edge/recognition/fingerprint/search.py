"""One-to-many search of one or more fingers of a person.

    votes      every reference of the finger, by codes: under a microsecond each
    shortlist  the persons whose fingers together line up best
    compare    their references in full
    fuse       the fingers of each person to one false match rate

The result does not depend on the number of threads: each fills its own part of the
arrays, and nothing is added up across threads.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.recognition.false_positives import rate_of_one
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.comparison import compare_many, work
from edge.recognition.fingerprint.compiled import compiled
from edge.recognition.fingerprint.fusion import fused_false_match_rate
from edge.recognition.fingerprint.gallery import TemplateGallery
from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.shortlist import Vote, new_vote, vote_many
from edge.terms import (
    FingerPosition,
    FingerprintTemplate,
    Modality,
    NumberedReference,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge.recognition.fingerprint.calibration import Calibration
    from edge.recognition.fingerprint.gallery import Snapshot

    Indices = NDArray[np.int64]

# Share of the persons that is compared in full, by number of probe fingers. One finger
# loses less than 0.3 % of what full comparison finds at 0.15 on the development sets.
SHORTLIST_SHARE = {1: 0.15, 2: 0.025}
SHORTLIST_SHARE_OF_MORE = 0.02
SHORTLIST_FEWEST = 500
# References a thread takes at a time: long enough that handing over does not show.
_NO_VOTE = np.float32(-1e9)
_VOTES_AT_ONCE, _COMPARISONS_AT_ONCE = 4096, 128


@dataclass(frozen=True)
class Found:
    """A person of the gallery that matches.

    person: the gallery's number. number: of the reference with the highest score.
    score: that score. false_match_rate: of all fingers together.
    """

    person: int
    number: int
    score: float
    false_match_rate: float


@dataclass(frozen=True, eq=False)
class SearchOutcome:
    """found: best first. compared: persons that came through the first stage."""

    found: list[Found]
    compared: Indices


class FingerprintSearch:
    """Searches a gallery. May be called from any thread."""

    def __init__(
        self,
        gallery: TemplateGallery,
        calibration: Calibration,
        threads: int = 1,
        *,
        foreign: Calibration | None = None,
    ) -> None:
        """Search with so many threads.

        foreign: what scores with templates of other makers mean, if it is not the same.
        """
        self._gallery = gallery
        self._calibrations = (calibration, foreign or calibration)
        self._pool = ThreadPoolExecutor(threads, "search") if threads > 1 else None

    def search(
        self,
        probes: Sequence[FingerprintTemplate],
        max_fmr: float,
        *,
        max_fpir: float = 1.0,
    ) -> SearchOutcome:
        """Return the persons whose fused false match rate is low enough.

        max_fmr: the highest rate of one person. max_fpir: the share of searches of
        strangers that may find anybody; the more persons, the less one may take of it.
        probes: fingers of one person, at most one of each position. A probe is compared
        with references of its position and of unknown position.

        Raises:
            InputError: no probe, or two of one known position.
        """
        require_sense(probes)
        seen = self._gallery.snapshot()
        fingers = [
            Finger(pack(probe), rows := seen.chosen(int(probe.position)), zeros(rows))
            for probe in probes
        ]
        for finger in fingers:
            self._vote(seen, finger)
        persons, searched = shortlist(seen, fingers)
        for finger in fingers:
            self._compare(seen, finger, persons)
        limit = min(max_fmr, rate_of_one(max_fpir, searched))
        found = self._fused(seen, fingers, limit)
        return SearchOutcome(found, persons)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def _vote(self, seen: Snapshot, finger: Finger) -> None:
        rows = finger.rows

        def vote(part: slice) -> None:
            vote_many(
                finger.packed,
                seen.packed,
                seen.codes,
                seen.extents,
                rows[part],
                finger.values[part],
                _this_threads_vote(),
            )

        self._for_each_part(vote, len(rows), _VOTES_AT_ONCE)

    def _compare(self, seen: Snapshot, finger: Finger, persons: Indices) -> None:
        is_listed = np.zeros(seen.persons, np.bool_)
        is_listed[persons] = True
        finger.rows = rows = finger.rows[is_listed[seen.rows["person"][finger.rows]]]
        finger.values = zeros(rows)

        def compare(part: slice) -> None:
            compare_many(
                finger.packed,
                seen.packed,
                seen.extents,
                rows[part],
                finger.values[part],
                work(),
            )

        self._for_each_part(compare, len(rows), _COMPARISONS_AT_ONCE)

    def _for_each_part(
        self, task: Callable[[slice], None], count: int, at_once: int
    ) -> None:
        parts = [slice(start, start + at_once) for start in range(0, count, at_once)]
        if self._pool is None:
            for part in parts:
                task(part)
        else:
            for _ in self._pool.map(task, parts):
                pass

    def _fused(
        self, seen: Snapshot, fingers: list[Finger], max_fmr: float
    ) -> list[Found]:
        """Return the persons that match, the least false match rate first.

        Somebody whose best finger is not rare enough cannot reach the limit with all
        of them, so only the others are looked at.
        """
        best = [best_of_persons(seen, finger) for finger in fingers]
        single = _single_limit(max_fmr, len(fingers))
        weakest = min(table.threshold(single) for table in self._calibrations)
        promising = {
            person
            for persons, scores, _ in best
            for person in persons[scores >= weakest].tolist()
        }
        found = []
        for person in sorted(promising):
            scores = [self._score_of(person, *finger) for finger in best]
            held = [item for item in scores if item is not None]
            rate = fused_false_match_rate([self._rate(seen, *item) for item in held])
            if rate <= max_fmr:
                score, row = max(held)
                number = int(seen.rows["number"][row])
                found.append(Found(person, number, score, rate))
        return sorted(found, key=lambda item: (item.false_match_rate, -item.score))

    def _rate(self, seen: Snapshot, score: float, row: int) -> float:
        table = self._calibrations[bool(seen.rows["is_foreign"][row])]
        return table.false_match_rate(score)

    @staticmethod
    def _score_of(
        person: int,
        persons: Indices,
        scores: NDArray[np.float32],
        rows: Indices,
    ) -> tuple[float, int] | None:
        at = int(np.searchsorted(persons, person))
        if at == len(persons) or persons[at] != person:
            return None
        return float(scores[at]), int(rows[at])


def warm_up() -> None:
    """Compile now, if this machine never did: seconds that no search should wait."""
    nothing = FingerprintTemplate(
        position=FingerPosition.UNKNOWN,
        model_id="warm-up",
        width_px=200,
        height_px=200,
        x=np.zeros(0, np.int16),
        y=np.zeros(0, np.int16),
        angle_rad=np.zeros(0, np.float32),
        kind=np.zeros(0, np.uint8),
        quality=np.zeros(0, np.uint8),
    )
    reference = Reference("", "", Modality.FINGERPRINT, nothing.position, nothing)
    gallery = TemplateGallery()
    gallery.patch([NumberedReference(1, reference)])
    FingerprintSearch(gallery, committed()).search([nothing], 1.0)


@dataclass(eq=False)
class Finger:
    """rows: of the gallery. values: float32, votes and then scores of these rows."""

    packed: NDArray[np.uint16]
    rows: Indices
    values: NDArray[np.float32]


def zeros(rows: Indices) -> NDArray[np.float32]:
    return np.zeros(len(rows), np.float32)


def require_sense(probes: Sequence[FingerprintTemplate]) -> None:
    known = [probe.position for probe in probes if probe.position]
    if not probes or len(known) != len(set(known)):
        raise InputError(
            f"fingerprint search: {len(probes)} probes of positions"
            f" {[int(position) for position in known]}; give each finger once"
        )


def _single_limit(max_fmr: float, fingers: int) -> float:
    """Return the rate that the best finger must have if the fused rate is max_fmr.

    The fused rate is lowest, for a given best finger, when all have the same.
    """
    low, high = max_fmr, 1.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        if fused_false_match_rate([middle] * fingers) <= max_fmr:
            low = middle
        else:
            high = middle
    return high


def shortlist(seen: Snapshot, fingers: list[Finger]) -> tuple[Indices, int]:
    """Return the persons whose fingers together line up best, in rising order.

    And how many persons there were to choose from.

    Votes of a probe are counted in their standard deviations over the gallery, so that
    a finger with many minutiae does not outvote the others.
    """
    totals = np.full(seen.persons, _NO_VOTE, np.float32)
    for finger in fingers:
        votes = finger.values
        if not len(votes):
            continue
        spread = max(float(votes.std()), 1e-6)
        scaled = ((votes - votes.mean()) / spread).astype(np.float32)
        _add_best(seen.rows["person"][finger.rows], scaled, totals)
    persons = np.flatnonzero(totals > _NO_VOTE)
    share = SHORTLIST_SHARE.get(len(fingers), SHORTLIST_SHARE_OF_MORE)
    wanted = max(math.ceil(share * len(persons)), SHORTLIST_FEWEST)
    if wanted >= len(persons):
        return persons, len(persons)
    held = totals[persons]
    chosen = np.argpartition(-held, wanted)[:wanted]
    return np.sort(persons[chosen]), len(persons)


@compiled
def _add_best(
    persons: NDArray[np.uint32],
    votes: NDArray[np.float32],
    totals: NDArray[np.float32],
) -> None:
    """Add each person's best vote to its total; persons come in runs."""
    at = 0
    while at < len(persons):
        person = np.int64(persons[at])
        best = votes[at]
        at += 1
        while at < len(persons) and np.int64(persons[at]) == person:
            best = max(best, votes[at])
            at += 1
        if totals[person] == _NO_VOTE:
            totals[person] = best
        else:
            totals[person] += best


def best_of_persons(
    seen: Snapshot, finger: Finger
) -> tuple[Indices, NDArray[np.float32], Indices]:
    """Return persons in rising order, each one's highest score and its row."""
    persons = seen.rows["person"][finger.rows].astype(np.int64)
    order = np.lexsort((finger.rows, -finger.values, persons))
    first = np.r_[True, np.diff(persons[order]) > 0] if len(order) else order
    chosen = order[first]
    return persons[chosen], finger.values[chosen], finger.rows[chosen]


_of_this_thread = threading.local()


def _this_threads_vote() -> Vote:
    mine: Vote | None = getattr(_of_this_thread, "vote", None)
    if mine is None:
        mine = _of_this_thread.vote = new_vote()
    return mine
