"""The booths as the operator sees them. Implements HubBooths."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from edge.records.hub_values import BoothOverview, HealthReport
from edge.store.database import mapped_errors, transaction

if TYPE_CHECKING:
    import sqlite_utils

_OVERVIEW = """
select known.booth_id, link_states.state, link_states.last_seen_at,
    registry.admitted_at, registry.revoked_at, health.at, health.report,
    (select number from holdings where holdings.booth_id = known.booth_id
     and log = (select log from log_state) order by sequence desc, number desc limit 1)
from (select booth_id from registry union select booth_id from link_states) as known
    left join registry using (booth_id) left join link_states using (booth_id)
    left join health using (booth_id)
order by known.booth_id
"""
_HELD = """
select holdings.sequence, log_changes.digest = holdings.digest
    and log_changes.chain = holdings.chain
from holdings left join log_changes
    on log_changes.log = holdings.log and log_changes.sequence = holdings.sequence
where holdings.number = ?
"""


class StoredHubBooths:
    def __init__(self, database: sqlite_utils.Database) -> None:
        self._database = database

    def seen(self, booth_id: str, *, state: str, at: datetime) -> None:
        with transaction(self._database) as connection:
            connection.execute(
                "insert into link_states values (?, ?, ?) on conflict do update set"
                " state = excluded.state, last_seen_at = excluded.last_seen_at",
                (booth_id, state, at.isoformat()),
            )

    def seen_all(self, states: dict[str, str], *, at: datetime) -> None:
        """Note the states of many booths in one transaction."""
        with transaction(self._database) as connection:
            connection.executemany(
                "insert into link_states values (?, ?, ?) on conflict do update set"
                " state = excluded.state, last_seen_at = excluded.last_seen_at",
                [(b, state, at.isoformat()) for b, state in states.items()],
            )

    def booths(self) -> list[BoothOverview]:
        with mapped_errors("read"):
            connection = self._database.conn
            rows = connection.execute(_OVERVIEW).fetchall()
            return [self._overview(row) for row in rows]

    def _overview(
        self,
        row: tuple[
            str,
            str | None,
            str | None,
            str | None,
            str | None,
            str | None,
            str | None,
            int | None,
        ],
    ) -> BoothOverview:
        booth_id, state, seen, admitted, revoked, health_at, report, holding = row
        held, is_same = None, None
        if holding is not None:
            held, same = self._database.conn.execute(_HELD, (holding,)).fetchone()
            is_same = None if same is None else bool(same)
        return BoothOverview(
            booth_id=booth_id,
            state=state or "never seen",
            last_seen_at=None if seen is None else datetime.fromisoformat(seen),
            is_admitted=admitted is not None and revoked is None,
            revoked_at=None if revoked is None else datetime.fromisoformat(revoked),
            held_sequence=held,
            is_same=is_same,
            health=_report(health_at, report),
            gaps=self._missing(booth_id),
        )

    def _missing(self, booth_id: str) -> int:
        """Return how many numbers are missing: those above the marks less the rows."""
        missing = 0
        for stream, contiguous, highest in self._database.conn.execute(
            "select stream, contiguous, highest from streams"
            " where booth_id = ? and highest > contiguous",
            (booth_id,),
        ).fetchall():
            (there,) = self._database.conn.execute(
                "select count(*) from messages"
                " where booth_id = ? and stream = ? and sequence > ?",
                (booth_id, stream, contiguous),
            ).fetchone()
            missing += highest - contiguous - there
        return missing


def _report(at: str | None, report: str | None) -> HealthReport | None:
    if at is None or report is None:
        return None
    value = json.loads(report)
    issued_at = value.pop("head_issued_at")
    return HealthReport(
        at=datetime.fromisoformat(at),
        head_issued_at=None if issued_at is None else datetime.fromisoformat(issued_at),
        **value,
    )
