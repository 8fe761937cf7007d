"""Who is in the gallery of a search benchmark, and who comes to be searched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.bench.finger import spread
from edge.errors import InputError
from edge.simulate.template_gallery import TemplateColumns, generate
from edge.simulate.template_impression import impression
from edge.terms import FingerPosition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.terms import FingerprintTemplate

    Probe = Sequence[FingerprintTemplate]

# In the order in which border systems ask for them: index fingers first.
POSITIONS = (2, 7, 3, 8, 1, 6, 4, 9, 5, 10)


@dataclass(frozen=True, eq=False)
class Cast:
    """A gallery, and searches of it.

    enrolled: template p * fingers + k is finger k of person p. mated: probes with the
    person each belongs to. strangers: probes of nobody in the gallery.
    """

    fingers: int
    enrolled: TemplateColumns
    mated: Sequence[tuple[int, Probe]]
    strangers: Sequence[Probe]

    @property
    def persons(self) -> int:
        return len(self.enrolled) // self.fingers


@dataclass(frozen=True, eq=False)
class RealPerson:
    """A person of real prints: one template a finger to enrol, and whole probes."""

    enrolled: Sequence[FingerprintTemplate]
    probes: Sequence[Probe]


def generated_cast(
    persons: int,
    fingers: int,
    probes: int,
    *,
    seed: int = 1,
    threads: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Cast:
    """Return generated persons; probes of them are other impressions of their fingers.

    As many strangers come as persons of the gallery, each once.

    Raises:
        InputError: a number is out of range.
    """
    _require(persons, fingers, probes)
    enrolled = _with_positions(
        generate(seed, persons * fingers, threads=threads, on_progress=on_progress),
        fingers,
    )
    absent = _with_positions(
        generate(seed, probes * fingers, threads=threads, first=persons * fingers),
        fingers,
    )
    chosen = spread(range(persons), probes)
    rng = np.random.default_rng([seed, persons, fingers])
    return Cast(
        fingers=fingers,
        enrolled=enrolled,
        mated=[(person, _probe(enrolled, person, fingers, rng)) for person in chosen],
        strangers=[_probe(absent, place, fingers, rng) for place in range(probes)],
    )


def planted(cast: Cast, real: Sequence[RealPerson], probes: int) -> Cast:
    """Return the cast with real persons among the generated ones.

    The mated searches are then those of the real persons alone, at most probes of
    them, evenly chosen. The strangers stay generated.

    Raises:
        InputError: a real person has another number of fingers than the cast.
    """
    if any(len(person.enrolled) != cast.fingers for person in real):
        raise InputError(f"real persons: each needs {cast.fingers} fingers")
    searches = [
        (cast.persons + place, probe)
        for place, person in enumerate(real)
        for probe in person.probes
    ]
    if not searches:
        raise InputError("real persons: none has a second impression to search with")
    templates = [template for person in real for template in person.enrolled]
    return replace(
        cast,
        enrolled=_with_positions(_followed_by(cast.enrolled, templates), cast.fingers),
        mated=spread(searches, probes),
    )


def real_persons(
    fingers: Sequence[Sequence[FingerprintTemplate]], fingers_each: int
) -> list[RealPerson]:
    """Return persons, each made of so many of the fingers that follow each other.

    fingers: the templates of each finger, of its first impression first: that one is
    enrolled, impression i of all fingers of a person together is a probe. Fingers that
    are left over, or have one impression only, are left out.
    """
    usable = [impressions for impressions in fingers if len(impressions) > 1]
    persons = []
    for start in range(0, len(usable) - fingers_each + 1, fingers_each):
        own = [
            [replace(t, position=FingerPosition(code)) for t in impressions]
            for code, impressions in zip(POSITIONS, usable[start:], strict=False)
        ][:fingers_each]
        first, *others = zip(*own, strict=False)
        persons.append(RealPerson(enrolled=first, probes=others))
    return persons


def _require(persons: int, fingers: int, probes: int) -> None:
    if not (1 <= fingers <= len(POSITIONS) and 1 <= probes <= persons):
        raise InputError(
            f"search benchmark: {persons} persons, {fingers} fingers, {probes} probes; "
            f"give 1 to {len(POSITIONS)} fingers and no more probes than persons"
        )


def _probe(
    columns: TemplateColumns, person: int, fingers: int, rng: np.random.Generator
) -> Probe:
    own = range(person * fingers, (person + 1) * fingers)
    return [impression(columns.template(i), rng) for i in own]


def _with_positions(columns: TemplateColumns, fingers: int) -> TemplateColumns:
    codes = np.array(POSITIONS[:fingers], np.uint8)
    return replace(columns, position=np.resize(codes, len(columns)))


def _followed_by(
    columns: TemplateColumns, templates: Sequence[FingerprintTemplate]
) -> TemplateColumns:
    counts = [len(template) for template in templates]
    ends = columns.offsets[-1] + np.cumsum(counts)
    return TemplateColumns(
        offsets=np.concatenate([columns.offsets, ends]).astype(np.int64),
        x=np.concatenate([columns.x, *(t.x for t in templates)]),
        y=np.concatenate([columns.y, *(t.y for t in templates)]),
        angle_rad=np.concatenate(
            [columns.angle_rad, *(t.angle_rad for t in templates)]
        ),
        kind=np.concatenate([columns.kind, *(t.kind for t in templates)]),
        quality=np.concatenate([columns.quality, *(t.quality for t in templates)]),
        width_px=np.append(
            columns.width_px, np.array([t.width_px for t in templates], np.int32)
        ),
        height_px=np.append(
            columns.height_px, np.array([t.height_px for t in templates], np.int32)
        ),
        position=np.append(
            columns.position, np.array([t.position for t in templates], np.uint8)
        ),
    )
