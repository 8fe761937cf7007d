"""The watchlist: entries, their references, changes, and how fresh it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from edge.terms.samples import FingerPosition, Modality, Template


@dataclass(frozen=True)
class Reference:
    """One stored biometric reference of a watchlist entry."""

    reference_id: str
    entry_id: str
    modality: Modality
    position: FingerPosition
    template: Template


@dataclass(frozen=True)
class NumberedReference:
    """A reference as a store counts it: later ones have larger numbers.

    No number comes twice. References of one entry follow each other.
    """

    number: int
    reference: Reference


@dataclass(frozen=True)
class WatchlistState:
    """How far a watchlist has come; every later state has larger numbers.

    last_number, last_removal: of the last reference added and of the last removal, 0
    if there was none. audit_number, audit_hash: the line of the chained audit log at
    which this was so; only a watchlist with this line in its past was in this state.
    sequence: of the hub's log, 0 if the list is not the hub's.
    """

    revision: int
    last_number: int
    last_removal: int
    audit_number: int
    audit_hash: str
    sequence: int = 0


class FreshnessState(StrEnum):
    """FRESH: a head that is still valid says that the list held is complete.

    STALE: none does any more, or none has yet. UNKNOWN: there is no list, or no head
    has come. CLOCK_UNTRUSTED: the booth cannot tell, its clock is wrong. LOCAL: the
    list was made on this machine and claims nothing.
    """

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"
    CLOCK_UNTRUSTED = "clock_untrusted"
    LOCAL = "local"


@dataclass(frozen=True)
class WatchlistFreshness:
    """as_of: the list held is complete up to here; None if nothing says so.

    behind: how many changes the hub is known to be ahead.
    """

    state: FreshnessState
    as_of: datetime | None
    behind: int


@dataclass(frozen=True)
class WatchlistEntry:
    """What the officer needs to know of a person, without the biometric references."""

    entry_id: str
    version: int
    category: str
    originator: str
    handling_code: str
    legal_basis: str
    instruction: str
    valid_from: datetime
    expires_at: datetime | None
    name: str | None = None


# The category of synthetic persons, listed to measure detection and time to alert.
DRILL_CATEGORY = "DRILL"


def is_drill(entry: WatchlistEntry) -> bool:
    """Return whether an entry is a synthetic person of a drill."""
    return entry.category == DRILL_CATEGORY


class ChangeOperation(StrEnum):
    ADD = "add"
    REPLACE = "replace"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class WatchlistChange:
    """One step of the hub's watchlist log. entry is None for a withdrawal."""

    sequence: int
    operation: ChangeOperation
    entry_id: str
    entry: WatchlistEntry | None
    references: tuple[Reference, ...]
    changed_at: datetime


@dataclass(frozen=True)
class DraftChange:
    """A change that has no place in the log yet. entry is None for a withdrawal."""

    operation: ChangeOperation
    entry_id: str
    entry: WatchlistEntry | None = None
    references: tuple[Reference, ...] = ()

    def at_sequence(self, sequence: int, changed_at: datetime) -> WatchlistChange:
        return WatchlistChange(
            sequence=sequence,
            operation=self.operation,
            entry_id=self.entry_id,
            entry=self.entry,
            references=self.references,
            changed_at=changed_at,
        )
