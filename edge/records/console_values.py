"""What the operators' console keeps and tells, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge.terms import ChangeOperation, WatchlistEntry


class CaseState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class CaseOutcome(StrEnum):
    """What a case ended in.

    IDENTIFIED: the person of the entry, and dealt with. NOT_THE_PERSON: somebody else.
    PERSON_LEFT: gone before anybody could act. HANDED_OVER: another authority has it.
    DRILL: an exercise. NO_ACTION: the person of the entry, but nothing was to be done.
    """

    IDENTIFIED = "identified"
    NOT_THE_PERSON = "not_the_person"
    PERSON_LEFT = "person_left"
    HANDED_OVER = "handed_over"
    NO_ACTION = "no_action"
    DRILL = "drill"


class EventKind(StrEnum):
    """What can happen to a case; one line of its timeline each."""

    RECEIVED = "received"
    CLAIMED = "claimed"
    RELEASED = "released"
    TAKEN_OVER = "taken_over"
    NOTED = "noted"
    INSTRUCTED = "instructed"
    INSTRUCTION_ANSWERED = "instruction_answered"
    DECIDED = "decided"
    ESCALATED = "escalated"
    CLOSED = "closed"
    EXPORTED = "exported"


class DraftState(StrEnum):
    WAITING = "waiting"
    RELEASED = "released"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Case:
    """A hit as the operators see it.

    number: rises in the order of arrival. severity: 1 to 4. claimed_by: whose it is.
    decision: of the booth's officers, "undecided" until one is known.
    """

    hit_id: str
    number: int
    booth_id: str
    check_id: str
    entry_id: str
    entry_version: int
    name: str | None
    category: str
    handling_code: str
    severity: int
    is_drill: bool
    is_historical: bool
    modalities: tuple[str, ...]
    false_match_rate: float
    occurred_at: datetime
    received_at: datetime
    state: CaseState
    claimed_by: str | None
    claimed_at: datetime | None
    escalated_at: datetime | None
    decision: str
    outcome: CaseOutcome | None
    closed_at: datetime | None


@dataclass(frozen=True)
class CaseEvent:
    """One line of a timeline. number: rises over all cases. body: JSON-ready."""

    number: int
    hit_id: str
    at: datetime
    actor: str
    kind: EventKind
    body: Mapping[str, Any]


@dataclass(frozen=True)
class CaseFilter:
    """Which cases a list shows. None: whatever it is."""

    state: CaseState | None = CaseState.OPEN
    booth_id: str | None = None
    claimed_by: str | None = None
    is_drill: bool | None = None


@dataclass(frozen=True)
class CaseCounts:
    """unclaimed: open and nobody's. oldest_unclaimed_at: since when one waits."""

    open: int
    unclaimed: int
    closed: int
    mine: int
    oldest_unclaimed_at: datetime | None


@dataclass(frozen=True)
class DraftImage:
    """An image of a draft. quality: 0 to 100. position: code of the finger, 0 none."""

    reference_id: str
    modality: str
    position: int
    quality: int
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class Draft:
    """A change to the watchlist that waits for a second person, or did.

    entry: what is to be written, None for a withdrawal, or once it was rejected.
    images: (reference id, modality, position, quality) of each.
    """

    number: int
    draft_id: str
    operation: ChangeOperation
    entry_id: str
    entry: WatchlistEntry | None
    reason: str
    state: DraftState
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    sequence: int | None
    images: tuple[tuple[str, str, int, int], ...] = ()


@dataclass(frozen=True)
class EntryFacts:
    """One entry of the watchlist as a list shows it."""

    entry_id: str
    version: int
    category: str
    originator: str
    handling_code: str
    name: str | None
    valid_from: datetime
    expires_at: datetime | None
    references_count: int
    sequence: int
