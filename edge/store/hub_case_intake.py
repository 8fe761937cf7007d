"""Makes cases of the hits that have come, and follows what becomes of them.

The process that takes the hits knows nothing of cases: whoever shows them makes them,
as soon as it sees the hit; a console that was down makes up for it when it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cbor2

from edge.records.changes import entry_from
from edge.records.console_values import EventKind
from edge.records.decisions import decode_decision
from edge.records.hub_values import CommandState
from edge.store.case_rows import add_event
from edge.store.database import mapped_errors, transaction
from edge.store.hub_decisions import decisions_on
from edge.store.hub_messages import StoredHubMessages

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    import sqlite_utils

    from edge.records.hub_values import StoredHit
    from edge.terms import HitDecision, WatchlistEntry

ACTOR = "edge-console"
ROUTINE = 1
_NEW_HITS = (
    "select received_hits.number, hit_id from received_hits"
    " where number > (select hits from console_position) order by number limit ?"
)
_OF_ENTRY = (
    "select record from log_changes where entry_id = ? and operation <> 'withdraw'"
    " order by rowid desc limit 5"
)
_SETTLED = (
    "select command_id, hit_id, commands.state, commands.outcome, commands.detail"
    " from case_instructions join commands using (command_id)"
    " where is_settled = 0 and commands.state <> ?"
)
_NEW_DECISIONS = (
    "select received_decisions.number, received_decisions.hit_id, body,"
    " cases.hit_id is not null from received_decisions left join cases"
    " on cases.hit_id = received_decisions.hit_id"
    " and cases.booth_id = received_decisions.booth_id"
    " where received_decisions.number > (select decisions from console_position)"
    " order by received_decisions.number limit ?"
)


class StoredCaseIntake:
    """severity_of: 1 to 4, of an entry, or of None where the entry is not known.

    is_drill: whether an entry is an exercise.
    """

    def __init__(
        self,
        database: sqlite_utils.Database,
        *,
        severity_of: Callable[[WatchlistEntry | None], int],
        is_drill: Callable[[WatchlistEntry | None], bool],
    ) -> None:
        self._database = database
        self._messages = StoredHubMessages(database)
        self._severity_of = severity_of
        self._is_drill = is_drill

    def data_version(self) -> int:
        """Return a number that moves when another connection has written."""
        with mapped_errors("read"):
            row = self._database.conn.execute("pragma data_version").fetchone()
        return int(row[0])

    def take_in(self, *, limit: int = 100) -> int:
        """Make cases of new hits, at most limit; return how many there were."""
        with mapped_errors("read"):
            if not self._database.conn.execute(_NEW_HITS, (1,)).fetchall():
                return 0
        with transaction(self._database) as connection:
            rows = connection.execute(_NEW_HITS, (limit,)).fetchall()
            for _, hit_id in rows:
                stored = self._messages.hit(hit_id)
                if stored is not None:
                    self._make(connection, stored)
            if rows:
                connection.execute("update console_position set hits = ?", rows[-1][:1])
        return len(rows)

    def settle_instructions(self, *, at: datetime) -> int:
        """Note in the timelines what booths have answered; return how many."""
        waiting = str(CommandState.WAITING)
        with mapped_errors("read"):
            if not self._database.conn.execute(_SETTLED, (waiting,)).fetchall():
                return 0
        with transaction(self._database) as connection:
            rows = connection.execute(_SETTLED, (waiting,)).fetchall()
            for command_id, hit_id, state, outcome, detail in rows:
                body = {
                    "command_id": command_id,
                    "outcome": outcome or state,
                    "detail": detail or "",
                }
                add_event(
                    connection,
                    hit_id,
                    EventKind.INSTRUCTION_ANSWERED,
                    at=at,
                    actor=ACTOR,
                    body=body,
                )
                connection.execute(
                    "update case_instructions set is_settled = 1 where command_id = ?",
                    (command_id,),
                )
        return len(rows)

    def follow_decisions(self, *, limit: int = 100) -> int:
        """Note in the timelines what officers have said; return how many words."""
        with mapped_errors("read"):
            if not self._database.conn.execute(_NEW_DECISIONS, (1,)).fetchall():
                return 0
        with transaction(self._database) as connection:
            rows = connection.execute(_NEW_DECISIONS, (limit,)).fetchall()
            for _, _, body, is_of_case in rows:
                if is_of_case:
                    _note_decision(connection, decode_decision(body))
            if rows:
                connection.execute(
                    "update console_position set decisions = ?", rows[-1][:1]
                )
        return len(rows)

    def _make(self, connection: sqlite3.Connection, stored: StoredHit) -> None:
        hit = stored.hit
        entry = entry_at(connection, hit.entry_id, hit.entry_version)
        rates = [candidate.score.false_match_rate for candidate in hit.candidates]
        modalities = sorted(
            {
                str(sample.modality)
                for candidate in hit.candidates
                for sample in (candidate.samples or (candidate,))
            }
        )
        made = connection.execute(
            "insert or ignore into cases (hit_id, number, booth_id, check_id, entry_id,"
            " entry_version, name, category, handling_code, severity, is_drill,"
            " is_historical, modalities, false_match_rate, occurred_at, received_at)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                hit.hit_id,
                stored.number,
                hit.booth_id,
                hit.check_id,
                hit.entry_id,
                hit.entry_version,
                None if entry is None else entry.name,
                "" if entry is None else entry.category,
                "" if entry is None else entry.handling_code,
                ROUTINE if hit.is_drill else self._severity_of(entry),
                hit.is_drill or self._is_drill(entry),
                stored.is_historical,
                ",".join(modalities),
                min(rates, default=1.0),
                hit.occurred_at.isoformat(),
                stored.received_at.isoformat(),
            ),
        ).rowcount
        if made:
            body: dict[str, Any] = {"is_historical": stored.is_historical}
            add_event(
                connection,
                hit.hit_id,
                EventKind.RECEIVED,
                at=stored.received_at,
                actor=hit.booth_id,
                body=body,
            )
            _note_earlier_decisions(connection, hit.hit_id)


def _note_earlier_decisions(connection: sqlite3.Connection, hit_id: str) -> None:
    """Note what officers said before the hit itself had come."""
    (known,) = connection.execute("select decisions from console_position").fetchone()
    for stored in decisions_on(connection, hit_id):
        if stored.number <= known:
            _note_decision(connection, stored.decision)


def _note_decision(connection: sqlite3.Connection, decision: HitDecision) -> None:
    said = decision.verdict
    body = {
        "officer": said.officer,
        "verdict": str(said.verdict),
        "reason": str(said.reason),
        "note": said.note,
        "step": "first" if decision.number == 1 else "second",
        "state": str(decision.state),
    }
    add_event(
        connection,
        decision.hit_id,
        EventKind.DECIDED,
        at=said.at,
        actor=decision.booth_id,
        body=body,
    )
    connection.execute(
        "update cases set decision = ? where hit_id = ?",
        (str(decision.state), decision.hit_id),
    )


def entry_at(
    connection: sqlite3.Connection, entry_id: str, version: int
) -> WatchlistEntry | None:
    """Return an entry as it was in this version; else the newest that is known.

    Withdrawn entries too: what they said is part of the hits on them.
    """
    newest = None
    for (record,) in connection.execute(_OF_ENTRY, (entry_id,)):
        # Read without the templates, which are not asked for.
        entry = entry_from(cbor2.loads(record)["entry"])
        if entry.version == version:
            return entry
        newest = newest or entry
    return newest
