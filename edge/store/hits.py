"""A hit and its outbox row: always written together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.records.hits import encode_hit
from edge.store.audit import append_audit
from edge.store.outbox import add_to_outbox
from edge.store.outbox_policy import HIT

if TYPE_CHECKING:
    import sqlite3

    from edge.terms import Hit


def insert_hit(connection: sqlite3.Connection, hit: Hit) -> None:
    """Write hit, outbox row and audit line inside the caller's transaction."""
    payload = encode_hit(hit)
    sequence = add_to_outbox(
        connection,
        message_id=hit.hit_id,
        kind=HIT,
        payload=payload,
        at=hit.occurred_at,
    )
    # With its number, so that it can be sent again if the hub loses it.
    connection.execute(
        "insert into hits (hit_id, check_id, entry_id, entry_version, occurred_at,"
        " payload, sequence, is_drill, stream)"
        " select ?, ?, ?, ?, ?, ?, ?, ?, stream from outbox_counter",
        (
            hit.hit_id,
            hit.check_id,
            hit.entry_id,
            hit.entry_version,
            hit.occurred_at.isoformat(),
            payload,
            sequence,
            hit.is_drill,
        ),
    )
    append_audit(
        connection,
        at=hit.occurred_at,
        actor="edge-booth",
        action="referred",
        subject=f"{hit.hit_id} {hit.entry_id}",
    )
