"""What the booths have sent. Implements edge.hub.store_port.HubMessages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import cbor2

from edge.records.hits import decode_hit
from edge.records.hub_values import StoredHit, StoredOutcome
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.hub_decisions import decisions_on, is_verdict_known, keep_decision
from edge.store.hub_statements import keep_health, keep_holding
from edge.store.hub_streams import note_arrival, read_gaps
from edge.trust.cose import read_signed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import sqlite_utils

    from edge.records.hub_values import Gap, ReceivedContent, StoredDecision
    from edge.terms import Hit

HISTORICAL_AFTER_S = 300.0
_SIGNED_LIMIT = 16 * 1024 * 1024
_HITS = (
    "select number, signed, stream, sequence, received_at, is_historical, created_at"
    # The order of this join is kept: hits are few among the messages.
    " from received_hits cross join messages using (number)"
)


class StoredHubMessages:
    """historical_after_s: what comes later than this after its creation is no news."""

    def __init__(
        self,
        database: sqlite_utils.Database,
        *,
        historical_after_s: float = HISTORICAL_AFTER_S,
    ) -> None:
        self._database = database
        self._historical_after_s = historical_after_s
        # Of the last commit, by number: whoever takes them need not decode them again.
        self._fresh: dict[int, Hit] = {}

    def accept(
        self, contents: Sequence[ReceivedContent], *, at: datetime
    ) -> list[StoredOutcome]:
        """Store all in one durable transaction; one outcome each, in order."""
        fresh: dict[int, Hit] = {}
        with transaction(self._database) as connection:
            outcomes = [self._accept(connection, item, at, fresh) for item in contents]
        self._fresh = fresh
        return outcomes

    def hits(
        self,
        *,
        limit: int = 1000,
        booth_id: str | None = None,
        since: datetime | None = None,
        is_historical: bool | None = None,
    ) -> list[StoredHit]:
        """Return the last hits received, oldest first."""
        conditions = {
            "received_hits.booth_id = ?": booth_id,
            "received_at >= ?": None if since is None else since.isoformat(),
            "is_historical = ?": is_historical,
        }
        asked = {text: value for text, value in conditions.items() if value is not None}
        where = " and ".join(["true", *asked])
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_HITS} where {where} order by received_hits.number desc limit ?",
                (*asked.values(), limit),
            ).fetchall()
        return [_hit(row) for row in reversed(rows)]

    def hit(self, hit_id: str) -> StoredHit | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"{_HITS} where hit_id = ?", (hit_id,)
            ).fetchone()
        return None if row is None else _hit(row)

    def hits_beginning(self, beginning: str, *, limit: int) -> list[StoredHit]:
        """Return hits by the beginning of their ids, in the order of the ids."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_HITS} where hit_id between ? and ? order by hit_id limit ?",
                (beginning, beginning + "\U0010ffff", limit),
            ).fetchall()
        return [_hit(row) for row in rows]

    def decisions(self, hit_id: str) -> list[StoredDecision]:
        """Return what officers at the hit's booth said, the first officer first.

        Of a hit that has not come yet, what any booth says.
        """
        with mapped_errors("read"):
            return decisions_on(self._database.conn, hit_id)

    def signed(self, message_id: str) -> bytes | None:
        """Return the booth's signed object of a message."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select signed from messages where message_id = ?", (message_id,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def signed_of_hit(self, hit_id: str) -> bytes | None:
        """Return the booth's signed object that brought a hit."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select signed from received_hits join messages using (number)"
                " where hit_id = ?",
                (hit_id,),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def take_new_hits(self, *, limit: int) -> list[StoredHit]:
        """Return hits that no call has returned before, and remember that durably."""
        with mapped_errors("read"):
            is_any = self._database.conn.execute(
                "select 1 from received_hits"
                " where number > (select number from console) limit 1"
            ).fetchone()
        if is_any is None:
            return []
        with transaction(self._database) as connection:
            rows = connection.execute(
                f"{_HITS} where number > (select number from console)"  # noqa: S608  a constant
                " order by number limit ?",
                (limit,),
            ).fetchall()
            if rows:
                connection.execute("update console set number = ?", (rows[-1][0],))
        return [_hit(row, self._fresh.pop(row[0], None)) for row in rows]

    def gaps(self, booth_id: str | None = None) -> list[Gap]:
        """Return what is missing, at most 1,000 ranges a stream."""
        with mapped_errors("read"):
            return read_gaps(self._database.conn, booth_id)

    def note_access(self, hit_id: str, *, actor: str, at: datetime) -> None:
        """Write into the audit log that a person has looked at a hit."""
        with transaction(self._database) as connection:
            append_audit(
                connection, at=at, actor=actor, action="read hit", subject=hit_id
            )

    def _accept(
        self,
        connection: sqlite3.Connection,
        item: ReceivedContent,
        at: datetime,
        fresh: dict[int, Hit],
    ) -> StoredOutcome:
        known = connection.execute(
            "select digest from messages where message_id = ?1"
            " or (booth_id = ?2 and stream = ?3 and sequence = ?4)",
            (item.message_id, item.booth_id, item.stream, item.sequence),
        ).fetchall()
        if known:
            is_same = all(bytes(row[0]) == item.digest for row in known)
            return StoredOutcome.DUPLICATE if is_same else StoredOutcome.REFUSED
        if item.hit is not None and _is_hit_known(connection, item.hit.hit_id):
            return StoredOutcome.REFUSED
        if item.decision is not None and is_verdict_known(connection, item.decision):
            return StoredOutcome.REFUSED
        number = self._insert(connection, item, at)
        if item.hit is not None:
            fresh[number] = item.hit
        return StoredOutcome.STORED

    def _insert(
        self, connection: sqlite3.Connection, item: ReceivedContent, at: datetime
    ) -> int:
        """Write a message; return its number."""
        late_s = (at - item.created_at).total_seconds()
        (number,) = connection.execute(
            "insert into messages (booth_id, stream, sequence, message_id, kind,"
            " created_at, received_at, is_historical, digest, signed)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) returning number",
            (
                item.booth_id,
                item.stream,
                item.sequence,
                item.message_id,
                item.kind,
                item.created_at.isoformat(),
                at.isoformat(),
                late_s > self._historical_after_s,
                item.digest,
                item.signed,
            ),
        ).fetchone()
        if item.hit is not None:
            connection.execute(
                "insert into received_hits values (?, ?, ?, ?, ?)",
                (
                    item.hit.hit_id,
                    number,
                    item.booth_id,
                    item.hit.entry_id,
                    item.hit.occurred_at.isoformat(),
                ),
            )
        if item.decision is not None:
            keep_decision(connection, item.decision, number=number)
        stream = note_arrival(
            connection, item.booth_id, item.stream, item.sequence, at=at
        )
        if item.holding is not None:
            keep_holding(connection, item, item.holding, number=number, stream=stream)
        if item.health is not None:
            keep_health(connection, item, item.health, stream=stream)
        return int(number)


def _is_hit_known(connection: sqlite3.Connection, hit_id: str) -> bool:
    row = connection.execute(
        "select 1 from received_hits where hit_id = ?", (hit_id,)
    ).fetchone()
    return row is not None


def _hit(
    row: tuple[int, bytes, str, int, str, int, str], known: Hit | None = None
) -> StoredHit:
    """Return the hit of a row; known: the hit, if it has been decoded before."""
    number, signed, stream, sequence, received, is_historical, created = row
    if known is None:
        content = cbor2.loads(read_signed(signed, limit=_SIGNED_LIMIT).payload)
        known = decode_hit(content["body"])
    received_at = datetime.fromisoformat(received)
    skew = received_at - datetime.fromisoformat(created)
    return StoredHit(
        number=number,
        hit=known,
        stream=stream,
        sequence=sequence,
        received_at=received_at,
        is_historical=bool(is_historical),
        skew_s=skew.total_seconds(),
    )
