"""Hits as CBOR maps: what the outbox holds and the hub receives."""

from __future__ import annotations

import math
from typing import Any

from edge.errors import MessageError
from edge.records.mapping import Fields, decode_map, encode_map, term
from edge.terms import (
    Candidate,
    ComparisonScore,
    Evidence,
    FingerPosition,
    Hit,
    Modality,
    SampleEvidence,
)

HIT_LIMIT = 8_000_000
EVIDENCE_LIMIT = 4_000_000
CANDIDATES_LIMIT = 100
# Ten fingers and a face: an image and a template each, and which face it was.
ITEMS_LIMIT = 24
SAMPLES_LIMIT = 20


def encode_hit(hit: Hit) -> bytes:
    # Only of a drill, so that an older hub takes every hit that is none.
    drill = {"is_drill": True} if hit.is_drill else {}
    return encode_map(
        {
            **drill,
            "v": 1,
            "hit_id": hit.hit_id,
            "check_id": hit.check_id,
            "booth_id": hit.booth_id,
            "occurred_at": hit.occurred_at.isoformat(),
            "entry_id": hit.entry_id,
            "entry_version": hit.entry_version,
            "candidates": [_candidate_map(c) for c in hit.candidates],
            "evidence": [_evidence_map(e) for e in hit.evidence],
        }
    )


def decode_hit(data: bytes) -> Hit:
    """Decode one hit.

    Raises:
        MessageError: says which field is wrong.
    """
    fields = decode_map(data, what="hit", limit=HIT_LIMIT)
    version = fields.count("v")
    if version != 1:
        message = f"hit: version {version}, this software reads 1"
        raise MessageError(message)
    candidates = fields.items("candidates", limit=CANDIDATES_LIMIT)
    evidence = fields.items("evidence", limit=ITEMS_LIMIT)
    hit = Hit(
        hit_id=fields.identifier("hit_id"),
        check_id=fields.identifier("check_id"),
        booth_id=fields.identifier("booth_id"),
        occurred_at=fields.instant("occurred_at"),
        entry_id=fields.identifier("entry_id"),
        entry_version=fields.count("entry_version"),
        candidates=tuple(_candidate_from(item) for item in candidates),
        evidence=tuple(_evidence_from(item) for item in evidence),
        is_drill=fields.optional_flag("is_drill"),
    )
    fields.done()
    return hit


def _candidate_map(candidate: Candidate) -> dict[str, Any]:
    return {
        "entry_id": candidate.entry_id,
        "reference_id": candidate.reference_id,
        "modality": str(candidate.modality),
        "position": int(candidate.position),
        "score": float(candidate.score.value),
        "false_match_rate": float(candidate.score.false_match_rate),
        "samples": [_sample_map(sample) for sample in candidate.samples],
    }


def _candidate_from(value: object) -> Candidate:
    fields = Fields(value, "candidate")
    score = ComparisonScore(
        value=_finite(fields, "score"),
        false_match_rate=_finite(fields, "false_match_rate"),
    )
    candidate = Candidate(
        entry_id=fields.identifier("entry_id"),
        reference_id=fields.identifier("reference_id"),
        modality=term(fields.text("modality", limit=20), Modality, "candidate"),
        position=term(fields.take("position", int), FingerPosition, "candidate"),
        score=score,
        samples=tuple(
            _sample_from(item)
            for item in fields.optional_items("samples", limit=SAMPLES_LIMIT)
        ),
    )
    fields.done()
    return candidate


def _sample_map(sample: SampleEvidence) -> dict[str, Any]:
    return {
        "modality": str(sample.modality),
        "position": int(sample.position),
        "reference_id": sample.reference_id,
        "score": float(sample.score.value),
        "false_match_rate": float(sample.score.false_match_rate),
        "log10_ratio": float(sample.log10_ratio),
        "is_deciding": sample.is_deciding,
    }


def _sample_from(value: object) -> SampleEvidence:
    fields = Fields(value, "sample")
    sample = SampleEvidence(
        modality=term(fields.text("modality", limit=20), Modality, "sample"),
        position=term(fields.take("position", int), FingerPosition, "sample"),
        reference_id=fields.identifier("reference_id"),
        score=ComparisonScore(
            _finite(fields, "score"), _finite(fields, "false_match_rate")
        ),
        log10_ratio=_finite(fields, "log10_ratio"),
        is_deciding=fields.take("is_deciding", bool),
    )
    fields.done()
    return sample


def _finite(fields: Fields, key: str) -> float:
    value = fields.take(key, float)
    if not math.isfinite(value):
        message = f"candidate: {key} is not finite"
        raise MessageError(message)
    return value


def _evidence_map(evidence: Evidence) -> dict[str, Any]:
    return {
        "modality": str(evidence.modality),
        "position": int(evidence.position),
        "media_type": evidence.media_type,
        "data": evidence.data,
    }


def _evidence_from(value: object) -> Evidence:
    fields = Fields(value, "evidence")
    data = fields.take("data", bytes)
    if len(data) > EVIDENCE_LIMIT:
        message = f"evidence: {len(data)} bytes, {EVIDENCE_LIMIT} allowed"
        raise MessageError(message)
    evidence = Evidence(
        modality=term(fields.text("modality", limit=20), Modality, "evidence"),
        position=term(fields.take("position", int), FingerPosition, "evidence"),
        media_type=fields.text("media_type", limit=100),
        data=data,
    )
    fields.done()
    return evidence
