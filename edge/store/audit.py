"""The append-only, hash-chained audit log: who did what to which record, when.

Each line carries SHA-256 over the hash of the line before and its own content, so a
line that was changed, removed or slipped in breaks every hash after it. No line holds
anything biometric.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.store.database import mapped_errors

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    import sqlite_utils

FIRST_HASH = bytes(32)


def append_audit(
    connection: sqlite3.Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
) -> None:
    """Append one line inside the caller's transaction."""
    row = connection.execute(
        "select number, hash from audit order by number desc limit 1"
    ).fetchone()
    number, previous = (row[0] + 1, row[1]) if row else (1, FIRST_HASH)
    content = (number, at.isoformat(), actor, action, subject)
    connection.execute(
        "insert into audit (number, at, actor, action, subject, previous_hash, hash)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (*content, previous, _line_hash(previous, content)),
    )


@dataclass(frozen=True)
class StoredLine:
    """One line of the log. at: ISO 8601. hash: of the chain up to this line."""

    number: int
    at: str
    actor: str
    action: str
    subject: str
    hash: bytes


def lines_after(
    database: sqlite_utils.Database, number: int, *, limit: int
) -> list[StoredLine]:
    """Return the next lines of the log, in order."""
    with mapped_errors("read"):
        rows = database.conn.execute(
            "select number, at, actor, action, subject, hash from audit"
            " where number > ? order by number limit ?",
            (number, limit),
        ).fetchall()
    return [StoredLine(*row) for row in rows]


@dataclass(frozen=True)
class ChainedLine(StoredLine):
    """A line with the hash of the line before it: whoever has it can recompute hash."""

    previous_hash: bytes

    @property
    def is_sound(self) -> bool:
        """Whether hash follows from previous_hash and what the line says."""
        content = (self.number, self.at, self.actor, self.action, self.subject)
        return _line_hash(self.previous_hash, content) == self.hash


def lines_before(
    database: sqlite_utils.Database,
    number: int | None,
    *,
    limit: int,
    actor: str | None = None,
) -> list[StoredLine]:
    """Return the newest lines, newest first; number: below which, None for the end."""
    where, values = ["true"], list[object]()
    if number is not None:
        where.append("number < ?")
        values.append(number)
    if actor is not None:
        where.append("actor = ?")
        values.append(actor)
    with mapped_errors("read"):
        rows = database.conn.execute(
            "select number, at, actor, action, subject, hash from audit"  # noqa: S608  constants
            f" where {' and '.join(where)} order by number desc limit ?",
            (*values, limit),
        ).fetchall()
    return [StoredLine(*row) for row in rows]


def lines_about(
    database: sqlite_utils.Database, subject: str, *, limit: int = 10_000
) -> list[ChainedLine]:
    """Return the lines on a subject, and the last line of the log after them."""
    with mapped_errors("read"):
        rows = database.conn.execute(
            "select number, at, actor, action, subject, hash, previous_hash from audit"
            " where subject = ? or number = (select max(number) from audit)"
            " order by number limit ?",
            (subject, limit),
        ).fetchall()
    return [ChainedLine(*row) for row in rows]


def verify_audit(database: sqlite_utils.Database) -> int:
    """Recompute the chain and return the number of lines.

    Raises:
        StoreError: names the first line that does not fit.
    """
    previous, expected = FIRST_HASH, 1
    with mapped_errors("read"):
        rows = database.conn.execute(
            "select number, at, actor, action, subject, previous_hash, hash"
            " from audit order by number"
        )
        for *content, stored_previous, stored_hash in rows:
            line_hash = _line_hash(previous, tuple(content))
            is_sound = stored_previous == previous and stored_hash == line_hash
            if content[0] != expected or not is_sound:
                message = f"audit log: line {expected} is missing or was changed"
                raise StoreError(message)
            previous, expected = line_hash, expected + 1
    return expected - 1


def _line_hash(previous: bytes, content: tuple[object, ...]) -> bytes:
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + line.encode()).digest()
