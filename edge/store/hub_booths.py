"""The booths as the operator sees them. Implements HubBooths."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edge.records.hub_values import BoothOverview
from edge.replication.position import beginning
from edge.store.database import mapped_errors, transaction
from edge.store.hub_statements import read_health
from edge.store.hub_streams import missing

if TYPE_CHECKING:
    import sqlite_utils

_OVERVIEW = """
select known.booth_id, link_states.state, link_states.last_seen_at,
    registry.admitted_at, registry.revoked_at, health.at, health.report,
    (select holding from held where held.booth_id = known.booth_id)
from (select booth_id from registry union select booth_id from link_states) as known
    left join registry using (booth_id) left join link_states using (booth_id)
    left join health using (booth_id)
order by known.booth_id
"""
_HELD = """
select holdings.log, holdings.sequence, holdings.chain, holdings.digest,
    log_changes.chain, log_changes.digest
from holdings left join log_changes
    on log_changes.log = holdings.log and log_changes.sequence = holdings.sequence
where holdings.number = ? and holdings.log = (select log from log_state)
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
        held, is_same = self._held(holding)
        return BoothOverview(
            booth_id=booth_id,
            state=state or "never seen",
            last_seen_at=None if seen is None else datetime.fromisoformat(seen),
            is_admitted=admitted is not None and revoked is None,
            revoked_at=None if revoked is None else datetime.fromisoformat(revoked),
            held_sequence=held,
            is_same=is_same,
            health=read_health(health_at, report),
            gaps=missing(self._database.conn, booth_id),
        )

    def _held(self, holding: int | None) -> tuple[int | None, bool | None]:
        """Return the sequence that a statement names, and whether it is the hub's set.

        Nothing of a statement on another log, which cannot be compared.
        """
        row = self._database.conn.execute(_HELD, (holding,)).fetchone()
        if row is None:
            return None, None
        log, sequence, *held, chain, digest = row
        if sequence == 0:
            start = beginning(log)
            chain, digest = start.chain, start.digest
        return sequence, None if chain is None else held == [chain, digest]
