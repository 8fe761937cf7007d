"""The values around one check: what is asked, what happens, what comes out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.checkpoint.freshness import LOCAL_LIST, USUAL_LIMITS
from edge.checkpoint.policy import PresentationPolicy
from edge.checkpoint.quality_gate import BSI_THRESHOLDS, FingerThresholds, Purpose
from edge.terms import FingerPosition, Modality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.checkpoint.freshness import FreshnessLimits
    from edge.checkpoint.officer_order import Unavailable
    from edge.clock import Clock
    from edge.terms import (
        Candidate,
        Exemption,
        FaceGuidance,
        FingerGuidance,
        Outcome,
        Quality,
        SearchedFace,
        WatchlistEntry,
        WatchlistFreshness,
    )


@dataclass(frozen=True)
class CheckRequest:
    """positions: the fingers to capture, if fingerprints are among the modalities.

    unavailable: what the officer named by officer knows not to be there.

    Raises:
        ValueError: nothing is asked for, or fingerprints of no finger; such a check
            could end clear without a search. A known finger is asked for twice. The
            caller is at fault.
    """

    modalities: tuple[Modality, ...] = (Modality.FINGERPRINT, Modality.FACE)
    positions: tuple[FingerPosition, ...] = (FingerPosition.RIGHT_INDEX,)
    unavailable: tuple[Unavailable, ...] = ()
    officer: str = ""

    def __post_init__(self) -> None:
        if not self.modalities:
            message = "a check needs at least one requested modality"
            raise ValueError(message)
        if Modality.FINGERPRINT in self.modalities and not self.positions:
            message = "a check of fingerprints needs at least one finger position"
            raise ValueError(message)
        known = [position for position in self.positions if position]
        if len(known) != len(set(known)):
            message = "a check asks for each finger once"
            raise ValueError(message)


@dataclass(frozen=True)
class CheckLimits:
    """max_attempts: finger captures before the officer is asked. Times in seconds.

    finger_quality: a print below the threshold of its finger is captured again.
    face_burst_s: how long after the first usable frame a better one is waited for.
    order: of the modalities. extra_fingers: asked for while the decision is open.
    check_time_s: from the start; no further sample is asked for after it.
    """

    max_attempts: int = 3
    finger_timeout_s: float = 20.0
    face_timeout_s: float = 10.0
    face_burst_s: float = 0.4
    finger_quality: FingerThresholds = BSI_THRESHOLDS[Purpose.SEARCH]
    watchlist_age: FreshnessLimits = USUAL_LIMITS
    presentation_attack: PresentationPolicy = PresentationPolicy.OFF
    order: tuple[Modality, ...] = (Modality.FINGERPRINT, Modality.FACE)
    extra_fingers: tuple[FingerPosition, ...] = ()
    check_time_s: float = 120.0


@dataclass(frozen=True)
class CheckEvent:
    """Something the screen should show. stage: capture, assess, extract, search, ...

    share: progress of the stage, 0 to 1, where it is known. guidance: what a frame of
    the camera said. position: of a finger. finger: what a traveller at the scanner
    should do.
    """

    check_id: str
    stage: str
    modality: Modality | None = None
    attempt: int = 0
    share: float | None = None
    quality: Quality | None = None
    guidance: FaceGuidance | None = None
    position: FingerPosition | None = None
    finger: FingerGuidance | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check came to.

    watchlist: how fresh it was when it was searched.
    attempts, quality: of several fingers, all captures and the poorest last sample.
    searched: the samples that were searched with, in their order; with the last of
    them a possible match was decided.
    timings_ms: "<modality>.<stage>" -> milliseconds, all attempts added up.
    face: which face was searched with; None if none was.
    exemptions: samples that were not given or taken as poor as they were, in order.
    """

    check_id: str
    outcome: Outcome
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    entry: WatchlistEntry | None
    hit_id: str | None
    attempts: dict[Modality, int]
    quality: dict[Modality, Quality]
    timings_ms: dict[str, float]
    watchlist: WatchlistFreshness = LOCAL_LIST
    face: SearchedFace | None = None
    searched: tuple[tuple[Modality, FingerPosition], ...] = ()
    is_drill: bool = False
    exemptions: tuple[Exemption, ...] = ()


@dataclass
class Stopwatch:
    """Adds up the time of each stage."""

    clock: Clock
    timings_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started_s = self.clock.monotonic_s()
        try:
            yield
        finally:
            spent_ms = (self.clock.monotonic_s() - started_s) * 1000
            self.timings_ms[name] = self.timings_ms.get(name, 0.0) + spent_ms
