"""What the content of an outbox message says, by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.records.hits import decode_hit
from edge.sync.messages import Answer, AuditExtract, Health, Holding, Void

if TYPE_CHECKING:
    from edge.sync.messages import Content
    from edge.terms import Hit

Item = "Hit | Holding | Health | AuditExtract | Answer | Void"
_READERS = {
    "holding": Holding.decode,
    "health": Health.decode,
    "audit": AuditExtract.decode,
    "answer": Answer.decode,
    "void": Void.decode,
}


def item_of(content: Content) -> Hit | Holding | Health | AuditExtract | Answer | Void:
    """Return what a booth's content holds.

    Raises:
        MessageError: unreadable, of a kind that this hub does not know, or a hit of
            another booth.
    """
    if content.kind == "hit":
        hit = decode_hit(content.body)
        if hit.booth_id != content.booth_id:
            raise MessageError(f"hit {hit.hit_id} is of another booth")
        return hit
    reader = _READERS.get(content.kind)
    if reader is None:
        raise MessageError(f"kind {content.kind!r} is not known to this hub")
    return reader(content.body)
