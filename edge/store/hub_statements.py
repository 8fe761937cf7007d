"""What the booths last said of themselves: what they hold, and how they are.

Last in the booth's own order, by its streams and its numbers in them: messages overtake
each other, and a booth's clock may once have stood in the future.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from edge.records.hub_values import HealthReport

if TYPE_CHECKING:
    import sqlite3

    from edge.records.hub_values import HoldingStatement, ReceivedContent


def keep_holding(
    connection: sqlite3.Connection,
    item: ReceivedContent,
    holding: HoldingStatement,
    *,
    number: int,
    stream: int,
) -> None:
    """Keep every statement: each may prove a deletion. number: of its message."""
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
    connection.execute(
        "insert into held values (?, ?, ?, ?) on conflict do update"
        " set stream_number = excluded.stream_number, sequence = excluded.sequence,"
        " holding = excluded.holding where (excluded.stream_number, excluded.sequence)"
        " > (held.stream_number, held.sequence)",
        (item.booth_id, stream, item.sequence, number),
    )


def keep_health(
    connection: sqlite3.Connection,
    item: ReceivedContent,
    report: HealthReport,
    *,
    stream: int,
) -> None:
    """Keep a report in the place of the last."""
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
        "insert into health (booth_id, at, report, stream_number, sequence)"
        " values (?, ?, ?, ?, ?) on conflict do update set at = excluded.at,"
        " report = excluded.report, stream_number = excluded.stream_number,"
        " sequence = excluded.sequence where"
        " (excluded.stream_number, excluded.sequence)"
        " > (health.stream_number, health.sequence)",
        (item.booth_id, report.at.isoformat(), text, stream, item.sequence),
    )


def read_health(at: str | None, report: str | None) -> HealthReport | None:
    """Return a report as keep_health wrote it."""
    if at is None or report is None:
        return None
    value = json.loads(report)
    issued_at = value.pop("head_issued_at")
    return HealthReport(
        at=datetime.fromisoformat(at),
        head_issued_at=None if issued_at is None else datetime.fromisoformat(issued_at),
        **value,
    )
