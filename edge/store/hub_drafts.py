"""Changes to the watchlist that a second person has to release. Implements HubDrafts.

The release, the change of the log, its images and the lines of the audit log are one
transaction: nothing is published by one person, and nothing is published twice. When a
draft is decided its biometric data leave the draft.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.errors import CaseError, CaseProblem
from edge.records.changes import decode_change, encode_change
from edge.records.console_values import Draft, DraftImage, DraftState
from edge.store.audit import append_audit
from edge.store.case_rows import instant
from edge.store.database import mapped_errors, transaction
from edge.store.hub_images import keep_images, not_shown
from edge.store.hub_log import append_changes
from edge.store.hub_recalls import withdraw_entry
from edge.terms import ChangeOperation, DraftChange

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    import sqlite_utils

_COLUMNS = (
    "number, draft_id, operation, entry_id, change, reason, state, created_by,"
    " created_at, decided_by, decided_at, decision_note, sequence"
)
_IMAGES = (
    "select reference_id, modality, position, quality from draft_images"
    " where draft_id = ? order by rowid"
)


class StoredHubDrafts:
    def __init__(
        self,
        database: sqlite_utils.Database,
        *,
        actor: str,
        shown: Callable[[bytes], bytes | None] = not_shown,
    ) -> None:
        """shown: makes of a PNG that is too large for a booth one that is not."""
        self._database = database
        self._actor = actor
        self._shown = shown

    def add(
        self,
        draft_id: str,
        change: DraftChange,
        images: Sequence[DraftImage],
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """Keep a draft of the actor's until somebody else decides on it.

        reason: why the change is wanted; of a withdrawal it goes into its recall.
        """
        record = encode_change(change.at_sequence(0, at))
        with transaction(self._database) as connection:
            connection.execute(
                "insert into watchlist_drafts (draft_id, operation, entry_id, change,"
                " reason, created_by, created_at) values (?, ?, ?, ?, ?, ?, ?)",
                (
                    draft_id,
                    str(change.operation),
                    change.entry_id,
                    record,
                    reason,
                    self._actor,
                    at.isoformat(),
                ),
            )
            connection.executemany(
                "insert into draft_images values (?, ?, ?, ?, ?, ?)",
                [
                    (draft_id, i.reference_id, i.modality, i.position, i.quality, i.png)
                    for i in images
                ],
            )
            what = f"drafted {change.operation}"
            self._audit(connection, what, f"{draft_id} {change.entry_id}", at)

    def drafts(
        self, *, limit: int, state: DraftState | None = None, before: int | None = None
    ) -> list[Draft]:
        """Return drafts, newest first; before: number of the last one shown."""
        where, values = ["true"], list[object]()
        if state is not None:
            where.append("state = ?")
            values.append(str(state))
        if before is not None:
            where.append("number < ?")
            values.append(before)
        with mapped_errors("read"):
            connection = self._database.conn
            rows = connection.execute(
                f"select {_COLUMNS} from watchlist_drafts"  # noqa: S608  constants
                f" where {' and '.join(where)} order by number desc limit ?",
                (*values, limit),
            ).fetchall()
            return [_draft(connection, row) for row in rows]

    def draft(self, draft_id: str) -> Draft | None:
        with mapped_errors("read"):
            row = _row(self._database.conn, draft_id)
            return None if row is None else _draft(self._database.conn, row)

    def image(self, draft_id: str, reference_id: str) -> bytes | None:
        """Return an image of a draft that waits, as PNG."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select png from draft_images where draft_id = ? and reference_id = ?",
                (draft_id, reference_id),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def release(self, draft_id: str, *, at: datetime) -> Draft:
        """Publish a draft of somebody else's.

        Raises:
            CaseError: no such draft, decided already, or the actor's own.
            WatchlistError: the watchlist has changed so that it no longer applies.
        """
        with transaction(self._database) as connection:
            row = self._waiting(connection, draft_id, must_be_other=True)
            sequence = self._publish(connection, row, at)
            self._decide(connection, draft_id, DraftState.RELEASED, at, sequence)
            subject = f"{draft_id} {row[3]} of {row[7]}"
            self._audit(connection, "released draft", subject, at)
            return self._known(connection, draft_id)

    def reject(self, draft_id: str, *, note: str, at: datetime) -> Draft:
        """Drop a draft; whoever made it may do so too.

        Raises:
            CaseError: no such draft, or decided already.
        """
        with transaction(self._database) as connection:
            row = self._waiting(connection, draft_id, must_be_other=False)
            self._decide(connection, draft_id, DraftState.REJECTED, at, None, note)
            self._audit(connection, "rejected draft", f"{draft_id} {row[3]}", at)
            return self._known(connection, draft_id)

    def _publish(
        self, connection: sqlite3.Connection, row: tuple[Any, ...], at: datetime
    ) -> int:
        """Append the change of a draft to the log; return its sequence."""
        draft_id, entry_id, reason = row[1], row[3], row[5]
        if row[2] == ChangeOperation.WITHDRAW:
            recorded = withdraw_entry(
                connection,
                entry_id,
                originator=row[7],
                reason=reason,
                at=at,
                actor=self._actor,
            )
            return recorded.change.sequence
        change = decode_change(row[4])
        draft = DraftChange(change.operation, entry_id, change.entry, change.references)
        [recorded] = append_changes(connection, [draft], at=at, actor=self._actor)
        pngs = connection.execute(
            "select reference_id, png from draft_images where draft_id = ?", (draft_id,)
        ).fetchall()
        keep_images(connection, [draft], dict(pngs), at=at, shown=self._shown)
        return recorded.change.sequence

    def _decide(
        self,
        connection: sqlite3.Connection,
        draft_id: str,
        state: DraftState,
        at: datetime,
        sequence: int | None,
        note: str = "",
    ) -> None:
        connection.execute(
            "update watchlist_drafts set state = ?, decided_by = ?, decided_at = ?,"
            " decision_note = ?, sequence = ?, change = null where draft_id = ?",
            (str(state), self._actor, at.isoformat(), note, sequence, draft_id),
        )
        connection.execute("delete from draft_images where draft_id = ?", (draft_id,))

    def _waiting(
        self, connection: sqlite3.Connection, draft_id: str, *, must_be_other: bool
    ) -> tuple[Any, ...]:
        row = _row(connection, draft_id)
        if row is None:
            raise CaseError(CaseProblem.UNKNOWN, f"draft {draft_id}: there is none")
        if row[6] != DraftState.WAITING:
            raise CaseError(CaseProblem.CLOSED, f"draft {draft_id} is {row[6]} already")
        if must_be_other and row[7] == self._actor:
            raise CaseError(
                CaseProblem.SAME_PERSON,
                f"draft {draft_id} is by {self._actor}: another person has to release",
            )
        return row

    def _known(self, connection: sqlite3.Connection, draft_id: str) -> Draft:
        row = _row(connection, draft_id)
        if row is None:
            raise CaseError(CaseProblem.UNKNOWN, f"draft {draft_id}: there is none")
        return _draft(connection, row)

    def _audit(
        self, connection: sqlite3.Connection, action: str, subject: str, at: datetime
    ) -> None:
        append_audit(
            connection, at=at, actor=self._actor, action=action, subject=subject
        )


def _row(connection: sqlite3.Connection, draft_id: str) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        f"select {_COLUMNS} from watchlist_drafts where draft_id = ?",  # noqa: S608  constants
        (draft_id,),
    ).fetchone()
    return row


def _draft(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Draft:
    change = None if row[4] is None else decode_change(row[4])
    return Draft(
        number=row[0],
        draft_id=row[1],
        operation=ChangeOperation(row[2]),
        entry_id=row[3],
        entry=None if change is None else change.entry,
        reason=row[5],
        state=DraftState(row[6]),
        created_by=row[7],
        created_at=datetime.fromisoformat(row[8]),
        decided_by=row[9],
        decided_at=instant(row[10]),
        decision_note=row[11],
        sequence=row[12],
        images=tuple(connection.execute(_IMAGES, (row[1],)).fetchall()),
    )
