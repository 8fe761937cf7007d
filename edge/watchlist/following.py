"""Bring a gallery of one modality to the watchlist's state by what changed since.

A gallery is a cache: its revision says which state of which watchlist it holds. A state
that this watchlist was never in, after a restored backup or a foreign file, makes the
gallery start anew. What takes long goes in steps that each leave a gallery to go on
from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from edge.terms import WatchlistState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge.terms import Modality, NumberedReference, Reference

# References of one step: few enough to hold as objects, many enough to write at once.
STEP_REFERENCES = 8192
BEGINNING = WatchlistState(0, 0, 0, 0, "")


class ReferenceSource(Protocol):
    """The references of a watchlist, numbered in the order in which they came."""

    def state(self) -> WatchlistState: ...

    def has_been_in(self, state: WatchlistState) -> bool: ...

    def tally(self, modality: Modality) -> tuple[int, int]:
        """Return how many references of the modality there are, and the last's number.

        One of them moves at least when a reference comes or goes.
        """
        ...

    def added(
        self,
        modality: Modality,
        *,
        after: int,
        to: int,
        on_damaged: Callable[[str], None],
    ) -> Iterator[NumberedReference]: ...

    def removed(self, *, after: int, to: int) -> Sequence[int]: ...


class FollowingGallery(Protocol):
    @property
    def revision(self) -> str:
        """What the last patch was called; empty for a new gallery."""
        ...

    def __len__(self) -> int:
        """Return how many references can be found."""
        ...

    def objection(self, reference: Reference) -> str | None:
        """Return why the gallery cannot hold a reference, None if it can."""
        ...

    def clear(self, expected: int = 0) -> None:
        """Forget all references; so many are about to be added."""
        ...

    def patch(
        self,
        added: Iterable[NumberedReference],
        removed: Sequence[int],
        revision: str,
    ) -> None:
        """Withdraw numbers and add references, in one step for searches."""
        ...

    def tidy(self) -> bool:
        """Finish what patches left: False if something is left to do.

        Overwrites what was withdrawn and no search sees, saves what was not saved.

        Raises:
            StoreError: it cannot be saved.
        """
        ...


@dataclass(frozen=True)
class Manner:
    """How a gallery is brought up to date.

    on_progress: told the share of the numbers that has been gone through, 0 to 1, after
    each step but the last. on_skipped: told of a reference that cannot be searched.
    rest: called for each reference, when it is read and when it goes into the gallery;
    may sleep, so that searches get their turn.
    step: references that go into the gallery at once.
    """

    on_progress: Callable[[float], None] = lambda _share: None
    on_skipped: Callable[[str], None] = lambda _text: None
    rest: Callable[[], None] = lambda: None
    step: int = STEP_REFERENCES


AT_ONCE = Manner()


def follow(
    gallery: FollowingGallery,
    source: ReferenceSource,
    modality: Modality,
    manner: Manner = AT_ONCE,
) -> None:
    """Patch the gallery until it holds the references that the source holds.

    A reference that is damaged or that the gallery objects to is left out and told.

    Raises:
        StoreError: the source cannot be read or the gallery not written; what has been
            done so far is kept.
    """
    state = source.state()
    reached = _reached(gallery, source, state)
    if reached is None:
        gallery.clear(source.tally(modality)[0])
        reached = BEGINNING
    elif _numbers(reached) == _numbers(state):
        return
    removed = source.removed(after=reached.last_removal, to=state.last_removal)
    span = range(reached.last_number, state.last_number)
    held: list[NumberedReference] = []
    for reference in _searchable(gallery, source, modality, span, manner):
        if len(held) >= manner.step and _is_another_entry(held[-1], reference):
            last_number = held[-1].number
            part = replace(state, revision=reached.revision, last_number=last_number)
            gallery.patch(_rested(held, manner), removed, _token(part))
            manner.on_progress((last_number - span.start) / len(span))
            held, removed = [], ()
        held.append(reference)
        manner.rest()
    gallery.patch(_rested(held, manner), removed, _token(state))


def pending_numbers(
    gallery: FollowingGallery, source: ReferenceSource, state: WatchlistState
) -> int:
    """Return how many of the state's numbers the gallery has not gone through."""
    reached = _reached(gallery, source, state)
    return state.last_number - (0 if reached is None else reached.last_number)


def is_current(revision: str, source: ReferenceSource) -> bool:
    """Return whether a gallery of this revision holds what the source holds now."""
    reached = _parsed(revision)
    if reached is None or not source.has_been_in(reached):
        return False
    return _numbers(reached) == _numbers(source.state())


def has_removed_all(revision: str, source: ReferenceSource) -> bool:
    """Return whether a gallery of this revision has withdrawn all that the source has.

    It may lack what was added since.
    """
    reached = _parsed(revision)
    if reached is None or not source.has_been_in(reached):
        return False
    return reached.last_removal >= source.state().last_removal


def _reached(
    gallery: FollowingGallery, source: ReferenceSource, state: WatchlistState
) -> WatchlistState | None:
    """Return the source's state that the gallery is at, None if it is at none."""
    reached = _parsed(gallery.revision)
    if reached is None or not _is_past(reached, state):
        return None
    return reached if source.has_been_in(reached) else None


def _searchable(
    gallery: FollowingGallery,
    source: ReferenceSource,
    modality: Modality,
    span: range,
    manner: Manner,
) -> Iterator[NumberedReference]:
    for item in source.added(
        modality, after=span.start, to=span.stop, on_damaged=manner.on_skipped
    ):
        objection = gallery.objection(item.reference)
        if objection is None:
            yield item
        else:
            name = item.reference.reference_id
            manner.on_skipped(f"reference {name} cannot be searched: {objection}")


def _rested(
    held: Iterable[NumberedReference], manner: Manner
) -> Iterator[NumberedReference]:
    for item in held:
        manner.rest()
        yield item


def _is_another_entry(one: NumberedReference, other: NumberedReference) -> bool:
    # A gallery counts the references of one patch as one person, so none is split.
    return one.reference.entry_id != other.reference.entry_id


def _numbers(state: WatchlistState) -> tuple[int, int, int]:
    return state.revision, state.last_number, state.last_removal


def _is_past(one: WatchlistState, other: WatchlistState) -> bool:
    pairs = zip(_numbers(one), _numbers(other), strict=True)
    return all(a <= b for a, b in pairs)


def _token(state: WatchlistState) -> str:
    line = f"{state.audit_number}:{state.audit_hash}"
    return " ".join(map(str, (*_numbers(state), line)))


def _parsed(token: str) -> WatchlistState | None:
    try:
        *numbers, line = token.split(" ")
        audit_number, audit_hash = line.split(":")
        revision, last_number, last_removal = map(int, numbers)
        return WatchlistState(
            revision, last_number, last_removal, int(audit_number), audit_hash
        )
    except ValueError:
        return None
