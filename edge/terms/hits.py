"""Possible matches: candidates, evidence, and what officers say of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from edge.terms.samples import ComparisonScore, FingerPosition, Modality


@dataclass(frozen=True)
class SampleEvidence:
    """What one sample says of a candidate.

    position: of the sample. reference_id, score: of the reference that is most alike.
    log10_ratio: of the likelihood ratio, above 0 for a mate, below 0 against.
    is_deciding: with this sample the evidence of all was enough.
    """

    modality: Modality
    position: FingerPosition
    reference_id: str
    score: ComparisonScore
    log10_ratio: float
    is_deciding: bool = False


@dataclass(frozen=True)
class Candidate:
    """One entry of a candidate list: exists only as the result of a search.

    The sample that says most gives the reference, modality, position and score value;
    the false match rate is that of all samples together, of which samples tells. A hit
    of an older booth has none.
    """

    entry_id: str
    reference_id: str
    modality: Modality
    position: FingerPosition
    score: ComparisonScore
    samples: tuple[SampleEvidence, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """One item that lets somebody else judge a hit.

    media_type: image/png for images, application/octet-stream for template records.
    """

    modality: Modality
    position: FingerPosition
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Hit:
    """A possible match, as it goes to the hub.

    is_drill: a synthetic person was presented to measure the way of an alert.
    """

    hit_id: str
    check_id: str
    booth_id: str
    occurred_at: datetime
    entry_id: str
    entry_version: int
    candidates: tuple[Candidate, ...]
    evidence: tuple[Evidence, ...]
    is_drill: bool = False


class Verdict(StrEnum):
    """What an officer says of a possible match after looking at it."""

    CONFIRM = "confirm"
    REFUTE = "refute"
    CANNOT_TELL = "cannot_tell"


class VerdictReason(StrEnum):
    """Why an officer says so. OTHER: a note says it."""

    FINGERPRINTS_AGREE = "fingerprints_agree"
    FACES_AGREE = "faces_agree"
    DOCUMENT_AGREES = "document_agrees"
    FINGERPRINTS_DIFFER = "fingerprints_differ"
    FACES_DIFFER = "faces_differ"
    DOCUMENT_DIFFERS = "document_differs"
    POOR_CAPTURE = "poor_capture"
    POOR_REFERENCE = "poor_reference"
    NO_REFERENCE_IMAGE = "no_reference_image"
    EVIDENCE_CONTRADICTS = "evidence_contradicts"
    OTHER = "other"


class DecisionState(StrEnum):
    """What the officers' verdicts make of a hit.

    UNDETERMINED: they agree that they cannot tell. DISPUTED: they do not agree; the hub
    is asked. The last four are final at the booth.
    """

    UNDECIDED = "undecided"
    AWAITING_SECOND = "awaiting_second"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNDETERMINED = "undetermined"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class OfficerVerdict:
    """One officer's word on a hit. officer: the name of the account."""

    officer: str
    verdict: Verdict
    reason: VerdictReason
    note: str
    at: datetime


@dataclass(frozen=True)
class HitDecision:
    """A verdict as it is recorded and goes to the hub.

    number: 1 for the first officer, 2 for the second. needs_second: whether policy
    wanted a second when the first spoke. state: of the hit from this verdict on.
    """

    hit_id: str
    booth_id: str
    number: int
    needs_second: bool
    state: DecisionState
    verdict: OfficerVerdict


@dataclass(frozen=True)
class OutboxMessage:
    """One message that waits for the hub. sequence is gapless within the booth."""

    message_id: str
    sequence: int
    kind: str
    payload: bytes
    created_at: datetime
