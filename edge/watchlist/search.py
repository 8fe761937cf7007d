"""One-to-many search over the watchlist as it stands now.

Galleries are built from the stored references and rebuilt when the watchlist's revision
has moved. An entry outside its validity is never a candidate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.terms import FaceTemplate, Modality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge.clock import Clock
    from edge.terms import Candidate, Reference, Template, WatchlistEntry


class Gallery(Protocol):
    def search(self, probe: Template) -> Sequence[Candidate]:
        """Return the candidates at or above the threshold, best first."""
        ...


class WatchlistSource(Protocol):
    def revision(self) -> int: ...

    def entries(self) -> Sequence[WatchlistEntry]: ...

    def references(self) -> Sequence[Reference]: ...


class WatchlistIndex:
    """Implements edge.ports.WatchlistSearch. Belongs to one thread."""

    def __init__(
        self,
        source: WatchlistSource,
        factories: Mapping[Modality, Callable[[Sequence[Reference]], Gallery]],
        clock: Clock,
    ) -> None:
        self._source = source
        self._factories = factories
        self._clock = clock
        self._revision: int | None = None
        self._entries: dict[str, WatchlistEntry] = {}
        self._galleries: dict[Modality, Gallery] = {}

    def search(self, probe: Template) -> list[Candidate]:
        """Return valid entries' candidates, the best of each entry, best first.

        Raises:
            StoreError: the watchlist cannot be read.
        """
        self._refresh()
        is_face = isinstance(probe, FaceTemplate)
        modality = Modality.FACE if is_face else Modality.FINGERPRINT
        best: dict[str, Candidate] = {}
        for candidate in self._galleries[modality].search(probe):
            if self.entry(candidate.entry_id) is not None:
                best.setdefault(candidate.entry_id, candidate)
        return list(best.values())

    def entry(self, entry_id: str) -> WatchlistEntry | None:
        """Return the entry if it is on the watchlist and valid now."""
        entry = self._entries.get(entry_id)
        return entry if entry is not None and self._is_valid(entry) else None

    def size(self) -> int:
        self._refresh()
        return sum(self._is_valid(entry) for entry in self._entries.values())

    def _is_valid(self, entry: WatchlistEntry) -> bool:
        now = self._clock.now()
        has_begun = entry.valid_from <= now
        return has_begun and (entry.expires_at is None or now < entry.expires_at)

    def _refresh(self) -> None:
        revision = self._source.revision()
        if revision == self._revision:
            return
        references = self._source.references()
        self._galleries = {
            modality: factory([r for r in references if r.modality is modality])
            for modality, factory in self._factories.items()
        }
        self._entries = {entry.entry_id: entry for entry in self._source.entries()}
        self._revision = revision
