"""The booth's hits. Implements edge.ports.HitRecorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.records.hits import encode_hit
from edge.store.audit import append_audit
from edge.store.database import transaction
from edge.store.outbox import add_to_outbox

if TYPE_CHECKING:
    import sqlite_utils

    from edge.terms import Hit

HIT_KIND = "hit"


class HitStore:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def record_hit(self, hit: Hit) -> None:
        """Write hit, outbox row and audit line in one durable transaction."""
        payload = encode_hit(hit)
        with transaction(self._database) as connection:
            connection.execute(
                "insert into hits (hit_id, check_id, entry_id, entry_version,"
                " occurred_at, payload) values (?, ?, ?, ?, ?, ?)",
                (
                    hit.hit_id,
                    hit.check_id,
                    hit.entry_id,
                    hit.entry_version,
                    hit.occurred_at.isoformat(),
                    payload,
                ),
            )
            add_to_outbox(
                connection,
                message_id=hit.hit_id,
                kind=HIT_KIND,
                payload=payload,
                at=hit.occurred_at,
            )
            append_audit(
                connection,
                at=hit.occurred_at,
                actor="edge-booth",
                action="referred",
                subject=f"{hit.hit_id} {hit.entry_id}",
            )
