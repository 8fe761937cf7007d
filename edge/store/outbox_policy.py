"""What is sent first, and what is given up when too much waits.

A row that is given up becomes void: it keeps its number and its id, so that the stream
has no gap, and says why there is nothing in it. Hits, decisions, answers and deletion
receipts are never given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.records.mapping import encode_map
from edge.store.audit import append_audit

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

VOID = "void"
HIT = "hit"
DECISION = "decision"
# The lower comes first.
PRIORITIES = {
    HIT: 0,
    DECISION: 0,
    "answer": 0,
    "holding": 1,
    VOID: 2,
    "audit": 2,
    "health": 3,
}
SUPERSEDED = frozenset({"health"})
GIVEN_UP_FIRST = ("health", "audit")


@dataclass(frozen=True)
class OutboxLimits:
    """How much may wait before something is given up: rows with content, and bytes."""

    rows: int = 100_000
    bytes: int = 2 * 1024**3


def priority_of(kind: str) -> int:
    """Return the class of a kind.

    Raises:
        StoreError: there is no such kind.
    """
    if kind not in PRIORITIES:
        known = ", ".join(PRIORITIES)
        raise StoreError(f"outbox: no kind {kind!r:.40}; known are {known}")
    return PRIORITIES[kind]


def void_body(reason: str) -> bytes:
    """Return the body of a void row: a message map (edge.records.message_map)."""
    return encode_map({"v": 1, "type": VOID, "reason": reason})


def give_up_older(connection: sqlite3.Connection, kind: str) -> None:
    """Make rows void that a newer one of their kind says better."""
    if kind not in SUPERSEDED:
        return
    connection.execute(
        "update outbox set kind = ?, priority = ?, payload = ? where kind = ?",
        (VOID, PRIORITIES[VOID], void_body("superseded by a newer one"), kind),
    )


def make_room(
    connection: sqlite3.Connection, limits: OutboxLimits, *, at: datetime
) -> int:
    """Make rows of the lowest class void, the oldest first, until the limits are kept.

    Return how many; what remains may still be too much, and is kept.
    """
    given_up = 0
    for kind in GIVEN_UP_FIRST:
        while _is_too_much(connection, limits):
            changed = connection.execute(
                "update outbox set kind = ?, priority = ?, payload = ? where sequence ="
                " (select min(sequence) from outbox where kind = ?)",
                (VOID, PRIORITIES[VOID], void_body("the outbox was full"), kind),
            ).rowcount
            if not changed:
                break
            given_up += 1
    if given_up:
        append_audit(
            connection,
            at=at,
            actor="edge-sync",
            action="outbox full",
            subject=f"{given_up} messages given up",
        )
    return given_up


def _is_too_much(connection: sqlite3.Connection, limits: OutboxLimits) -> bool:
    contents, size = connection.execute(
        "select contents, bytes from outbox_counter"
    ).fetchone()
    return bool(contents > limits.rows or size > limits.bytes)
