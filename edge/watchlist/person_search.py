"""Search for one person by all samples: fingers and face to one candidate list.

    rare        entries of whom one sample is so rare that the others can make it enough
    compare     every sample with each of these, also where it alone says little
    fuse        one likelihood ratio and one false match rate of each
    limits      who is referred, who is nearly so

An entry that no sample finds cannot be enough with all of them together: the rarity
that the rarest must have follows from the limits. Where faces cannot be searched among
all entries they speak for and against those that the fingers find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from edge.errors import InputError
from edge.ports import Identification
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceTemplate,
    FingerPosition,
    FingerprintTemplate,
    Modality,
    SampleEvidence,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from edge.terms import Template, WatchlistEntry

Examined = TypeVar("Examined")

# What a sample says, and its kind.
Said = tuple[SampleEvidence, str]
# No evidence is enough: nobody is this rare.
RAREST = 1e-300


class FingerMatch(Protocol):
    """probe: its place among the probes. number: of the most similar reference."""

    @property
    def probe(self) -> int: ...

    @property
    def number(self) -> int: ...

    @property
    def score(self) -> float: ...

    @property
    def false_match_rate(self) -> float: ...

    @property
    def false_match_rate_of_best(self) -> float: ...


class FingerprintGallery(Protocol[Examined]):
    def examine(
        self, probes: Sequence[FingerprintTemplate], before: Examined | None
    ) -> Examined: ...

    def rare_numbers(self, examined: Examined, max_fmr: float) -> list[int]:
        """Return a reference of each person with a finger that rare."""
        ...

    def evidence(
        self, examined: Examined, numbers: Sequence[int]
    ) -> Sequence[FingerMatch]:
        """Return each probe against the persons of these references."""
        ...


class FaceMatch(Protocol):
    @property
    def best(self) -> Candidate: ...

    @property
    def false_match_rate_of_best(self) -> float: ...


class FaceGallery(Protocol):
    def require_carried(self) -> None:
        """Raise InputError if faces cannot be searched among all."""
        ...

    def rare_entries(self, probe: FaceTemplate, max_fmr: float) -> list[str]: ...

    def evidence(
        self, probe: FaceTemplate, entry_ids: Collection[str]
    ) -> Sequence[FaceMatch]: ...


class Rules(Protocol):
    """How evidence is fused, and how rare it must be; kinds: one for each sample."""

    def kind_of(self, template: Template) -> str: ...

    def log_ratio(self, kind: str, false_match_rate: float) -> float: ...

    def false_match_rate(self, kinds: Sequence[str], log_ratio: float) -> float: ...

    def least_rarity(self, kinds: Sequence[str], false_match_rate: float) -> float: ...

    def referred_at(self, kinds: Sequence[str], persons: int, share: float) -> float:
        """Return the highest false match rate of a candidate to refer."""
        ...

    def open_at(self, persons: int) -> float:
        """Return the one up to which another sample is worth asking for."""
        ...


class Entries(Protocol):
    def entry(self, entry_id: str) -> WatchlistEntry | None: ...

    def size(self) -> int: ...


class ReferenceOwners(Protocol):
    def owners(self, numbers: Sequence[int]) -> Mapping[int, tuple[str, str]]: ...

    def numbers_of(
        self, modality: Modality, entry_ids: Sequence[str]
    ) -> Sequence[int]: ...


class PersonSearch(Generic[Examined]):
    """Implements edge.ports.PersonSearch. Belongs to the thread of its sources."""

    def __init__(
        self,
        entries: Entries,
        references: ReferenceOwners,
        fingerprints: FingerprintGallery[Examined],
        faces: FaceGallery,
        rules: Rules,
    ) -> None:
        self._entries = entries
        self._references = references
        self._fingerprints = fingerprints
        self._faces = faces
        self._rules = rules
        self._fingers: list[FingerprintTemplate] = []
        self._face: FaceTemplate | None = None
        self._examined: Examined | None = None

    def look(self, probes: Sequence[Template], *, share: float) -> Identification:
        """Search with these probes and all before them; see edge.ports."""
        self._add(probes)
        kinds = [self._rules.kind_of(probe) for probe in self._probes()]
        if not kinds:
            message = "watchlist search: no probe; give at least one"
            raise InputError(message)
        persons = self._entries.size()
        limits = [self._rules.referred_at([kind], persons, share) for kind in kinds]
        limits.append(self._rules.referred_at(kinds, persons, share))
        widest = max(*limits, self._rules.open_at(persons))
        rarest = self._rules.least_rarity(kinds, widest)
        by_entry, unsearched = self._evidence(max(10.0**-rarest, RAREST))
        newest = {_sample(probe) for probe in probes}
        referred, is_open = [], False
        for entry_id, evidence in by_entry.items():
            enough = self._enough(evidence, persons, share)
            is_near = self._rate_of(evidence) <= self._rules.open_at(persons)
            if enough is None and not is_near:
                continue
            if self._entries.entry(entry_id) is None:
                continue
            if enough is None:
                is_open = True
            else:
                referred.append(self._candidate(entry_id, evidence, enough, newest))
        referred.sort(key=lambda c: (c.score.false_match_rate, -_total(c), c.entry_id))
        return Identification(tuple(referred), is_open, unsearched)

    def _enough(
        self, evidence: Sequence[Said], persons: int, share: float
    ) -> float | None:
        """Return the false match rate by which to refer somebody, None if by none.

        That of all samples together; else that of the fingers or the face alone. Who
        presents another's finger, or changes the face, is still found by the other.
        """
        fingers = [item for item in evidence if _is_finger(item)]
        face = [item for item in evidence if not _is_finger(item)]
        for chosen in (evidence, *sorted((fingers, face), key=self._rate_of)):
            limit = self._rules.referred_at([k for _, k in chosen], persons, share)
            if chosen and (rate := self._rate_of(chosen)) <= limit:
                return rate
        return None

    def _rate_of(self, evidence: Sequence[Said]) -> float:
        total = sum(sample.log10_ratio for sample, _ in evidence)
        return self._rules.false_match_rate([kind for _, kind in evidence], total)

    def _add(self, probes: Sequence[Template]) -> None:
        faces = [probe for probe in probes if isinstance(probe, FaceTemplate)]
        if len(faces) > (self._face is None):
            message = "watchlist search: two faces of one person; give one"
            raise InputError(message)
        fingers = [p for p in probes if isinstance(p, FingerprintTemplate)]
        if fingers:
            together = [*self._fingers, *fingers]
            self._examined = self._fingerprints.examine(together, self._examined)
            self._fingers = together
        self._face = faces[0] if faces else self._face

    def _probes(self) -> list[Template]:
        return [*self._fingers, *([] if self._face is None else [self._face])]

    def _evidence(
        self, max_fmr: float
    ) -> tuple[dict[str, list[Said]], frozenset[Modality]]:
        """Return what each sample says of every entry that may be enough, by entry.

        And the modalities that could not be searched among all.
        """
        unsearched: frozenset[Modality] = frozenset()
        found_by_face: list[str] = []
        if self._face is not None:
            try:
                self._faces.require_carried()
                found_by_face = self._faces.rare_entries(self._face, max_fmr)
            except InputError:
                unsearched = frozenset({Modality.FACE})
        by_entry: dict[str, list[Said]] = {}
        for entry_id, item in self._of_fingers(max_fmr, found_by_face):
            by_entry.setdefault(entry_id, []).append(item)
        asked = {*by_entry, *found_by_face}
        for entry_id, item in self._of_face(asked):
            by_entry.setdefault(entry_id, []).append(item)
        return dict(sorted(by_entry.items())), unsearched

    def _of_fingers(
        self, max_fmr: float, others: Sequence[str]
    ) -> list[tuple[str, Said]]:
        if self._examined is None:
            return []
        numbers = {
            *self._fingerprints.rare_numbers(self._examined, max_fmr),
            *self._references.numbers_of(Modality.FINGERPRINT, others),
        }
        matches = self._fingerprints.evidence(self._examined, sorted(numbers))
        owners = self._references.owners(sorted({m.number for m in matches}))
        # Of one sample an entry has one comparison: evidence must not count twice.
        best: dict[tuple[str, int], FingerMatch] = {}
        for match in matches:
            # Its reference may have been withdrawn meanwhile.
            entry_id, _ = owners.get(match.number, ("", ""))
            rival = best.get((entry_id, match.probe))
            rate = match.false_match_rate_of_best
            if entry_id and (rival is None or rate < rival.false_match_rate_of_best):
                best[entry_id, match.probe] = match
        return [
            (
                entry_id,
                self._said(
                    self._fingers[probe],
                    owners[match.number][1],
                    ComparisonScore(match.score, match.false_match_rate),
                    match.false_match_rate_of_best,
                ),
            )
            for (entry_id, probe), match in sorted(
                best.items(), key=lambda item: item[0]
            )
        ]

    def _of_face(self, entry_ids: Collection[str]) -> list[tuple[str, Said]]:
        probe = self._face
        if probe is None:
            return []
        try:
            matches = self._faces.evidence(probe, entry_ids)
        except InputError:
            return []
        return [
            (
                match.best.entry_id,
                self._said(
                    probe,
                    match.best.reference_id,
                    match.best.score,
                    match.false_match_rate_of_best,
                ),
            )
            for match in matches
        ]

    def _said(
        self, probe: Template, reference_id: str, score: ComparisonScore, rate: float
    ) -> Said:
        kind = self._rules.kind_of(probe)
        ratio = self._rules.log_ratio(kind, rate)
        sample = SampleEvidence(*_sample(probe), reference_id, score, ratio)
        return sample, kind

    def _candidate(
        self,
        entry_id: str,
        evidence: Sequence[Said],
        rate: float,
        newest: Collection[tuple[Modality, FingerPosition]],
    ) -> Candidate:
        best = max((sample for sample, _ in evidence), key=lambda s: s.log10_ratio)
        return Candidate(
            entry_id=entry_id,
            reference_id=best.reference_id,
            modality=best.modality,
            position=best.position,
            score=ComparisonScore(best.score.value, rate),
            samples=_marked([sample for sample, _ in evidence], newest),
        )


def _marked(
    samples: Sequence[SampleEvidence],
    newest: Collection[tuple[Modality, FingerPosition]],
) -> tuple[SampleEvidence, ...]:
    """Mark the sample that decides: the strongest of the last look's.

    What was enough before would have been referred before.
    """
    last = [s for s in samples if (s.modality, s.position) in newest] or samples
    deciding = max(last, key=lambda sample: sample.log10_ratio)
    return tuple(
        SampleEvidence(
            *(sample.modality, sample.position, sample.reference_id, sample.score),
            sample.log10_ratio,
            is_deciding=sample is deciding,
        )
        for sample in samples
    )


def _sample(probe: Template) -> tuple[Modality, FingerPosition]:
    if isinstance(probe, FaceTemplate):
        return Modality.FACE, FingerPosition.UNKNOWN
    return Modality.FINGERPRINT, probe.position


def _is_finger(said: Said) -> bool:
    return said[0].modality is Modality.FINGERPRINT


def _total(candidate: Candidate) -> float:
    return sum(sample.log10_ratio for sample in candidate.samples)
