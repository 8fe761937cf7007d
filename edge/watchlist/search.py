"""One-to-many search over the watchlist as it stands now.

The galleries are kept in step by edge.watchlist.live, on another thread; a search takes
them as they are. References of one modality that cannot be compared do not keep the
other from being searched. Entries are asked for one by one, when they are found; one
withdrawn meanwhile or outside its validity is never a candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.errors import InputError
from edge.terms import (
    Candidate,
    ComparisonScore,
    FaceTemplate,
    FingerprintTemplate,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge.clock import Clock
    from edge.terms import Reference, Template, WatchlistEntry


class FoundPerson(Protocol):
    """number: of the reference that is most alike, with its score."""

    @property
    def number(self) -> int: ...

    @property
    def score(self) -> float: ...

    @property
    def false_match_rate(self) -> float:
        """Of all probes together."""
        ...


class FingerprintGallery(Protocol):
    def search(self, probes: Sequence[FingerprintTemplate]) -> Sequence[FoundPerson]:
        """Return the persons at or below the false match rate, the least first."""
        ...


class FaceGallery(Protocol):
    def search(self, probe: FaceTemplate) -> Sequence[Candidate]:
        """Return the candidates at or above the threshold, best first."""
        ...


class EntrySource(Protocol):
    def entry(self, entry_id: str) -> WatchlistEntry | None: ...

    def count_valid(self, at: datetime) -> int: ...


class SearchedReferences(Protocol):
    def reference(self, number: int) -> Reference | None: ...


class WatchlistIndex:
    """Implements edge.ports.WatchlistSearch. Belongs to the thread of its sources."""

    def __init__(
        self,
        entries: EntrySource,
        references: SearchedReferences,
        fingerprints: FingerprintGallery,
        faces: FaceGallery,
        clock: Clock,
    ) -> None:
        self._entries = entries
        self._references = references
        self._fingerprints = fingerprints
        self._faces = faces
        self._clock = clock

    def search(self, probes: Sequence[Template]) -> list[Candidate]:
        """Return valid entries' candidates, one an entry, best first.

        Raises:
            InputError: no probe, probes of two modalities, several faces, or probes
                that cannot be compared with the references.
            StoreError: the watchlist cannot be read.
        """
        best: dict[str, Candidate] = {}
        for candidate in self._candidates(probes):
            is_new = candidate.entry_id not in best
            if is_new and self.entry(candidate.entry_id) is not None:
                best[candidate.entry_id] = candidate
        return list(best.values())

    def entry(self, entry_id: str) -> WatchlistEntry | None:
        """Return the entry if it is on the watchlist and valid now."""
        entry = self._entries.entry(entry_id)
        if entry is None or entry.valid_from > (now := self._clock.now()):
            return None
        is_over = entry.expires_at is not None and entry.expires_at <= now
        return None if is_over else entry

    def size(self) -> int:
        return self._entries.count_valid(self._clock.now())

    def _candidates(self, probes: Sequence[Template]) -> Sequence[Candidate]:
        fingers = [p for p in probes if isinstance(p, FingerprintTemplate)]
        faces = [p for p in probes if isinstance(p, FaceTemplate)]
        if fingers and not faces:
            found = [self._candidate(p) for p in self._fingerprints.search(fingers)]
            return [candidate for candidate in found if candidate is not None]
        if len(faces) == 1 and not fingers:
            return self._faces.search(faces[0])
        raise InputError(
            f"watchlist search: {len(fingers)} fingers and {len(faces)} faces at once;"
            " search with the fingers of a person or with one face"
        )

    def _candidate(self, found: FoundPerson) -> Candidate | None:
        """Return the candidate, None if its reference was withdrawn meanwhile."""
        reference = self._references.reference(found.number)
        if reference is None:
            return None
        return Candidate(
            entry_id=reference.entry_id,
            reference_id=reference.reference_id,
            modality=reference.modality,
            position=reference.position,
            score=ComparisonScore(found.score, found.false_match_rate),
        )
