"""Results and events as JSON: states, qualities and entry data, nothing biometric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from edge.records.searched_face import verdict_map

if TYPE_CHECKING:
    from datetime import datetime

    from edge.checkpoint.check import CheckEvent, CheckResult
    from edge.terms import (
        Candidate,
        Exemption,
        FaceBox,
        FaceGuidance,
        FingerGuidance,
        SearchedFace,
        WatchlistEntry,
        WatchlistFreshness,
    )

# Of a face's measures, what a screen draws: how it is turned and how far away it is.
SHOWN = ("yaw_deg", "pitch_deg", "roll_deg", "inter_eye_px")


class Instruction(Protocol):
    """What an operator at the hub tells the officer about a hit."""

    @property
    def hit_id(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def command_id(self) -> str: ...

    @property
    def at(self) -> datetime: ...


def result_view(result: CheckResult) -> dict[str, Any]:
    entry = result.entry
    return {
        "check_id": result.check_id,
        "is_drill": result.is_drill,
        "outcome": str(result.outcome),
        "reasons": list(result.reasons),
        "candidates": [candidate_view(c) for c in result.candidates],
        "entry": None if entry is None else entry_view(entry),
        "entry_id": None if entry is None else entry.entry_id,
        "hit_id": result.hit_id,
        "attempts": {str(m): n for m, n in result.attempts.items()},
        "quality": {str(m): q.score for m, q in result.quality.items()},
        "timings_ms": {k: round(v, 1) for k, v in result.timings_ms.items()},
        "watchlist": freshness_view(result.watchlist),
        "face": None if result.face is None else _face_view(result.face),
        "searched": [
            {"modality": str(modality), "position": int(position)}
            for modality, position in result.searched
        ],
        "exemptions": [_exemption_view(one) for one in result.exemptions],
    }


def _exemption_view(exemption: Exemption) -> dict[str, Any]:
    position = exemption.position
    return {
        "kind": str(exemption.kind),
        "modality": None if exemption.modality is None else str(exemption.modality),
        "position": None if position is None else int(position),
        "reason": None if exemption.reason is None else str(exemption.reason),
        "note": exemption.note,
        "officer": exemption.officer,
    }


def freshness_view(freshness: WatchlistFreshness) -> dict[str, Any]:
    as_of = freshness.as_of
    return {
        "state": str(freshness.state),
        "as_of": None if as_of is None else as_of.isoformat(),
        "behind": freshness.behind,
    }


def instruction_view(instruction: Instruction) -> dict[str, Any]:
    return {
        "hit_id": instruction.hit_id,
        "text": instruction.text,
        "command_id": instruction.command_id,
        "at": instruction.at.isoformat(),
    }


def event_view(event: CheckEvent, ticket: str) -> dict[str, Any]:
    quality = event.quality
    return {
        "event": "check_progress",
        "ticket": ticket,
        "check_id": event.check_id,
        "stage": event.stage,
        "modality": None if event.modality is None else str(event.modality),
        "attempt": event.attempt,
        "position": None if event.position is None else int(event.position),
        "share": event.share,
        "quality": None if quality is None else quality.score,
        "reasons": [] if quality is None else [str(r) for r in quality.reasons],
        "guidance": None if event.guidance is None else _guidance_view(event.guidance),
        "finger": None if event.finger is None else _finger_view(event.finger),
    }


def _finger_view(guidance: FingerGuidance) -> dict[str, Any]:
    quality = guidance.quality
    return {
        "instruction": str(guidance.instruction),
        "quality": None if quality is None else quality.score,
        "coverage": round(guidance.coverage, 3),
        "share": round(guidance.share, 3),
    }


def _guidance_view(guidance: FaceGuidance) -> dict[str, Any]:
    """Return what leads a traveller: never how the face was presented."""
    measures = guidance.quality.measures
    face = guidance.face
    return {
        "instruction": str(guidance.instruction),
        "face": None if face is None else _box_view(face),
        "faces": [_box_view(box) for box in guidance.faces],
        "is_picked": guidance.is_picked,
        "is_usable": guidance.is_usable,
        "is_steady": guidance.is_steady,
        "frame": {"width_px": guidance.width_px, "height_px": guidance.height_px},
        "measures": {
            name: round(measures[name], 1) for name in SHOWN if name in measures
        },
    }


def _face_view(face: SearchedFace) -> dict[str, Any]:
    """Return which face was searched with, for the officer.

    presentation: null where policy asks for no judgement; "not_judged" where none could
    be made.
    """
    verdict = face.presentation
    return {
        "box": _box_view(face.box),
        "frame": {"width_px": face.width_px, "height_px": face.height_px},
        "is_picked": face.is_picked,
        "presentation": None if verdict is None else verdict_map(verdict),
    }


def _box_view(box: FaceBox) -> dict[str, float]:
    return {name: round(value, 1) for name, value in vars(box).items()}


def candidate_view(candidate: Candidate) -> dict[str, Any]:
    return {
        "entry_id": candidate.entry_id,
        "modality": str(candidate.modality),
        "position": int(candidate.position),
        "false_match_rate": candidate.score.false_match_rate,
        "samples": [
            {
                "modality": str(sample.modality),
                "position": int(sample.position),
                "false_match_rate": sample.score.false_match_rate,
                "log10_ratio": round(sample.log10_ratio, 2),
                "is_deciding": sample.is_deciding,
            }
            for sample in candidate.samples
        ],
    }


def entry_view(entry: WatchlistEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "category": entry.category,
        "originator": entry.originator,
        "handling_code": entry.handling_code,
        "instruction": entry.instruction,
    }
