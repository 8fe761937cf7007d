"""Officers' verdicts on hits as CBOR maps: what the outbox holds, the hub receives."""

from __future__ import annotations

from edge.errors import MessageError
from edge.records.mapping import decode_map, encode_map, term
from edge.terms import (
    DecisionState,
    HitDecision,
    OfficerVerdict,
    Verdict,
    VerdictReason,
)

DECISION_LIMIT = 16_384
NOTE_LIMIT = 1_000
CODE_LIMIT = 40
# A first and a second officer.
VERDICTS_LIMIT = 2


def encode_decision(decision: HitDecision) -> bytes:
    said = decision.verdict
    return encode_map(
        {
            "v": 1,
            "hit_id": decision.hit_id,
            "booth_id": decision.booth_id,
            "number": decision.number,
            "needs_second": decision.needs_second,
            "state": str(decision.state),
            "officer": said.officer,
            "verdict": str(said.verdict),
            "reason": str(said.reason),
            "note": said.note,
            "at": said.at.isoformat(),
        }
    )


def decode_decision(data: bytes) -> HitDecision:
    """Decode one verdict.

    Raises:
        MessageError: says which field is wrong.
    """
    fields = decode_map(data, what="decision", limit=DECISION_LIMIT)
    version = fields.count("v")
    if version != 1:
        message = f"decision: version {version}, this software reads 1"
        raise MessageError(message)
    said = OfficerVerdict(
        officer=fields.identifier("officer"),
        verdict=term(fields.text("verdict", limit=CODE_LIMIT), Verdict, "decision"),
        reason=term(fields.text("reason", limit=CODE_LIMIT), VerdictReason, "decision"),
        note=fields.text("note", limit=NOTE_LIMIT),
        at=fields.instant("at"),
    )
    decision = HitDecision(
        hit_id=fields.identifier("hit_id"),
        booth_id=fields.identifier("booth_id"),
        number=fields.count("number", limit=VERDICTS_LIMIT),
        needs_second=fields.take("needs_second", bool),
        state=term(fields.text("state", limit=CODE_LIMIT), DecisionState, "decision"),
        verdict=said,
    )
    fields.done()
    if decision.number == 0 or decision.state is DecisionState.UNDECIDED:
        message = "decision: a verdict has a number from 1 on and decides something"
        raise MessageError(message)
    return decision
