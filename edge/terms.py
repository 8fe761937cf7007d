"""The nouns of the appliance, after ISO/IEC 2382-37, as immutable values.

Images are numpy uint8 arrays, origin top left. Fingerprint images are grey with dark
ridges, shape (height, width); face images are RGB, shape (height, width, 3).
Instants are timezone-aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray


class Modality(StrEnum):
    FINGERPRINT = "fingerprint"
    FACE = "face"


class FingerPosition(IntEnum):
    """Finger position codes of ISO/IEC 19794-2, table 2."""

    UNKNOWN = 0
    RIGHT_THUMB = 1
    RIGHT_INDEX = 2
    RIGHT_MIDDLE = 3
    RIGHT_RING = 4
    RIGHT_LITTLE = 5
    LEFT_THUMB = 6
    LEFT_INDEX = 7
    LEFT_MIDDLE = 8
    LEFT_RING = 9
    LEFT_LITTLE = 10


class QualityReason(StrEnum):
    """Why a sample is too poor to search with, or nearly so."""

    NO_FINGER = "no_finger"
    NOT_A_FINGER = "not_a_finger"
    TOO_SMALL = "too_small"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"
    LOW_CONTRAST = "low_contrast"
    SMEARED = "smeared"
    OFF_CENTRE = "off_centre"
    TOO_FEW_MINUTIAE = "too_few_minutiae"
    WRONG_RESOLUTION = "wrong_resolution"
    TOO_LIGHT = "too_light"
    MOVE_LEFT = "move_left"
    MOVE_RIGHT = "move_right"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"
    MOVED = "moved"
    RESIDUE = "residue"
    BELOW_THRESHOLD = "below_threshold"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT_OFF = "face_cut_off"
    FACE_TURNED = "face_turned"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    UNEVEN_LIGHT = "uneven_light"
    BLURRED = "blurred"
    FACE_TOO_LARGE = "face_too_large"
    FACE_COVERED = "face_covered"
    GLASSES_REFLECT = "glasses_reflect"


class FingerInstruction(StrEnum):
    """The one thing a traveller at the scanner should do now.

    Directions are those of the image: the finger's tip is up.
    """

    OK = "ok"
    PLACE_FINGER = "place_finger"
    HOLD_STILL = "hold_still"
    LIFT_FINGER = "lift_finger"
    PRESS_HARDER = "press_harder"
    PRESS_LIGHTER = "press_lighter"
    COVER_MORE = "cover_more"
    MOISTEN_FINGER = "moisten_finger"
    DRY_FINGER = "dry_finger"
    CLEAN_SCANNER = "clean_scanner"
    MOVE_LEFT = "move_left"
    MOVE_RIGHT = "move_right"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"


class FaceInstruction(StrEnum):
    """The one thing a traveller before the camera should do now.

    Left and right are the traveller's own, on an unmirrored frame: a face on the left
    of the frame has to move left. A mirrored preview shows the same direction.
    """

    OK = "ok"
    LOOK_AT_CAMERA = "look_at_camera"
    ONE_PERSON_ONLY = "one_person_only"
    CLOSER = "closer"
    FURTHER = "further"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    LOOK_STRAIGHT = "look_straight"
    CHIN_UP = "chin_up"
    CHIN_DOWN = "chin_down"
    LEVEL_HEAD = "level_head"
    LIGHT_FROM_ONE_SIDE = "light_from_one_side"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    HOLD_STILL = "hold_still"
    GLASSES_REFLECT = "glasses_reflect"
    UNCOVER_FACE = "uncover_face"


@dataclass(frozen=True)
class Quality:
    """Quality of one sample: 0 (useless) to 100, and what is wrong with it.

    instruction: of a face; None for fingers.
    """

    score: int
    reasons: tuple[QualityReason, ...] = ()
    is_sufficient: bool = True
    measures: dict[str, float] = field(default_factory=dict)
    instruction: FaceInstruction | None = None


@dataclass(frozen=True)
class FingerGuidance:
    """What to tell a traveller at the scanner, and why; nothing biometric.

    quality: of the part of the image that has arrived, by its pixels alone; None before
    any has. coverage: of the sensor's window by the finger, 0 to 1. share: of the image
    that has arrived.
    """

    instruction: FingerInstruction
    quality: Quality | None = None
    coverage: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class FaceBox:
    """Where a face lies, in pixels of its image; it may reach beyond the image."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float


class PresentationDecision(StrEnum):
    """Whether a face itself was before the camera (ISO/IEC 30107-1), or a picture."""

    BONA_FIDE = "bona_fide"
    ATTACK = "attack"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True)
class PresentationVerdict:
    """bona_fide_score: 1 for a bona fide presentation, 0 for an attack.

    threshold: what scores at least this much counts as bona fide. Both are None where
    nothing was judged.
    """

    decision: PresentationDecision = PresentationDecision.NOT_JUDGED
    bona_fide_score: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class FaceGuidance:
    """What one frame of the camera said, for the screen; nothing biometric.

    instruction: to show; it does not flicker. seen: of this frame alone. face: the one
    that is followed, None if it is not seen; faces: all in view, it among them.
    quality: of the face followed. is_usable: the frame may be searched with. is_steady:
    the face is known to hold still. width_px, height_px: of the frame.
    """

    instruction: FaceInstruction
    seen: FaceInstruction
    face: FaceBox | None
    faces: tuple[FaceBox, ...]
    is_picked: bool
    quality: Quality
    is_usable: bool
    is_steady: bool
    width_px: int
    height_px: int


@dataclass(frozen=True)
class SearchedFace:
    """Which face of a frame a result belongs to.

    is_picked: an officer chose it among several. presentation: None where policy asks
    for no judgement.
    """

    box: FaceBox
    width_px: int
    height_px: int
    is_picked: bool = False
    presentation: PresentationVerdict | None = None


@dataclass(frozen=True, eq=False)
class FingerprintSample:
    image: NDArray[np.uint8]  # (height, width), dark ridges
    resolution_ppi: float
    position: FingerPosition
    captured_at: datetime


@dataclass(frozen=True, eq=False)
class FaceSample:
    image: NDArray[np.uint8]  # (height, width, 3) RGB
    captured_at: datetime


@dataclass(frozen=True, eq=False)
class FingerprintTemplate:
    """Minutiae of one finger, strongest first, in pixels at 500 ppi.

    x, y: int16 (n,), origin top left, y down. angle_rad: float32 (n,), 0 to 2 pi,
    counter-clockwise from the positive x axis, y up. kind: uint8 (n,), 1 ridge ending,
    2 bifurcation. quality: uint8 (n,), 1 to 100.
    """

    position: FingerPosition
    model_id: str
    width_px: int
    height_px: int
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    angle_rad: NDArray[np.float32]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class FaceTemplate:
    """Embedding of one face. vector: float32 (d,)."""

    model_id: str
    vector: NDArray[np.float32]


Template = FingerprintTemplate | FaceTemplate


@dataclass(frozen=True, eq=False)
class ProcessedFace:
    """The best frame of a burst, which of its faces is meant, and what became of it."""

    sample: FaceSample
    box: FaceBox
    is_picked: bool
    quality: Quality
    template: FaceTemplate


@dataclass(frozen=True)
class ComparisonScore:
    """Similarity, higher is more similar, and the false match rate it stands for.

    false_match_rate: share of non-mated comparisons that score at least this much.
    """

    value: float
    false_match_rate: float


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
