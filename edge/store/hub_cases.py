"""The cases: what the operators list, claim, and close. Implements HubCases.

Every change is one transaction: the row, a line of the timeline, and a line of the
audit log. A claim is taken by the row that is still nobody's, so that of two who reach
for it at once one gets it and the other is told who did.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.errors import CaseError, CaseProblem
from edge.records.console_values import (
    Case,
    CaseCounts,
    CaseEvent,
    CaseFilter,
    CaseOutcome,
    CaseState,
    EventKind,
)
from edge.store.audit import append_audit
from edge.store.case_rows import (
    CASE_COLUMNS,
    EVENT_COLUMNS,
    add_event,
    case_of,
    event_of,
)
from edge.store.database import mapped_errors, transaction
from edge.store.hub_commands import add_command

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    import sqlite_utils

    from edge.records.hub_values import CommandRecord

# Where a list goes on: severity and number of the last case shown.
Place = tuple[int, int]
# Each is counted in an index that covers it.
_COUNTS = (
    "select (select count(*) from cases where state = 'open'),"
    " (select count(*) from cases where state = 'open' and claimed_by is null),"
    " (select count(*) from cases where state = 'closed'),"
    " (select count(*) from cases where claimed_by = ? and state = 'open')"
)
_OLDEST = (
    "select min(received_at) from cases where state = 'open' and claimed_by is null"
)


class StoredHubCases:
    """actor: the account that acts, as the audit log and the timelines name it."""

    def __init__(self, database: sqlite_utils.Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor

    def queue(
        self, asked: CaseFilter, *, limit: int, after: Place | None = None
    ) -> list[Case]:
        """Return cases: open ones the most severe first, of those the newest first.

        All others come the newest first. after: place of the last case of the page
        before.
        """
        is_queue = asked.state is CaseState.OPEN
        conditions: dict[str, object] = {
            "state = ?": None if asked.state is None else str(asked.state),
            "booth_id = ?": asked.booth_id,
            "claimed_by = ?": asked.claimed_by,
            "is_drill = ?": asked.is_drill,
        }
        used = {text: value for text, value in conditions.items() if value is not None}
        where = ["true", *used]
        values = list(used.values())
        if after is not None:
            where.append("(severity, number) < (?, ?)" if is_queue else "number < ?")
            values += after if is_queue else after[1:]
        order = "severity desc, number desc" if is_queue else "number desc"
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {CASE_COLUMNS} from cases where {' and '.join(where)}"  # noqa: S608  constants
                f" order by {order} limit ?",
                (*values, limit),
            ).fetchall()
        return [case_of(row) for row in rows]

    def counts(self) -> CaseCounts:
        """Return how many cases there are; "mine" are the actor's."""
        with mapped_errors("read"):
            connection = self._database.conn
            row = connection.execute(_COUNTS, (self._actor,)).fetchone()
            (oldest,) = connection.execute(_OLDEST).fetchone()
        since = None if oldest is None else datetime.fromisoformat(oldest)
        is_open, unclaimed, closed, mine = row
        return CaseCounts(is_open, unclaimed, closed, mine, oldest_unclaimed_at=since)

    def case(self, hit_id: str) -> Case | None:
        with mapped_errors("read"):
            return _case(self._database.conn, hit_id)

    def timeline(self, hit_id: str) -> list[CaseEvent]:
        """Return what has happened to a case, oldest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {EVENT_COLUMNS} from case_events where hit_id = ?"  # noqa: S608  constants
                " order by number",
                (hit_id,),
            ).fetchall()
        return [event_of(row) for row in rows]

    def events_after(self, number: int, *, limit: int) -> list[CaseEvent]:
        """Return what has happened to all cases since, oldest first."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"select {EVENT_COLUMNS} from case_events where number > ?"  # noqa: S608  constants
                " order by number limit ?",
                (number, limit),
            ).fetchall()
        return [event_of(row) for row in rows]

    def last_event(self) -> int:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select coalesce(max(number), 0) from case_events"
            ).fetchone()
        return int(row[0])

    def claim(self, hit_id: str, *, at: datetime) -> Case:
        """Make a case the actor's; claiming one's own again changes nothing.

        Raises:
            CaseError: no such case, closed, or another's; names whose.
        """
        with transaction(self._database) as connection:
            taken = connection.execute(
                "update cases set claimed_by = ?, claimed_at = ?"
                " where hit_id = ? and state = 'open' and claimed_by is null",
                (self._actor, at.isoformat(), hit_id),
            ).rowcount
            case = _open_case(connection, hit_id)
            if case.claimed_by != self._actor:
                raise _taken(case)
            if taken:
                self._note(connection, hit_id, EventKind.CLAIMED, at)
            return case

    def release(self, hit_id: str, *, at: datetime) -> Case:
        """Give a case back to the queue.

        Raises:
            CaseError: no such case, closed, or not the actor's.
        """
        with transaction(self._database) as connection:
            self._own_case(connection, hit_id)
            connection.execute(
                "update cases set claimed_by = null, claimed_at = null"
                " where hit_id = ?",
                (hit_id,),
            )
            self._note(connection, hit_id, EventKind.RELEASED, at)
            return _open_case(connection, hit_id)

    def take_over(self, hit_id: str, *, reason: str, at: datetime) -> Case:
        """Make another's case the actor's; who may is for the caller to say.

        Raises:
            CaseError: no such case, closed, nobody's, or the actor's already.
        """
        with transaction(self._database) as connection:
            case = _open_case(connection, hit_id)
            if case.claimed_by in (None, self._actor):
                raise CaseError(
                    CaseProblem.NOT_CLAIMED, f"case {hit_id}: nobody else holds it"
                )
            connection.execute(
                "update cases set claimed_by = ?, claimed_at = ? where hit_id = ?",
                (self._actor, at.isoformat(), hit_id),
            )
            body = {"from": case.claimed_by, "reason": reason}
            self._note(connection, hit_id, EventKind.TAKEN_OVER, at, body)
            return _open_case(connection, hit_id)

    def instruct(
        self, hit_id: str, command: CommandRecord, text: str, *, at: datetime
    ) -> Case:
        """Send an instruction to the booth of a case of the actor's.

        Raises:
            CaseError: no such case, closed, or not the actor's.
        """
        with transaction(self._database) as connection:
            case = self._own_case(connection, hit_id)
            add_command(connection, command, actor=self._actor)
            connection.execute(
                "insert into case_instructions (command_id, hit_id) values (?, ?)",
                (command.command_id, hit_id),
            )
            body = {"command_id": command.command_id, "text": text}
            self._note(connection, hit_id, EventKind.INSTRUCTED, at, body)
            return case

    def note(self, hit_id: str, text: str, *, at: datetime) -> Case:
        """Write a remark into the timeline; anybody who may act may.

        Raises:
            CaseError: no such case.
        """
        with transaction(self._database) as connection:
            case = _known_case(connection, hit_id)
            self._note(connection, hit_id, EventKind.NOTED, at, {"text": text})
            return case

    def escalate(self, hit_id: str, *, reason: str, at: datetime) -> Case:
        """Call for a supervisor; the case stays the actor's, at the highest severity.

        Raises:
            CaseError: no such case, closed, or not the actor's.
        """
        with transaction(self._database) as connection:
            self._own_case(connection, hit_id)
            connection.execute(
                "update cases set escalated_at = ?, severity = 4 where hit_id = ?",
                (at.isoformat(), hit_id),
            )
            self._note(connection, hit_id, EventKind.ESCALATED, at, {"reason": reason})
            return _open_case(connection, hit_id)

    def close(
        self, hit_id: str, outcome: CaseOutcome, *, note: str, at: datetime
    ) -> Case:
        """End a case of the actor's.

        Raises:
            CaseError: no such case, closed, not the actor's; or a drill is closed as
                something else, or something else as a drill.
        """
        with transaction(self._database) as connection:
            case = self._own_case(connection, hit_id)
            if case.is_drill != (outcome is CaseOutcome.DRILL):
                what = "is a drill" if case.is_drill else "is no drill"
                raise CaseError(
                    CaseProblem.WRONG_OUTCOME,
                    f"case {hit_id} {what}: it cannot end in {outcome}",
                )
            connection.execute(
                "update cases set state = 'closed', outcome = ?, closed_at = ?"
                " where hit_id = ?",
                (str(outcome), at.isoformat(), hit_id),
            )
            body = {"outcome": str(outcome), "note": note}
            self._note(connection, hit_id, EventKind.CLOSED, at, body)
            return _known_case(connection, hit_id)

    def note_export(self, hit_id: str, *, digest: str, at: datetime) -> None:
        """Note that the case has left the hub as an archive of this SHA-256."""
        with transaction(self._database) as connection:
            body = {"sha256": digest}
            self._note(connection, hit_id, EventKind.EXPORTED, at, body)

    def _own_case(self, connection: sqlite3.Connection, hit_id: str) -> Case:
        case = _open_case(connection, hit_id)
        if case.claimed_by is None:
            raise CaseError(
                CaseProblem.NOT_CLAIMED, f"case {hit_id}: claim it before acting on it"
            )
        if case.claimed_by != self._actor:
            raise _taken(case)
        return case

    def _note(
        self,
        connection: sqlite3.Connection,
        hit_id: str,
        kind: EventKind,
        at: datetime,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        add_event(connection, hit_id, kind, at=at, actor=self._actor, body=body)
        append_audit(
            connection, at=at, actor=self._actor, action=f"case {kind}", subject=hit_id
        )


def _case(connection: sqlite3.Connection, hit_id: str) -> Case | None:
    row = connection.execute(
        f"select {CASE_COLUMNS} from cases where hit_id = ?",  # noqa: S608  constants
        (hit_id,),
    ).fetchone()
    return None if row is None else case_of(row)


def _known_case(connection: sqlite3.Connection, hit_id: str) -> Case:
    case = _case(connection, hit_id)
    if case is None:
        raise CaseError(CaseProblem.UNKNOWN, f"case {hit_id}: there is none")
    return case


def _open_case(connection: sqlite3.Connection, hit_id: str) -> Case:
    case = _known_case(connection, hit_id)
    if case.state is CaseState.CLOSED:
        raise CaseError(CaseProblem.CLOSED, f"case {hit_id} is closed")
    return case


def _taken(case: Case) -> CaseError:
    return CaseError(
        CaseProblem.TAKEN, f"case {case.hit_id} is {case.claimed_by}'s already"
    )
