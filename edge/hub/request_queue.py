"""Who is answered next: every booth in turn, none more often than its share.

A request becomes a generator of messages, and one turn of a booth is one message of its
oldest request: a booth that asks for a whole snapshot cannot make another wait for a
single change. What is over a booth's rate or queue is dropped; a booth asks again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.hub.outgoing import Outgoing


@dataclass(frozen=True)
class RequestLimits:
    """rate_per_s, burst: requests of one booth. waiting: its requests at a time.

    booths: how many are known at a time; their names come from outside.
    """

    rate_per_s: float = 10.0
    burst: float = 40.0
    waiting: int = 8
    booths: int = 20_000


@dataclass
class _Booth:
    allowance: float
    updated_s: float
    answers: deque[Iterator[Outgoing]] = field(default_factory=deque)


class RequestQueue:
    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits
        self._booths: OrderedDict[str, _Booth] = OrderedDict()
        self._turns: deque[str] = deque()

    def add(self, booth_id: str, answer: Iterator[Outgoing], *, now_s: float) -> bool:
        """Queue the answer to a request; False if the booth asks too much.

        The answer's generator does its work when its turn comes.
        """
        booth = self._booth(booth_id, now_s)
        if booth is None or not self._may_ask(booth, now_s):
            return False
        booth.answers.append(answer)
        if len(booth.answers) == 1:
            self._turns.append(booth_id)
        return True

    def next_turn(self) -> tuple[str, Iterator[Outgoing]] | None:
        """Return the booth whose turn it is and its answer under way.

        Call served() after taking one message of it.
        """
        if not self._turns:
            return None
        booth_id = self._turns[0]
        return booth_id, self._booths[booth_id].answers[0]

    def served(self, *, is_finished: bool) -> None:
        """End the turn; is_finished: the answer had no more to say."""
        booth_id = self._turns.popleft()
        answers = self._booths[booth_id].answers
        if is_finished:
            answers.popleft()
        if answers:
            self._turns.append(booth_id)

    def clear(self) -> None:
        """Forget what waits: after a lost connection every booth asks again."""
        self._turns.clear()
        for booth in self._booths.values():
            booth.answers.clear()

    def __len__(self) -> int:
        return len(self._turns)

    def _booth(self, booth_id: str, now_s: float) -> _Booth | None:
        booth = self._booths.get(booth_id)
        if booth is None:
            if not self._has_room():
                return None
            booth = self._booths[booth_id] = _Booth(self._limits.burst, now_s)
        self._booths.move_to_end(booth_id)
        return booth

    def _has_room(self) -> bool:
        if len(self._booths) < self._limits.booths:
            return True
        oldest = next(iter(self._booths))
        if self._booths[oldest].answers:
            return False
        del self._booths[oldest]
        return True

    def _may_ask(self, booth: _Booth, now_s: float) -> bool:
        """Token bucket: one token a request, refilled at the rate."""
        gained = (now_s - booth.updated_s) * self._limits.rate_per_s
        booth.allowance = min(self._limits.burst, booth.allowance + gained)
        booth.updated_s = now_s
        if booth.allowance < 1 or len(booth.answers) >= self._limits.waiting:
            return False
        booth.allowance -= 1
        return True
