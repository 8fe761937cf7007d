"""Two prints to one score, by two kinds of evidence that fail on different pairs.

Descriptors of minutiae propose pairs that support each other (alignment); from the best
one the pairing grows over the whole print, following the skin (growth); what was found
and what was missed is weighed (evidence).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge.recognition.fingerprint.alignment import (
    Pairs,
    empty_pairs,
    propose,
    strongest,
    support,
)
from edge.recognition.fingerprint.compiled import kernel
from edge.recognition.fingerprint.cylinders import (
    CAPACITY,
    Print,
    derive,
    empty_print,
)
from edge.recognition.fingerprint.evidence import committed, weigh
from edge.recognition.fingerprint.growth import Pairing, empty_pairing, grow
from edge.recognition.fingerprint.packed import WORDS, pack
from edge.recognition.fingerprint.workspace import apart
from edge.terms import FingerPosition, FingerprintTemplate

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Fewer minutiae than this agree with too many fingers to say anything.
FEWEST_MINUTIAE = 5
# Scores below are of comparisons that were given up for lack of support.
GIVEN_UP_BELOW = 0.1
_GIVEN_UP_BELOW = np.float32(GIVEN_UP_BELOW)
_ZERO, _ONE = np.float32(0), np.float32(1)


class Work(NamedTuple):
    """What one thread needs to compare."""

    probe: Print
    reference: Print
    place: NDArray[np.int32]
    pairs: Pairs
    pairing: Pairing
    model: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A template ready to be compared. packed: uint16 (n, WORDS)."""

    packed: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.packed)


def prepare(template: FingerprintTemplate) -> Prepared:
    return Prepared(pack(template))


def compare(probe: Prepared, reference: Prepared) -> float:
    """Return how alike two prints are, 0 to 1; symmetric and deterministic.

    The value means nothing without its false match rate: see calibration.
    """
    scores = np.zeros(1, np.float32)
    extents = np.array([[0, len(reference)]], np.uint32)
    compare_many(
        probe.packed, reference.packed, extents, np.zeros(1, np.int64), scores, work()
    )
    return float(scores[0])


def correspondences(probe: Prepared, reference: Prepared) -> list[tuple[int, int]]:
    """Return indices of the minutiae that carry the score, best placed first.

    Indices count the minutiae of the prepared templates. Empty if the comparison was
    given up.
    """
    mine = work()
    if min(len(probe), len(reference)) < FEWEST_MINUTIAE:
        return []
    derive(probe.packed, len(probe), mine.probe, mine.place)
    derive(reference.packed, len(reference), mine.reference, mine.place)
    is_swapped = not comes_first(probe.packed, reference.packed)
    sides = [(mine.probe, len(probe)), (mine.reference, len(reference))]
    (a, n), (b, m) = sides[::-1] if is_swapped else sides
    if score(a, n, b, m, mine) < GIVEN_UP_BELOW:
        return []
    pairing = mine.pairing
    found = sorted(
        (float(pairing.off[i]), i, int(pairing.of_a[i]))
        for i in range(n)
        if pairing.of_a[i] >= 0
    )
    return [(j, i) if is_swapped else (i, j) for _, i, j in found]


def measures_of(probe: Prepared, reference: Prepared) -> NDArray[np.float32] | None:
    """Return the measures of a comparison, float32 (n,), None if it was given up."""
    value = compare(probe, reference)
    return None if value < GIVEN_UP_BELOW else work().pairing.measures.copy()


def warm_up() -> None:
    """Compile now, if this machine never did: seconds that no capture should wait."""
    spread = np.arange(24)
    invented = FingerprintTemplate(
        position=FingerPosition.UNKNOWN,
        model_id="warm-up",
        width_px=200,
        height_px=200,
        x=(spread * 37 % 190).astype(np.int16),
        y=(spread * 53 % 190).astype(np.int16),
        angle_rad=spread.astype(np.float32) % 6,
        kind=np.ones(24, np.uint8),
        quality=np.full(24, 90, np.uint8),
    )
    prepared = prepare(invented)
    compare(prepared, prepared)
    correspondences(prepared, prepared)


_of_this_thread = threading.local()


def new_work(model: NDArray[np.float32] | None = None) -> Work:
    """Return a workspace; one thread at a time may use it.

    Raises:
        ModelError: the weights in the package are missing or damaged.
    """
    return apart(
        Work(
            probe=empty_print(),
            reference=empty_print(),
            place=np.zeros(CAPACITY, np.int32),
            pairs=empty_pairs(),
            pairing=empty_pairing(),
            model=committed().row() if model is None else model,
        )
    )


def work() -> Work:
    """Return this thread's workspace.

    Raises:
        ModelError: the weights in the package are missing or damaged.
    """
    mine: Work | None = getattr(_of_this_thread, "work", None)
    if mine is None:
        mine = _of_this_thread.work = new_work()
    return mine


def set_work(own: Work | None) -> None:
    """Let this thread compare with another workspace, or with a fresh one if None."""
    _of_this_thread.work = own


@kernel
def compare_many(
    probe: NDArray[np.uint16],
    packed: NDArray[np.uint16],
    extents: NDArray[np.uint32],
    chosen: NDArray[np.int64],
    scores: NDArray[np.float32],
    work: Work,
) -> None:
    """Fill scores (k,) of the probe against the chosen (k,) of many references.

    probe: uint16 (n, WORDS). packed: uint16 (all minutiae, WORDS). extents: uint32
    (references, 2), first minutia and count of each.
    """
    n = len(probe)
    derive(probe, n, work.probe, work.place)
    for c in range(len(chosen)):
        # Signed: unsigned numbers mixed with signed ones would become floats.
        start = int(np.int64(extents[chosen[c], 0]))
        m = int(np.int64(extents[chosen[c], 1]))
        scores[c] = _ZERO
        if min(n, m) < FEWEST_MINUTIAE:
            continue
        reference = packed[start : start + m]
        derive(reference, m, work.reference, work.place)
        if comes_first(probe, reference):
            scores[c] = score(work.probe, n, work.reference, m, work)
        else:
            scores[c] = score(work.reference, m, work.probe, n, work)


@kernel
def comes_first(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> bool:
    """One order of any two prints, so that a comparison is symmetric."""
    if len(a) != len(b):
        return len(a) < len(b)
    for i in range(len(a)):
        for word in range(WORDS):
            if a[i, word] != b[i, word]:
                return bool(a[i, word] < b[i, word])
    return True


@kernel
def score(a: Print, n: int, b: Print, m: int, work: Work) -> np.float32:
    """Return the score of two derived prints in order; see comes_first."""
    model = work.model
    count = propose(a, n, b, m, work.pairs)
    supported = support(a, n, b, m, work.pairs, count)
    if supported < model[0]:
        return np.float32(_GIVEN_UP_BELOW * supported / model[0])
    best = strongest(work.pairs, count)
    first = (work.pairs.row[best], work.pairs.column[best])
    grow(a, n, b, m, first, work.pairing)
    weigh(a, n, b, m, supported, work.pairs, work.pairing)
    total = model[3]
    for k in range(len(work.pairing.measures)):
        total += model[4 + k] * work.pairing.measures[k]
    share = (total - model[1]) / (model[2] - model[1])
    share = min(max(share, _ZERO), _ONE)
    return np.float32(_GIVEN_UP_BELOW + (_ONE - _GIVEN_UP_BELOW) * share)
