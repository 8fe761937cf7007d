"""Deletion receipts: what the booth holds and has deleted, signed in the outbox.

Nothing is said while the store's files, or the galleries that were made of it, still
hold what was deleted. A withdrawal that was applied is remembered in the watchlist's
own store until its receipt stands in the outbox, which is another file: killed in
between, the booth says it twice and never not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.sync.messages import MAX_WITHDRAWN, Holding, WithdrawnEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.clock import Clock
    from edge.replication.position import LogPosition

HOLDING_KIND = "holding"
AGAIN_S = 2.0


class HeldList(Protocol):
    def position(self) -> LogPosition | None: ...

    def withdrawn(self, *, limit: int) -> Sequence[tuple[int, str]]:
        """Return withdrawals that were applied and not receipted yet, oldest first."""
        ...

    def receipted(self, withdrawn: Sequence[tuple[int, str]]) -> None: ...

    def scrub(self) -> bool:
        """Take what was deleted out of the store's log; False if somebody reads it."""
        ...


@dataclass(frozen=True)
class HoldingSettings:
    """repeat_s: say what is held at least so often, withdrawals or not."""

    repeat_s: float = 6 * 3600.0


class HoldingReporter:
    def __init__(
        self,
        store: HeldList,
        post: Callable[[str, bytes], object],
        clock: Clock,
        settings: HoldingSettings | None = None,
        *,
        is_gone_elsewhere: Callable[[], bool] = lambda: True,
    ) -> None:
        """is_gone_elsewhere: whether copies beside the store hold nothing of it."""
        self._store = store
        self._post = post
        self._clock = clock
        self._settings = settings or HoldingSettings()
        self._is_gone_elsewhere = is_gone_elsewhere
        self._due_s = clock.monotonic_s()

    def on_held(self, _position: LogPosition) -> None:
        """Look at once for withdrawals: the list has moved.

        While somebody reads the old state nothing is said; it is tried again soon.
        """
        if self._store.withdrawn(limit=1):
            self._report()

    def report_if_due(self) -> None:
        """Say what is held when nothing was said for long, or after a restart."""
        if self._clock.monotonic_s() >= self._due_s:
            self._report()

    def _report(self) -> None:
        # What is held proves what is gone: from the files as well, or nothing is said.
        if self._store.position() is None or not self._is_gone():
            self._due_s = self._clock.monotonic_s() + AGAIN_S
            return
        is_said = False
        while withdrawn := self._store.withdrawn(limit=MAX_WITHDRAWN):
            if not self._say(withdrawn):
                return
            self._store.receipted(withdrawn)
            is_said = True
        if not is_said:
            self._say(())

    def _is_gone(self) -> bool:
        return self._is_gone_elsewhere() and self._store.scrub()

    def _say(self, withdrawn: Sequence[tuple[int, str]]) -> bool:
        position = self._store.position()
        if position is None:
            return False
        holding = Holding(
            log=position.log,
            sequence=position.sequence,
            chain=position.chain,
            digest=position.digest,
            count=position.count,
            withdrawn=[
                WithdrawnEntry(sequence=sequence, entry_id=entry_id)
                for sequence, entry_id in withdrawn
            ],
            at=self._clock.now(),
        )
        self._post(HOLDING_KIND, holding.encode())
        self._due_s = self._clock.monotonic_s() + self._settings.repeat_s
        return True
