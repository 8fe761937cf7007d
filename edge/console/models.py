"""What the console's JSON API takes and gives."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  pydantic reads the annotations
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.records.console_values import CaseOutcome  # noqa: TC001  see above

Text = Annotated[str, Field(min_length=1, max_length=4000)]
Reason = Annotated[str, Field(min_length=3, max_length=500)]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class Given(BaseModel):
    """A body that a browser sends."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Any refusal. code: for programs; detail: one line for a person."""

    code: str
    detail: str


class CaseView(BaseModel):
    """alarm: quiet, new, overdue or lost. place: where the next page goes on."""

    hit_id: str
    number: int
    place: str
    booth_id: str
    check_id: str
    entry_id: str
    entry_version: int
    name: str | None
    category: str
    handling_code: str
    severity: int
    severity_name: str
    is_drill: bool
    is_historical: bool
    modalities: list[str]
    false_match_rate: float
    one_in: int
    occurred_at: datetime
    received_at: datetime
    state: str
    alarm: str
    claimed_by: str | None
    claimed_at: datetime | None
    escalated_at: datetime | None
    decision: str
    outcome: str | None
    closed_at: datetime | None


class CountsView(BaseModel):
    open: int
    unclaimed: int
    closed: int
    mine: int
    oldest_unclaimed_at: datetime | None


class CaseList(BaseModel):
    """last_event: ask the event stream for what comes after it."""

    cases: list[CaseView]
    counts: CountsView
    next: str | None
    last_event: int
    now: datetime
    overdue_after_s: float
    lost_after_s: float


class EventView(BaseModel):
    number: int
    hit_id: str
    at: datetime
    actor: str
    kind: str
    body: dict[str, Any]


class ImageView(BaseModel):
    index: int
    modality: str
    position: int
    position_name: str
    url: str


class EntryView(BaseModel):
    entry_id: str
    version: int
    name: str | None
    category: str
    originator: str
    handling_code: str
    legal_basis: str
    instruction: str
    valid_from: datetime
    expires_at: datetime | None
    is_on_watchlist: bool


class SampleView(BaseModel):
    modality: str
    position: int
    position_name: str
    score: float
    false_match_rate: float
    one_in: int
    is_deciding: bool


class CandidateView(BaseModel):
    entry_id: str
    name: str | None
    modality: str
    position_name: str
    score: float
    false_match_rate: float
    one_in: int
    samples: list[SampleView]


class DecisionView(BaseModel):
    """One officer's word. step: first or second."""

    officer: str
    verdict: str
    reason: str
    note: str
    at: datetime
    step: str


class CaseDetail(BaseModel):
    case: CaseView
    entry: EntryView | None
    candidates: list[CandidateView]
    probe: list[ImageView]
    reference: list[ImageView]
    decisions: list[DecisionView]
    timeline: list[EventView]
    is_mine: bool
    stream: str
    sequence: int
    skew_s: float


class FingerComparison(BaseModel):
    """minutiae: [x, y, degrees, 1 ending or 2 bifurcation], pixels at 500 ppi.

    pairs: indices into both lists of minutiae that correspond, best first.
    """

    position: int
    position_name: str
    probe_url: str | None
    reference_url: str | None
    probe_size: tuple[int, int]
    reference_size: tuple[int, int]
    probe: list[list[float]]
    reference: list[list[float]]
    pairs: list[tuple[int, int]]


class Comparisons(BaseModel):
    fingers: list[FingerComparison]


class TakeOver(Given):
    reason: Reason


class Remark(Given):
    text: Text


class Escalation(Given):
    reason: Reason


class InstructionOrder(Given):
    """text: what the officer reads. valid_h: hours until it is void."""

    text: Text
    valid_h: Annotated[float, Field(ge=0.1, le=168)] = 8.0


class Closing(Given):
    outcome: CaseOutcome
    note: Annotated[str, Field(max_length=4000)] = ""


class StandardInstruction(BaseModel):
    key: str
    text: str


class PostView(BaseModel):
    """state: online, stale, silent, never or revoked. lag: changes behind the log."""

    booth_id: str
    state: str
    link: str
    last_seen_at: datetime | None
    held_sequence: int | None
    lag: int | None
    is_same: bool | None
    gaps: int
    reported_at: datetime | None
    outbox_depth: int | None
    disk_free_bytes: int | None
    clock_is_trusted: bool | None
    software: str | None
    head_issued_at: datetime | None
    counts: dict[str, int]


class PostList(BaseModel):
    posts: list[PostView]
    states: dict[str, int]
    sequence: int
    now: datetime


class PostCommand(Given):
    kind: Literal["test", "resync"]


class Queued(BaseModel):
    command_id: str


class EntryFactsView(BaseModel):
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


class EntryList(BaseModel):
    entries: list[EntryFactsView]
    count: int
    next: str | None


class EntryDetail(BaseModel):
    entry: EntryView
    reference: list[ImageView]
    references_count: int


class DraftView(BaseModel):
    """may_release: whether whoever asks may release it."""

    number: int
    draft_id: str
    operation: str
    entry_id: str
    entry: EntryView | None
    reason: str
    state: str
    created_by: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    sequence: int | None
    images: list[DraftImageView]
    may_release: bool


class DraftImageView(BaseModel):
    reference_id: str
    modality: str
    position: int
    position_name: str
    quality: int
    url: str


class DraftList(BaseModel):
    drafts: list[DraftView]
    next: int | None


class ImageVerdict(BaseModel):
    origin: str
    quality: int
    needed: int
    is_sufficient: bool
    reasons: list[str]


class DraftMade(BaseModel):
    """draft_id: None if an image was not good enough; nothing was kept then."""

    draft_id: str | None
    entry_id: str
    images: list[ImageVerdict]


class Withdrawal(Given):
    entry_id: Label
    reason: Reason


class Rejection(Given):
    note: Annotated[str, Field(max_length=500)] = ""


class RecallView(BaseModel):
    sequence: int
    entry_id: str
    withdrawn_at: datetime
    originator: str
    reason: str
    confirmed: list[str]
    pending: list[str]


class AuditLine(BaseModel):
    number: int
    at: str
    actor: str
    action: str
    subject: str
    hash: str


class AuditPage(BaseModel):
    lines: list[AuditLine]
    next: int | None


class VerificationView(BaseModel):
    """state: none, running, sound or broken. lines: how many were verified."""

    state: Literal["none", "running", "sound", "broken"]
    lines: int
    finished_at: datetime | None
    problem: str | None


DraftView.model_rebuild()
