"""What an opened outbox message says, by its kind, as the store takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.records.decisions import decode_decision
from edge.records.hits import decode_hit
from edge.records.hub_values import HealthReport, HoldingStatement, ReceivedContent
from edge.sync.messages import Answer, AuditExtract, Health, Holding, Void

if TYPE_CHECKING:
    from edge.hub.opening import Opened


def received(opened: Opened) -> ReceivedContent:
    """Return what the store is to keep of a message.

    Raises:
        MessageError: the body is unreadable, of a kind that this hub does not know, or
            a hit or a decision of another booth.
    """
    content = opened.content
    bare = ReceivedContent(
        booth_id=content.booth_id,
        stream=content.stream,
        sequence=content.sequence,
        message_id=content.message_id,
        kind=content.kind,
        created_at=content.created_at,
        signed=opened.signed,
        digest=opened.digest,
    )
    match content.kind:
        case "hit":
            return _with_hit(bare, content.body)
        case "decision":
            return _with_decision(bare, content.body)
        case "holding":
            return replace(bare, holding=_holding(content.body))
        case "health":
            return replace(bare, health=_health(content.body))
        case "audit":
            AuditExtract.decode(content.body)
        case "answer":
            Answer.decode(content.body)
        case "void":
            Void.decode(content.body)
        case _:
            raise MessageError(f"kind {content.kind!r} is not known to this hub")
    return bare


def _with_hit(bare: ReceivedContent, body: bytes) -> ReceivedContent:
    hit = decode_hit(body)
    if hit.booth_id != bare.booth_id:
        raise MessageError(f"hit {hit.hit_id} is of another booth")
    return replace(bare, hit=hit)


def _with_decision(bare: ReceivedContent, body: bytes) -> ReceivedContent:
    decision = decode_decision(body)
    if decision.booth_id != bare.booth_id:
        raise MessageError(f"decision on hit {decision.hit_id} is of another booth")
    return replace(bare, decision=decision)


def _holding(body: bytes) -> HoldingStatement:
    holding = Holding.decode(body)
    return HoldingStatement(
        log=holding.log,
        sequence=holding.sequence,
        chain=holding.chain,
        digest=holding.digest,
        count=holding.count,
        withdrawn=tuple((item.sequence, item.entry_id) for item in holding.withdrawn),
        at=holding.at,
    )


def _health(body: bytes) -> HealthReport:
    health = Health.decode(body)
    return HealthReport(**{name: getattr(health, name) for name in Health.model_fields})
