"""How far the booths' streams have come, and what is missing in them.

Every missing range is a row: a message that comes in order touches none of them, one
that comes late splits its range, and telling the ranges does not look at what is there.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from edge.records.hub_values import Gap

if TYPE_CHECKING:
    import sqlite3

MAX_GAPS = 1000


def note_arrival(
    connection: sqlite3.Connection,
    booth_id: str,
    stream: str,
    sequence: int,
    *,
    at: datetime,
) -> int:
    """Note a number that has not come before; return the number of its stream.

    Streams are numbered in the order in which they began.
    """
    number, highest = _stream(connection, booth_id, stream)
    if sequence > highest:
        _add(connection, (booth_id, stream, highest + 1, sequence - 1, at.isoformat()))
        connection.execute(
            "update streams set highest = ? where number = ?", (sequence, number)
        )
    else:
        _split(connection, booth_id, stream, sequence)
    return number


def read_gaps(connection: sqlite3.Connection, booth_id: str | None) -> list[Gap]:
    """Return what is missing, of one booth or all, at most 1,000 ranges a stream."""
    streams = connection.execute(
        "select booth_id, stream from streams where (?1 is null or booth_id = ?1)"
        " order by booth_id, stream",
        (booth_id,),
    ).fetchall()
    return [gap for name in streams for gap in _gaps_of(connection, *name)]


def missing(connection: sqlite3.Connection, booth_id: str) -> int:
    """Return how many numbers are missing in a booth's streams."""
    (count,) = connection.execute(
        "select coalesce(sum(last - first + 1), 0) from gaps where booth_id = ?",
        (booth_id,),
    ).fetchone()
    return int(count)


def _stream(
    connection: sqlite3.Connection, booth_id: str, stream: str
) -> tuple[int, int]:
    row: tuple[int, int] | None = connection.execute(
        "select number, highest from streams where booth_id = ? and stream = ?",
        (booth_id, stream),
    ).fetchone()
    if row is None:
        (number,) = connection.execute(
            "insert into streams (booth_id, stream, highest) values (?, ?, 0)"
            " returning number",
            (booth_id, stream),
        ).fetchone()
        row = (number, 0)
    return row


def _gaps_of(connection: sqlite3.Connection, booth_id: str, stream: str) -> list[Gap]:
    rows = connection.execute(
        "select first, last, since from gaps where booth_id = ? and stream = ?"
        " order by first limit ?",
        (booth_id, stream, MAX_GAPS),
    )
    return [
        Gap(booth_id, stream, first, last, datetime.fromisoformat(since))
        for first, last, since in rows
    ]


def _split(
    connection: sqlite3.Connection, booth_id: str, stream: str, sequence: int
) -> None:
    first, last, since = connection.execute(
        "delete from gaps where booth_id = ?1 and stream = ?2 and first ="
        " (select max(first) from gaps"
        " where booth_id = ?1 and stream = ?2 and first <= ?3)"
        " returning first, last, since",
        (booth_id, stream, sequence),
    ).fetchone()
    _add(connection, (booth_id, stream, first, sequence - 1, since))
    _add(connection, (booth_id, stream, sequence + 1, last, since))


def _add(connection: sqlite3.Connection, gap: tuple[str, str, int, int, str]) -> None:
    connection.execute("insert into gaps select ?1, ?2, ?3, ?4, ?5 where ?4 >= ?3", gap)
