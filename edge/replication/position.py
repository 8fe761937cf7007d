"""Where in the watchlist log somebody is, and what that position proves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
