"""Where in the watchlist log somebody is, and what that position proves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason
from edge.replication.chain import CHAIN_START, chain_step
from edge.replication.set_digest import EMPTY_DIGEST, record_digest
from edge.terms import ChangeOperation

if TYPE_CHECKING:
    from edge.replication.set_digest import SetDigest
    from edge.terms import WatchlistChange


@dataclass(frozen=True)
class LogPosition:
    """The state of a watchlist after a change of the log.

    log: the log's name. chain: hash over all changes up to sequence. digest: of the set
    of entries that these changes leave, count of them. Two that agree in log, sequence
    and chain have the same past; two that agree in digest hold the same entries.
    """

    log: str
    sequence: int
    chain: bytes
    digest: bytes
    count: int


@dataclass(frozen=True)
class RecordedChange:
    """A change and its record: the bytes that are chained and digested."""

    change: WatchlistChange
    record: bytes


def beginning(log: str) -> LogPosition:
    """Return the position before the first change."""
    return LogPosition(log, 0, CHAIN_START, EMPTY_DIGEST, 0)


def advanced(
    position: LogPosition,
    entries: SetDigest,
    recorded: RecordedChange,
    replaced: bytes | None,
) -> LogPosition:
    """Return the position after one more change, and bring entries up to it.

    entries: state of the digest at position; is changed. replaced: SHA-256 of the
    record that made the entry as it stood until now, None if there was no such entry.

    Raises:
        RefusalError: MIXED: the operation does not fit what is there; GAP: it is not
            the next change. entries is unchanged.
    """
    change, is_there = recorded.change, replaced is not None
    if change.sequence != position.sequence + 1:
        raise RefusalError(
            RefusalReason.GAP,
            f"watchlist change {change.sequence} does not follow {position.sequence}",
        )
    if (change.operation is ChangeOperation.ADD) == is_there:
        raise RefusalError(
            RefusalReason.MIXED,
            f"watchlist change {change.sequence}: {change.operation} of an entry that "
            f"is {'there' if is_there else 'not there'}",
        )
    count = position.count
    if replaced is not None:
        entries.remove(change.entry_id, replaced)
        count -= 1
    if change.operation is not ChangeOperation.WITHDRAW:
        entries.add(change.entry_id, record_digest(recorded.record))
        count += 1
    return LogPosition(
        log=position.log,
        sequence=change.sequence,
        chain=chain_step(position.log, position.chain, recorded.record),
        digest=entries.digest(),
        count=count,
    )
