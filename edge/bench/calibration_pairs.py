"""Scores of non-mated pairs: of real prints, of invented ones and of both.

Compared are templates as our extractor makes them, and the same as another maker might
deliver them: sure minutiae only, through an ISO/IEC 19794-2:2005 record that says
nothing of their quality.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.bench.progress import Progress, mapped
from edge.errors import InputError
from edge.interchange.minutiae_formats import read_record, write_record
from edge.interchange.minutiae_record import QUALITY_NOT_REPORTED, RecordFormat
from edge.interchange.template_conversion import (
    FOREIGN_MODEL_ID,
    record_of,
    templates_of,
)
from edge.recognition.fingerprint.comparison import Work, compare_many, new_work
from edge.recognition.fingerprint.packed import pack
from edge.simulate.template_gallery import generate, impression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.fingerprint.training_set import TrainingPrint
    from edge.terms import FingerprintTemplate

    Numbers = NDArray[np.int32]

# A classical extractor delivers about as many minutiae as are this sure.
FOREIGN_QUALITY = 60
# Of most pairs with an invented print only the number is kept.
KEPT_FROM = 0.16


@dataclass(frozen=True, eq=False)
class Prints:
    """Packed templates (n, WORDS) of one source; int32 of each: finger, set, group.

    Fingers are numbered across all sets, invented ones after the real. Sets of one
    group share fingers.
    """

    packed: list[NDArray[np.uint16]]
    finger: Numbers
    of_set: Numbers
    group: Numbers

    def __len__(self) -> int:
        return len(self.packed)


@dataclass(frozen=True, eq=False)
class PairScores:
    """Non-mated scores of one kind of pairs.

    count: how many were compared; scores: float32 (kept,), those from kept_from on.
    first, second: int32 (kept,), the fingers. first_set, second_set: their sets.
    is_part: some of the pairs of another kind.
    """

    name: str
    count: int
    kept_from: float
    scores: NDArray[np.float32]
    first: Numbers
    second: Numbers
    first_set: Numbers
    second_set: Numbers
    is_part: bool = False

    def where(self, kept: NDArray[np.bool_], name: str | None = None) -> PairScores:
        """Return some of the pairs; only for pairs of which all scores were kept."""
        return PairScores(
            name or self.name,
            int(kept.sum()),
            self.kept_from,
            self.scores[kept],
            self.first[kept],
            self.second[kept],
            self.first_set[kept],
            self.second_set[kept],
            is_part=True,
        )

    def within_sets(self) -> PairScores:
        return self.where(self.first_set == self.second_set, f"{self.name} within sets")

    def without_set(self, number: int) -> PairScores:
        return self.where((self.first_set != number) & (self.second_set != number))

    def with_set(self, number: int) -> PairScores:
        return self.where((self.first_set == number) | (self.second_set == number))


def as_foreign(template: FingerprintTemplate) -> FingerprintTemplate:
    """Return the template as another maker's record would deliver it."""
    kept = template.quality >= FOREIGN_QUALITY
    record = record_of(
        replace(
            template,
            model_id=FOREIGN_MODEL_ID,
            x=template.x[kept],
            y=template.y[kept],
            angle_rad=template.angle_rad[kept],
            kind=template.kind[kept],
            quality=template.quality[kept],
        ),
        RecordFormat.ISO_2005,
    )
    view = record.views[0]
    silent = np.full(len(view.minutiae), QUALITY_NOT_REPORTED, np.uint8)
    view = replace(view, minutiae=replace(view.minutiae, quality=silent))
    data = write_record(replace(record, views=(view,)))
    return templates_of(read_record(data).record)[0]


def real_prints(
    prints: Sequence[TrainingPrint], same_fingers: Sequence[frozenset[str]]
) -> tuple[Prints, Prints]:
    """Return the prints as ours and as foreign; same_fingers: sets that share them."""
    names = sorted({item.set_name for item in prints})
    owner = {name: name for name in names}
    for sets in same_fingers:
        for name in sorted(sets & set(names)):
            owner[name] = owner[min(sets & set(names))]
    keys = [(owner[item.set_name], item.finger) for item in prints]
    number = {key: i for i, key in enumerate(sorted(set(keys)))}
    finger = np.array([number[key] for key in keys], np.int32)
    of_set = np.array([names.index(item.set_name) for item in prints], np.int32)
    group = np.array([names.index(name) for name, _ in keys], np.int32)
    return _both([item.template for item in prints], finger, of_set, group)


def invented_prints(
    seed: int, count: int, first_finger: int, threads: int
) -> tuple[Prints, Prints]:
    """Return prints of count invented fingers, as ours and as foreign.

    Every second one is another impression of its finger.
    """
    columns = generate(seed, count, threads=threads)
    rng = np.random.default_rng([seed, 2])
    templates = [columns.template(i) for i in range(count)]
    templates[::2] = [impression(template, rng) for template in templates[::2]]
    finger = np.arange(first_finger, first_finger + count, dtype=np.int32)
    nowhere = np.full(count, -1, np.int32)
    return _both(templates, finger, nowhere, nowhere)


def _both(
    templates: Sequence[FingerprintTemplate],
    finger: Numbers,
    of_set: Numbers,
    group: Numbers,
) -> tuple[Prints, Prints]:
    ours = [pack(template) for template in templates]
    foreign = [pack(as_foreign(template)) for template in templates]
    return (
        Prints(ours, finger, of_set, group),
        Prints(foreign, finger, of_set, group),
    )


@dataclass(frozen=True)
class Task:
    """How pairs are compared. is_half: of each two prints one direction only."""

    name: str
    is_half: bool
    kept_from: float
    threads: int
    progress: Progress


def compare_all(probes: Prints, references: Prints, task: Task) -> PairScores:
    """Compare every probe with the references of other fingers.

    Pairs across sets that share fingers are left out.

    Raises:
        InputError: there are no two fingers.
    """
    packed = np.concatenate(references.packed)
    sizes = np.array([len(one) for one in references.packed])
    extents = np.stack([np.cumsum(sizes) - sizes, sizes], axis=1).astype(np.uint32)
    own = threading.local()

    def row(i: int) -> tuple[int, NDArray[np.int64], NDArray[np.float32]]:
        if not hasattr(own, "work"):
            own.work = new_work()
        work: Work = own.work
        chosen = _strangers(probes, i, references)
        chosen = chosen[chosen > i] if task.is_half else chosen
        scores = np.zeros(len(chosen), np.float32)
        compare_many(probes.packed[i], packed, extents, chosen, scores, work)
        kept = scores >= task.kept_from
        return len(chosen), chosen[kept], scores[kept]

    rows = mapped(
        row,
        range(len(probes)),
        threads=task.threads,
        progress=task.progress,
        text=task.name,
    )
    count = sum(size for size, _, _ in rows)
    if not count:
        raise InputError(
            f"{task.name}: no pairs of different fingers; give more prints"
        )
    second = np.concatenate([chosen for _, chosen, _ in rows])
    first = np.repeat(np.arange(len(probes)), [len(chosen) for _, chosen, _ in rows])
    return PairScores(
        task.name,
        count,
        task.kept_from,
        np.concatenate([scores for _, _, scores in rows]),
        probes.finger[first],
        references.finger[second],
        probes.of_set[first],
        references.of_set[second],
    )


def _strangers(probes: Prints, i: int, references: Prints) -> NDArray[np.int64]:
    """Return the references of other fingers; none of another set of the group."""
    is_sibling = (references.group == probes.group[i]) & (
        references.of_set != probes.of_set[i]
    )
    is_stranger = references.finger != probes.finger[i]
    return np.flatnonzero(is_stranger & ~is_sibling).astype(np.int64)
