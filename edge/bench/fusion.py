"""Fused decisions against fingers alone, on subjects made of two sets.

A simulated subject is a finger of one set and a person of another, paired at random;
that is as independent as finger and face of one person are taken to be. Each subject is
enrolled with one print and one image; every other print, with another image at random,
is a search: mated with the subject on the list, non-mated with the subject left out of
it. Each print is enrolled in turn, and the pairing is drawn again several times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.bench.error_rates import PairScores
from edge.errors import InputError
from edge.recognition.false_positives import rate_of_one
from edge.recognition.likelihood import rarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.bench.progress import Progress
    from edge.recognition.evidence_fusion import EvidenceFusion

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

FPIRS = {"1e-2": 1e-2, "1e-3": 1e-3}
# The list and the target at which the stated rates are tried.
COUNTRY, COUNTRY_FPIR = 180_000, 1e-3
STATED = (1e-1, 1e-2, 1e-3, 1e-4)
DRAWS, SEED = 1000, 17
WAYS = ("fingers", "face", "fused")


@dataclass(frozen=True, eq=False)
class Samples:
    """One modality. kind: of comparison. owners: of each sample.

    rates: float64 (n, n), the false match rate of each pair; 1 where a sample gave no
    template, which is_usable tells, bool (n,). is_probe: bool (n,), what is presented.
    """

    kind: str
    owners: Sequence[str]
    rates: Floats
    is_usable: NDArray[np.bool_]
    is_probe: NDArray[np.bool_]

    def of(self, owner: str) -> Places:
        return np.flatnonzero(np.array(self.owners) == owner)


@dataclass(frozen=True)
class FusionPlan:
    """persons: at most so many subjects. pairings: how often they are drawn."""

    persons: int
    pairings: int
    progress: Progress


@dataclass(eq=False)
class Searches:
    """One row a search: the finger it is of, the pairing, and by way its evidence.

    mated, strangers: of the subject itself, and the best of all others. Fingers and
    face count in decades of rarity, fused in log10 LR.
    """

    fingers: list[str] = field(default_factory=list)
    pairings: list[int] = field(default_factory=list)
    mated: list[Floats] = field(default_factory=list)
    strangers: list[Floats] = field(default_factory=list)
    pair_sums: list[Floats] = field(default_factory=list)


def measure(
    fingers: Samples, faces: Samples, fusion: EvidenceFusion, plan: FusionPlan
) -> dict[str, Any]:
    """Return the benchmark's keys, ready for JSON.

    Raises:
        InputError: there are no two subjects with two samples of each kind.
    """
    found = _searched(fingers, faces, fusion, plan)
    mated, strangers = np.array(found.mated), np.array(found.strangers)
    pairs = {
        way: PairScores(mated[:, at], strangers[:, at]) for at, way in enumerate(WAYS)
    }
    missed = {
        name: {
            way: mated[:, at] < pairs[way].threshold_at(rate)
            for at, way in enumerate(WAYS)
        }
        for name, rate in FPIRS.items()
    }
    kinds = (fingers.kind, faces.kind)
    country = _at_stated_rates(mated, kinds, fusion)
    return {
        "subjects": len(set(found.fingers)),
        "pairings": plan.pairings,
        "mated_searches": len(mated),
        "stranger_searches": len(strangers),
        "fnir_at_fpir": {
            name: {way: _rate(lost, found) for way, lost in ways.items()}
            for name, ways in missed.items()
        },
        "fnir_at_stated_rates": {
            "persons": COUNTRY,
            "fpir": COUNTRY_FPIR,
            **{way: _rate(lost, found) for way, lost in country.items()},
        },
        "non_mated_pairs": {
            "pairs": sum(map(len, found.pair_sums)),
            "observed_to_stated": _observed(found, kinds, fusion),
        },
    }


def _searched(
    fingers: Samples, faces: Samples, fusion: EvidenceFusion, plan: FusionPlan
) -> Searches:
    names, people = _with_two(fingers), _with_two(faces)
    count = min(plan.persons, len(names), len(people))
    if count < 2:
        raise InputError(
            f"{len(names)} fingers and {len(people)} persons with two samples: a"
            " simulated subject needs both, and there must be two subjects"
        )
    booth = _Booth(fingers, faces, fusion)
    for pairing in range(plan.pairings):
        plan.progress.step("pairing", pairing, plan.pairings)
        chosen = booth.rng.permutation(len(names))[:count]
        with_them = booth.rng.permutation(len(people))[:count]
        booth.search_all(
            pairing,
            [names[place] for place in chosen],
            [people[place] for place in with_them],
        )
    plan.progress.step("pairing", plan.pairings, plan.pairings)
    return booth.found


class _Booth:
    """Enrols and searches the subjects of one pairing after the other."""

    def __init__(
        self, fingers: Samples, faces: Samples, fusion: EvidenceFusion
    ) -> None:
        self._fingers, self._faces = fingers, faces
        self._of_fingers = _log_ratios(fingers, fusion)
        self._of_faces = _log_ratios(faces, fusion)
        self.rng = np.random.default_rng(SEED)
        self.found = Searches()

    def search_all(
        self, pairing: int, names: Sequence[str], people: Sequence[str]
    ) -> None:
        """Enrol each print of each subject in turn, search with all its others."""
        prints = [self._fingers.of(name) for name in names]
        images = [self._faces.of(person) for person in people]
        for turn in range(max(map(len, prints))):
            enrolled = (
                np.array([places[turn % len(places)] for places in prints]),
                np.array([places[turn % len(places)] for places in images]),
            )
            for subject, name in enumerate(names):
                presented = prints[subject][self._fingers.is_probe[prints[subject]]]
                others = images[subject][images[subject] != enrolled[1][subject]]
                for place in presented[presented != enrolled[0][subject]]:
                    probe = (int(place), int(self.rng.choice(others)))
                    self._search(subject, probe, enrolled)
                    self.found.fingers.append(name)
                    self.found.pairings.append(pairing)

    def _search(
        self, subject: int, probe: tuple[int, int], enrolled: tuple[Places, Places]
    ) -> None:
        of_finger, of_face = self._of_fingers[probe[0]], self._of_faces[probe[1]]
        sums = of_finger[enrolled[0]] + of_face[enrolled[1]]
        rows = np.stack(
            [
                _rarities(self._fingers.rates[probe[0], enrolled[0]]),
                _rarities(self._faces.rates[probe[1], enrolled[1]]),
                sums,
            ]
        )
        is_other = np.arange(len(sums)) != subject
        self.found.mated.append(rows[:, subject])
        self.found.strangers.append(rows[:, is_other].max(axis=1))
        self.found.pair_sums.append(sums[is_other])


def _log_ratios(samples: Samples, fusion: EvidenceFusion) -> Floats:
    """Return log10 LR of each pair; a sample without a template says nothing."""
    table = np.frompyfunc(lambda rate: fusion.log_ratio(samples.kind, rate), 1, 1)
    ratios = np.asarray(table(samples.rates), np.float64)
    is_said = samples.is_usable[:, None] & samples.is_usable
    return np.where(is_said, ratios, 0.0)


def _rarities(rates: Floats) -> Floats:
    return np.maximum(0.0, -np.log10(np.maximum(rates, 1e-300)))


def _with_two(samples: Samples) -> list[str]:
    return [
        owner for owner in dict.fromkeys(samples.owners) if len(samples.of(owner)) > 1
    ]


def _at_stated_rates(
    mated: Floats, kinds: tuple[str, str], fusion: EvidenceFusion
) -> dict[str, NDArray[np.bool_]]:
    """Return which searches are missed at the rate that the list asks for.

    sequential: as a check does it: fingers first, then all together or the face alone;
    each of these spends a third.
    """
    limit = rate_of_one(COUNTRY_FPIR, COUNTRY)
    part = rate_of_one(COUNTRY_FPIR / 3, COUNTRY)
    sums = mated[:, 2]

    def fused(most: float) -> NDArray[np.bool_]:
        rates = [fusion.false_match_rate(kinds, float(total)) for total in sums]
        return np.array(rates) > most

    return {
        "fingers": mated[:, 0] < rarity(limit),
        "face": mated[:, 1] < rarity(limit),
        "fused": fused(limit),
        "sequential": (mated[:, :2].max(axis=1) < rarity(part)) & fused(part),
    }


def _rate(is_missed: NDArray[np.bool_], found: Searches) -> dict[str, float]:
    """Return the share, its median over pairings, and a 95 % interval by finger."""
    pairing = np.array(found.pairings)
    each = [float(is_missed[pairing == at].mean()) for at in np.unique(pairing)]
    names = np.unique(found.fingers, return_inverse=True)[1]
    lost = np.bincount(names, is_missed)
    counts = np.bincount(names)
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(counts), (DRAWS, len(counts)))
    shares = lost[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(shares, (2.5, 97.5))
    return {
        "fnir": float(is_missed.mean()),
        "median": float(np.median(each)),
        "low": float(low),
        "high": float(high),
    }


def _observed(
    found: Searches, kinds: tuple[str, str], fusion: EvidenceFusion
) -> dict[str, float]:
    """Return how often non-mated pairs are as rare as stated, over the statement."""
    sums = np.concatenate(found.pair_sums)
    levels = np.unique(np.round(sums, 2))
    stated = np.array([fusion.false_match_rate(kinds, float(v)) for v in levels])
    rates = np.interp(sums, levels, stated)
    return {f"{rate:g}": float((rates <= rate).mean() / rate) for rate in STATED}
