"""What a check comes to, and what remains of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge.terms.samples import (
        FingerPosition,
        Modality,
        PresentationDecision,
        Quality,
    )


class Outcome(StrEnum):
    """What a check ends in.

    CLEAR: searched, nobody found. REFER: a possible match, an officer decides.
    RETRY: the samples are too poor to search with, capture again. DEGRADED: something
    that was asked for could not be searched, or what was searched may not be the
    traveller's; the officer decides how to go on.
    """

    CLEAR = "clear"
    REFER = "refer"
    RETRY = "retry"
    DEGRADED = "degraded"


class ExemptionReason(StrEnum):
    """Why a sample is not given, or taken as poor as it is.

    None of them says anything about who the traveller is.
    """

    MISSING = "missing"
    BANDAGED = "bandaged"
    WORN_RIDGES = "worn_ridges"
    REFUSED = "refused"
    CHILD = "child"
    MEDICAL = "medical"
    DEVICE_TROUBLE = "device_trouble"
    OTHER = "other"


class ExemptionKind(StrEnum):
    """What an officer did about a sample.

    UNAVAILABLE: said before the check that it is not there. SKIPPED: said so during
    it. OVERRIDDEN: had it searched though too poor. CANCELLED: ended the check.
    """

    UNAVAILABLE = "unavailable"
    SKIPPED = "skipped"
    OVERRIDDEN = "overridden"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Exemption:
    """An officer's word on a sample that policy wants.

    modality, position: None for all of the modality, or of the check. reason: None if
    the check was cancelled without one. officer: the name of the account.
    """

    kind: ExemptionKind
    officer: str
    modality: Modality | None = None
    position: FingerPosition | None = None
    reason: ExemptionReason | None = None
    note: str = ""


@dataclass(frozen=True)
class AssessedSample:
    """How good a captured sample was. position: of a finger, UNKNOWN for a face."""

    modality: Modality
    position: FingerPosition
    quality: Quality


@dataclass(frozen=True)
class CheckRecord:
    """What remains of a check: outcome, reasons and times; nothing biometric.

    presentation: how the face was presented, None if no face was judged. Its score
    remains only with a hit. officer: the account that started it. samples: each finger
    that was assessed, and the last frame of a face. timings_ms: of the stages.
    """

    check_id: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    attempts: int
    reasons: tuple[str, ...]
    duration_ms: int
    presentation: PresentationDecision | None = None
    exemptions: tuple[Exemption, ...] = ()
    officer: str = ""
    samples: tuple[AssessedSample, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
