"""What a booth holds of the watchlist log, and how far it knows the log to go.

held is what the store has. newest is the newest head accepted. proof is the newest head
that what is held reaches: only for its validity is the list known to be complete, so
that heads that keep coming without their changes do not keep a list fresh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason
from edge.replication.freshness import Freshness, FreshnessState, TrustedTime
from edge.replication.position import LogPosition, beginning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge.replication.head import Head


class Horizon:
    def __init__(
        self, log: str, held: LogPosition | None, latest_trusted_at: datetime | None
    ) -> None:
        self.log = log
        self.held = held
        self.newest: Head | None = None
        self.known_sequence = self.known_snapshot = 0
        self.time = TrustedTime(latest_trusted_at)
        self._proof: Head | None = None

    def base(self) -> LogPosition:
        """Return what is held of this log; its beginning if that is nothing."""
        held = self.held
        return beginning(self.log) if held is None or held.log != self.log else held

    def has_list(self) -> bool:
        return self.held is not None and self.held.log == self.log

    def behind(self) -> int:
        """Return by how many changes the log is known to be ahead."""
        return max(0, self.known_sequence - self.base().sequence)

    def landmarks(self) -> list[LogPosition]:
        """Return the positions that the log is known to pass through."""
        newest = [] if self.newest is None else [self.newest.position]
        return [self.base(), *newest]

    def know(self, sequence: int, snapshot: int = 0) -> None:
        """A signed object says that the log goes so far."""
        self.known_sequence = max(self.known_sequence, sequence)
        self.known_snapshot = max(self.known_snapshot, snapshot)

    def take(self, head: Head, now: datetime) -> None:
        """Go by a head that has been accepted."""
        if self.newest is None or head.issued_at > self.newest.issued_at:
            self.time.note_agreement()
        self.newest = head
        self.time.note(max(now, head.issued_at), head)
        self._prove()

    def move_to(self, position: LogPosition) -> None:
        self.held = position
        self._prove()

    def forget_heads(self) -> None:
        self.newest = self._proof = None
        self.known_sequence = self.known_snapshot = 0

    def note(self, now: datetime) -> None:
        self.time.note(now, self.newest)

    def freshness(self, now: datetime) -> Freshness:
        return Freshness(
            state=self._state(now),
            as_of=None if self._proof is None else self._proof.issued_at,
            behind=self.behind(),
        )

    def require_no_older(self, head: Head) -> None:
        """Refuse a head unless it is a later or the same state of the same log.

        Raises:
            RefusalError: ROLLBACK, FORK or MIXED.
        """
        newest, what = self.newest, f"head {head.sequence}"
        for known in self.landmarks():
            if head.sequence < known.sequence:
                raise RefusalError(
                    RefusalReason.ROLLBACK, f"{what}: {known.sequence} is known already"
                )
            if head.sequence == known.sequence and head.chain != known.chain:
                raise RefusalError(RefusalReason.FORK, f"{what}: of another past")
            require_same_entries(head.position, known, what)
        if newest is not None and head.issued_at < newest.issued_at:
            raise RefusalError(
                RefusalReason.ROLLBACK,
                f"{what}: issued at {head.issued_at}, a later one is known",
            )

    def require_same_past(self, chains: Mapping[int, bytes], what: str) -> None:
        """Refuse a stretch of the log that passes a known position by.

        chains: the chain at each sequence of the stretch.

        Raises:
            RefusalError: FORK.
        """
        for known in self.landmarks():
            if chains.get(known.sequence, known.chain) != known.chain:
                raise RefusalError(
                    RefusalReason.FORK,
                    f"{what}: of another past than position {known.sequence}, which is "
                    "known",
                )

    def _prove(self) -> None:
        if self.newest is not None and self.newest.sequence <= self.base().sequence:
            self._proof = self.newest

    def _state(self, now: datetime) -> FreshnessState:
        proof = self._proof
        if not self.time.is_trusted(now):
            return FreshnessState.CLOCK_UNTRUSTED
        if self.newest is None or (proof is None and not self.has_list()):
            return FreshnessState.UNKNOWN
        if proof is None or proof.expires_at <= self.time.no_earlier(now):
            return FreshnessState.STALE
        return FreshnessState.FRESH


def require_same_entries(one: LogPosition, known: LogPosition, what: str) -> None:
    """Raise RefusalError (MIXED) if two disagree about one place in the log."""
    if one.sequence == known.sequence and one != known:
        raise RefusalError(
            RefusalReason.MIXED, f"{what}: other entries than are known for this place"
        )
