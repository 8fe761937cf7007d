"""When a booth asks the hub for what it lacks, and for how much at a time.

A question is repeated with growing pauses, and each pause is stretched by chance, so
that a thousand booths that lost the same message do not ask in the same instant. How
much is asked for at a time follows the line: answers that come late halve it, so that a
slow line is not filled with repetitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.replication.changes import MAX_CHANGES

if TYPE_CHECKING:
    from random import Random

    from edge.clock import Clock


@dataclass(frozen=True)
class FollowerSettings:
    """When to ask.

    answer_s: an unanswered request is repeated after this, doubling up to idle_s.
    spread_s: up to so much later, by chance. idle_s: with nothing to ask, look again.
    first_limit: changes that are asked for at first. trust_s: the least time between
    two questions for keys.
    """

    answer_s: float = 5.0
    spread_s: float = 1.0
    idle_s: float = 120.0
    first_limit: int = 32
    trust_s: float = 30.0


class AskingPace:
    """The time of the next question, how often it was asked in vain, how much it asks.

    limit: changes to ask for at a time.
    """

    def __init__(
        self, clock: Clock, random: Random, settings: FollowerSettings | None = None
    ) -> None:
        self._clock = clock
        self._random = random
        self._settings = settings or FollowerSettings()
        self._due_s = clock.monotonic_s()
        self._asked_s = self._trust_due_s = self._due_s
        self._unanswered = 0
        self.limit = self._settings.first_limit

    @property
    def is_repeated(self) -> bool:
        """Return whether the last question was asked before, without an answer."""
        return self._unanswered > 1

    def is_due(self) -> bool:
        return self._clock.monotonic_s() >= self._due_s

    def ask_now(self) -> None:
        """Make a question due, a moment from now."""
        self._unanswered = 0
        self._set_due(0.0)

    def ask_soon(self) -> None:
        """Make a question due unless one is under way already."""
        soon_s = self._clock.monotonic_s() + self._settings.spread_s
        if self._unanswered == 0 or self._due_s > soon_s + self._settings.answer_s:
            self.ask_now()

    def ask_at_once(self) -> None:
        """Make the next question due: the last was answered, and there is more."""
        self._due_s = self._clock.monotonic_s()

    def begin_anew(self) -> None:
        """Make a question of another kind due at once."""
        self._unanswered = 0
        self.ask_at_once()

    def asked(self) -> None:
        """Note that a question was sent; one that had no answer asks for less."""
        pause_s = self._settings.answer_s * (1 << min(self._unanswered, 16))
        if self._unanswered:
            self.limit = max(1, self.limit // 2)
        self._asked_s = self._clock.monotonic_s()
        self._unanswered += 1
        self._set_due(min(self._settings.idle_s, pause_s))

    def answered(self) -> None:
        """Note that all that was asked for has come; in good time, it asks for more."""
        took_s = self._clock.monotonic_s() - self._asked_s
        if self._unanswered == 1 and took_s < self._settings.answer_s / 2:
            self.limit = min(MAX_CHANGES, 2 * self.limit)
        self._unanswered = 0

    def await_more(self) -> None:
        """Note that a part of the answer has come: the rest has its time anew."""
        self._set_due(self._settings.answer_s)

    def rest(self) -> None:
        """There is nothing to ask; look again later."""
        self._unanswered = 0
        self._set_due(self._settings.idle_s)

    def may_ask_for_trust(self) -> bool:
        """Return whether keys may be asked for now, and take that as done."""
        now_s = self._clock.monotonic_s()
        if now_s < self._trust_due_s:
            return False
        self._trust_due_s = now_s + self._settings.trust_s
        return True

    def _set_due(self, pause_s: float) -> None:
        spread_s = self._random.random() * self._settings.spread_s
        self._due_s = self._clock.monotonic_s() + pause_s + spread_s
