"""Put messages back that the hub once had and has lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.store.outbox_policy import DECISION, HIT, PRIORITIES, VOID, void_body

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import datetime

# Hits are large: so many are put back in one transaction.
STEP_ROWS = 50
_LOST = void_body("delivered before, not kept")
_MISSING = """
with recursive numbers (n) as (
    select ?1 where ?1 <= ?2 union all select n + 1 from numbers where n < ?2
)
select n from numbers where n not in (select sequence from outbox) limit ?3
"""


def missing_numbers(
    connection: sqlite3.Connection, ranges: Sequence[tuple[int, int]], *, limit: int
) -> list[int]:
    """Return the numbers in ranges that were given and do not wait, at most limit."""
    (newest,) = connection.execute(
        "select last_sequence from outbox_counter"
    ).fetchone()
    found: dict[int, None] = {}
    for first, last in ranges:
        span = (max(1, first), min(last, newest), limit)
        found.update((n, None) for (n,) in connection.execute(_MISSING, span))
    return list(found)[:limit]


def put_back(
    connection: sqlite3.Connection, stream: str, numbers: Sequence[int], *, at: datetime
) -> None:
    """Let these numbers wait again, in the caller's transaction.

    A hit or a decision comes back with its content, anything else as void, so that the
    stream has no gap. at: for a number of which nothing is known any more.
    """
    for number in numbers:
        is_back = _put_hit_back(connection, stream, number) or _put_decision_back(
            connection, stream, number
        )
        if not is_back:
            _put_void_back(connection, stream, number, at)
        connection.execute("delete from outbox_cleared where sequence = ?", (number,))


def _put_hit_back(connection: sqlite3.Connection, stream: str, number: int) -> bool:
    place = (stream, number)
    connection.execute(
        "update hits set delivered_at = null where stream = ? and sequence = ?", place
    )
    added = connection.execute(
        "insert into outbox (message_id, sequence, kind, payload, created_at, priority)"
        " select hit_id, sequence, ?, payload, occurred_at, ? from hits"
        " where stream = ? and sequence = ?",
        (HIT, PRIORITIES[HIT], *place),
    ).rowcount
    return added > 0


def _put_decision_back(
    connection: sqlite3.Connection, stream: str, number: int
) -> bool:
    added = connection.execute(
        "insert into outbox (message_id, sequence, kind, payload, created_at, priority)"
        " select message_id, sequence, ?, payload, at, ? from verdicts"
        " where stream = ? and sequence = ?",
        (DECISION, PRIORITIES[DECISION], stream, number),
    ).rowcount
    return added > 0


def _put_void_back(
    connection: sqlite3.Connection, stream: str, number: int, at: datetime
) -> None:
    row = connection.execute(
        "select message_id, created_at from outbox_cleared where sequence = ?",
        (number,),
    ).fetchone()
    message_id, created_at = row or (f"{VOID}-{stream}-{number}", at.isoformat())
    connection.execute(
        "insert into outbox (message_id, sequence, kind, payload, created_at, priority)"
        " values (?, ?, ?, ?, ?, ?)",
        (message_id, number, VOID, _LOST, created_at, PRIORITIES[VOID]),
    )
