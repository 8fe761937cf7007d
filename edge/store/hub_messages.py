"""What the booths have sent. Implements edge.hub.store_port.HubMessages."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import cbor2

from edge.records.hits import decode_hit
from edge.records.hub_values import Gap, ReceivedContent, StoredHit, StoredOutcome
from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.trust.cose import read_signed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    import sqlite_utils

    from edge.records.hub_values import HealthReport, HoldingStatement

HISTORICAL_AFTER_S = 300.0
MAX_GAPS = 1000
_SIGNED_LIMIT = 16 * 1024 * 1024
_HITS = (
    "select number, signed, stream, sequence, received_at, is_historical, created_at"
    " from messages join received_hits using (number)"
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

    def accept(
        self, contents: Sequence[ReceivedContent], *, at: datetime
    ) -> list[StoredOutcome]:
        """Store all in one durable transaction; one outcome each, in order."""
        with transaction(self._database) as connection:
            outcomes = [self._accept(connection, item, at) for item in contents]
            for stream in {(item.booth_id, item.stream) for item in contents}:
                _advance(connection, *stream, at=at)
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
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                f"{_HITS} where (?1 is null or messages.booth_id = ?1)"
                " and (?2 is null or received_at >= ?2)"
                " and (?3 is null or is_historical = ?3)"
                " order by number desc limit ?4",
                (
                    booth_id,
                    None if since is None else since.isoformat(),
                    is_historical,
                    limit,
                ),
            ).fetchall()
        return [_hit(row) for row in reversed(rows)]

    def hit(self, hit_id: str) -> StoredHit | None:
        with mapped_errors("read"):
            row = self._database.conn.execute(
                f"{_HITS} where hit_id = ?", (hit_id,)
            ).fetchone()
        return None if row is None else _hit(row)

    def signed(self, message_id: str) -> bytes | None:
        """Return the booth's signed object of a message."""
        with mapped_errors("read"):
            row = self._database.conn.execute(
                "select signed from messages where message_id = ?", (message_id,)
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
        return [_hit(row) for row in rows]

    def gaps(self, booth_id: str | None = None) -> list[Gap]:
        """Return what is missing, at most 1,000 ranges a stream.

        Looks only at what came after the first missing number of each stream.
        """
        with mapped_errors("read"):
            streams = self._database.conn.execute(
                "select booth_id, stream, contiguous, gap_since from streams"
                " where highest > contiguous and (?1 is null or booth_id = ?1)"
                " order by booth_id, stream",
                (booth_id,),
            ).fetchall()
            return [gap for row in streams for gap in self._gaps_of(*row)]

    def note_access(self, hit_id: str, *, actor: str, at: datetime) -> None:
        """Write into the audit log that a person has looked at a hit."""
        with transaction(self._database) as connection:
            append_audit(
                connection, at=at, actor=actor, action="read hit", subject=hit_id
            )

    def _accept(
        self, connection: sqlite3.Connection, item: ReceivedContent, at: datetime
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
        self._insert(connection, item, at)
        return StoredOutcome.STORED

    def _insert(
        self, connection: sqlite3.Connection, item: ReceivedContent, at: datetime
    ) -> None:
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
        if item.holding is not None:
            _insert_holding(connection, number, item, item.holding)
        if item.health is not None:
            _keep_health(connection, item.booth_id, item.health)

    def _gaps_of(
        self, booth_id: str, stream: str, contiguous: int, since: str
    ) -> Iterator[Gap]:
        rows = self._database.conn.execute(
            "select sequence from messages"
            " where booth_id = ? and stream = ? and sequence > ? order by sequence",
            (booth_id, stream, contiguous),
        )
        expected, found = contiguous + 1, 0
        for (sequence,) in rows:
            if sequence > expected and found < MAX_GAPS:
                found += 1
                yield Gap(
                    booth_id,
                    stream,
                    expected,
                    sequence - 1,
                    datetime.fromisoformat(since),
                )
            expected = sequence + 1


def _is_hit_known(connection: sqlite3.Connection, hit_id: str) -> bool:
    row = connection.execute(
        "select 1 from received_hits where hit_id = ?", (hit_id,)
    ).fetchone()
    return row is not None


def _advance(
    connection: sqlite3.Connection, booth_id: str, stream: str, *, at: datetime
) -> None:
    """Move the stream's mark over what has come without a gap."""
    connection.execute(
        "insert into streams values (?, ?, 0, 0, null) on conflict do nothing",
        (booth_id, stream),
    )
    name = (booth_id, stream)
    contiguous, gap_since = connection.execute(
        "select contiguous, gap_since from streams where booth_id = ? and stream = ?",
        name,
    ).fetchone()
    before = contiguous
    for (sequence,) in connection.execute(
        "select sequence from messages"
        " where booth_id = ? and stream = ? and sequence > ? order by sequence",
        (*name, contiguous),
    ):
        if sequence != contiguous + 1:
            break
        contiguous = sequence
    (highest,) = connection.execute(
        "select coalesce(max(sequence), 0) from messages"
        " where booth_id = ? and stream = ?",
        name,
    ).fetchone()
    if highest == contiguous:
        gap_since = None
    elif gap_since is None or contiguous > before:
        gap_since = at.isoformat()
    connection.execute(
        "update streams set contiguous = ?, highest = ?, gap_since = ?"
        " where booth_id = ? and stream = ?",
        (contiguous, highest, gap_since, *name),
    )


def _insert_holding(
    connection: sqlite3.Connection,
    number: int,
    item: ReceivedContent,
    holding: HoldingStatement,
) -> None:
    connection.execute(
        "insert into holdings values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            item.booth_id,
            holding.log,
            holding.sequence,
            holding.chain,
            holding.digest,
            holding.count,
            item.message_id,
        ),
    )


def _keep_health(
    connection: sqlite3.Connection, booth_id: str, report: HealthReport
) -> None:
    """Keep the newest report by the booth's own time: an older one may come later."""
    issued_at = report.head_issued_at
    text = json.dumps(
        {
            "watchlist_sequence": report.watchlist_sequence,
            "head_issued_at": None if issued_at is None else issued_at.isoformat(),
            "outbox_depth": report.outbox_depth,
            "disk_free_bytes": report.disk_free_bytes,
            "clock_is_trusted": report.clock_is_trusted,
            "software": report.software,
            "counts": report.counts,
        }
    )
    connection.execute(
        "insert into health values (?, ?, ?) on conflict do update"
        " set at = excluded.at, report = excluded.report"
        " where excluded.at > health.at",
        (booth_id, report.at.isoformat(), text),
    )


def _hit(row: tuple[int, bytes, str, int, str, int, str]) -> StoredHit:
    number, signed, stream, sequence, received, is_historical, created = row
    content = cbor2.loads(read_signed(signed, limit=_SIGNED_LIMIT).payload)
    received_at = datetime.fromisoformat(received)
    skew = received_at - datetime.fromisoformat(created)
    return StoredHit(
        number=number,
        hit=decode_hit(content["body"]),
        stream=stream,
        sequence=sequence,
        received_at=received_at,
        is_historical=bool(is_historical),
        skew_s=skew.total_seconds(),
    )
