"""The lies of a hostile broker, by a seeded plan: publications in, deliveries out.

Each lie is one that a broken, restored or taken-over broker can tell without any key.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from edge.simulate.mqtt5_packets import Publication, topic_matches

if TYPE_CHECKING:
    from collections.abc import Sequence

_REMEMBERED = 64
_HELD_S = 0.05


@dataclass(frozen=True)
class LyingPlan:
    """Shares of publications, 0 to 1, that each lie is told of.

    redeliver: sent a second time, later. reorder: held back until others have passed.
    drop: acknowledged to the sender, never delivered. stale: a subscriber gets an older
    retained message than the newest. flip: one bit of the payload is turned. cross: a
    copy goes out under another owner's topic (edge/<owner>/...). replay: an older
    message of the same topic goes out as well. unanswered: delivered, never
    acknowledged to the sender. hang_up: delivered, not acknowledged, and the sender's
    connection is cut.
    """

    seed: int = 1
    redeliver: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    stale: float = 0.0
    flip: float = 0.0
    cross: float = 0.0
    replay: float = 0.0
    unanswered: float = 0.0
    hang_up: float = 0.0


HONEST = LyingPlan()


@dataclass(frozen=True)
class Delivery:
    """To be handed to whoever hears the topic, after delay_s."""

    publication: Publication
    delay_s: float = 0.0
    is_repeat: bool = False


class Liar:
    """What a hostile broker remembers, and what it makes of it.

    plan may be exchanged at any time. told: how often each lie has been told.
    """

    def __init__(self, plan: LyingPlan) -> None:
        self.plan = plan
        self.told: Counter[str] = Counter()
        self._random = Random(plan.seed)  # noqa: S311  chance of a test
        self._retained: dict[str, deque[Publication]] = {}
        self._past: dict[str, deque[Publication]] = {}
        self._owners: list[str] = []

    def deliveries(self, publication: Publication) -> list[Delivery]:
        """Return what goes out for a publication that a client has made."""
        self._note_owner(publication.topic)
        honest = replace(publication, packet_id=0)
        found = [*self._replay(honest), *self._cross(honest)]
        if self.tells("redeliver"):
            found.append(Delivery(honest, self._while(), is_repeat=True))
        if not self.tells("drop"):
            delay_s = self._while() if self.tells("reorder") else 0.0
            found.append(Delivery(self._flipped(honest), delay_s))
        past = self._past.setdefault(publication.topic, deque(maxlen=_REMEMBERED))
        past.append(honest)
        return found

    def keep(self, publication: Publication) -> None:
        """Keep a publication as the newest retained one; an empty one ends it."""
        if not publication.payload:
            self._retained.pop(publication.topic, None)
            return
        past = self._retained.setdefault(publication.topic, deque(maxlen=_REMEMBERED))
        past.append(publication)

    def retained_for(self, filters: Sequence[str]) -> list[Publication]:
        """Return what a new subscriber gets at once."""
        return [
            self._retained_choice(past)
            for topic, past in self._retained.items()
            if any(topic_matches(pattern, topic) for pattern in filters)
        ]

    def newest_retained(self) -> dict[str, bytes]:
        copy = dict(self._retained)
        return {topic: past[-1].payload for topic, past in copy.items()}

    def forget(self) -> None:
        self._retained.clear()
        self._past.clear()
        self._owners.clear()

    def tells(self, lie: str) -> bool:
        """Throw the dice for one lie."""
        share: float = getattr(self.plan, lie)
        is_told = share > 0 and self._random.random() < share
        self.told[lie] += is_told
        return is_told

    def _while(self) -> float:
        return self._random.uniform(0, _HELD_S)

    def _replay(self, publication: Publication) -> list[Delivery]:
        past = self._past.get(publication.topic)
        if not past or not self.tells("replay"):
            return []
        return [Delivery(self._random.choice(list(past)), self._while())]

    def _cross(self, publication: Publication) -> list[Delivery]:
        root, _, rest = publication.topic.partition("/")
        owner, _, channel = rest.partition("/")
        others = [name for name in self._owners if name != owner]
        if not others or not self.tells("cross"):
            return []
        topic = f"{root}/{self._random.choice(others)}/{channel}"
        return [Delivery(replace(publication, topic=topic, retain=False))]

    def _flipped(self, publication: Publication) -> Publication:
        if not publication.payload or not self.tells("flip"):
            return publication
        turned = bytearray(publication.payload)
        turned[self._random.randrange(len(turned))] ^= 1 << self._random.randrange(8)
        return replace(publication, payload=bytes(turned))

    def _retained_choice(self, past: deque[Publication]) -> Publication:
        if len(past) > 1 and self.tells("stale"):
            return self._random.choice(list(past)[:-1])
        return past[-1]

    def _note_owner(self, topic: str) -> None:
        parts = topic.split("/")
        if len(parts) > 2 and parts[1] not in (*self._owners, "hub"):
            self._owners.append(parts[1])
