"""One-to-many search over the watchlist as it stands now.

The galleries are kept in step by edge.watchlist.live, on another thread; a search takes
them as they are. How samples are searched together is in person_search. Entries are
asked for one by one, when they are found; one withdrawn meanwhile or outside its
validity is never a candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol

from edge.errors import InputError
from edge.watchlist.person_search import Examined, PersonSearch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from edge.clock import Clock
    from edge.terms import Candidate, Template, WatchlistEntry
    from edge.watchlist.person_search import (
        FaceGallery,
        FingerprintGallery,
        ReferenceOwners,
        Rules,
    )


class EntrySource(Protocol):
    def entry(self, entry_id: str) -> WatchlistEntry | None: ...

    def count_valid(self, at: datetime) -> int: ...


class WatchlistIndex(Generic[Examined]):
    """Implements edge.ports.WatchlistSearch. Belongs to the thread of its sources."""

    def __init__(
        self,
        entries: EntrySource,
        references: ReferenceOwners,
        fingerprints: FingerprintGallery[Examined],
        faces: FaceGallery,
        rules: Rules,
        clock: Clock,
    ) -> None:
        self._entries = entries
        self._references = references
        self._fingerprints = fingerprints
        self._faces = faces
        self._rules = rules
        self._clock = clock

    def begin(self) -> PersonSearch[Examined]:
        """Begin the search for one person."""
        return PersonSearch(
            self, self._references, self._fingerprints, self._faces, self._rules
        )

    def search(self, probes: Sequence[Template]) -> Sequence[Candidate]:
        """Return the candidates of one look with all probes of a person.

        Raises:
            InputError: no probe, several faces, or fingers of one position; faces that
                cannot be searched among so many.
            StoreError: the watchlist cannot be read.
        """
        found = self.begin().look(probes, share=1.0)
        if found.unsearched:
            names = ", ".join(sorted(found.unsearched))
            message = f"watchlist search: {names} cannot be searched among all entries"
            raise InputError(message)
        return found.candidates

    def entry(self, entry_id: str) -> WatchlistEntry | None:
        """Return the entry if it is on the watchlist and valid now."""
        entry = self._entries.entry(entry_id)
        if entry is None or entry.valid_from > (now := self._clock.now()):
            return None
        is_over = entry.expires_at is not None and entry.expires_at <= now
        return None if is_over else entry

    def size(self) -> int:
        return self._entries.count_valid(self._clock.now())
