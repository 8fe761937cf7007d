"""What a hub keeps and tells, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from edge.terms import FingerPosition, Hit, HitDecision, Modality


class StoredOutcome(StrEnum):
    """What became of a message. STORED: new. DUPLICATE: the same is there already.

    REFUSED: its id or its number stands for another content; the earlier one stays.
    """

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True)
class HoldingStatement:
    """What a booth has signed that it holds. withdrawn: (sequence, entry id)."""

    log: str
    sequence: int
    chain: bytes
    digest: bytes
    count: int
    withdrawn: tuple[tuple[int, str], ...]
    at: datetime


@dataclass(frozen=True)
class HealthReport:
    """What a booth says of itself; see edge.sync.messages.Health."""

    at: datetime
    watchlist_sequence: int
    head_issued_at: datetime | None
    outbox_depth: int
    disk_free_bytes: int
    clock_is_trusted: bool
    software: str
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReceivedContent:
    """An outbox message that was opened and verified.

    signed: the booth's signed object, kept as evidence; digest: SHA-256 of it. hit,
    holding, health, decision: the body, for the kinds that have one of these.
    """

    booth_id: str
    stream: str
    sequence: int
    message_id: str
    kind: str
    created_at: datetime
    signed: bytes
    digest: bytes
    hit: Hit | None = None
    holding: HoldingStatement | None = None
    health: HealthReport | None = None
    decision: HitDecision | None = None


@dataclass(frozen=True)
class StoredDecision:
    """A verdict that a booth has sent. number: of the message, rises with every one."""

    number: int
    decision: HitDecision
    received_at: datetime


@dataclass(frozen=True)
class StoredHit:
    """number: rises with every message received. skew_s: received minus created.

    is_historical: it came later than the limit; what it tells is no news.
    """

    number: int
    hit: Hit
    stream: str
    sequence: int
    received_at: datetime
    is_historical: bool
    skew_s: float


@dataclass(frozen=True)
class ShownImage:
    """An image of a reference, small enough to be sent to a booth: PNG or JPEG."""

    reference_id: str
    modality: Modality
    position: FingerPosition
    data: bytes


@dataclass(frozen=True)
class HitToIllustrate:
    """A hit whose booth has not been sent the images of its entry. number: see hits."""

    number: int
    hit_id: str
    booth_id: str
    entry_id: str


@dataclass(frozen=True)
class Gap:
    """Numbers of a stream that have not come although later ones have."""

    booth_id: str
    stream: str
    first: int
    last: int
    since: datetime


@dataclass(frozen=True)
class Recall:
    """A withdrawal, and who has signed that the entry is gone.

    confirmed: booth id -> message id of the signed holding that proves it.
    """

    sequence: int
    entry_id: str
    withdrawn_at: datetime
    originator: str
    reason: str
    confirmed: dict[str, str]
    pending: tuple[str, ...]


class CommandState(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    EXPIRED = "expired"


@dataclass(frozen=True)
class CommandRecord:
    """A command to a booth. outcome, detail: the booth's answer."""

    command_id: str
    booth_id: str
    kind: str
    body: bytes
    issued_at: datetime
    expires_at: datetime
    state: CommandState = CommandState.WAITING
    outcome: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class BoothOverview:
    """One booth as the operator sees it.

    state: of its link, as last heard. is_same: whether the set that the booth says it
    holds is the hub's at that sequence; None if it has said nothing that can be
    compared. gaps: missing numbers of its streams.
    """

    booth_id: str
    state: str
    last_seen_at: datetime | None
    is_admitted: bool
    revoked_at: datetime | None
    held_sequence: int | None
    is_same: bool | None
    health: HealthReport | None
    gaps: int
