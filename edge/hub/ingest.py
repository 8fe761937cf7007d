"""From the bytes of outbox messages to stored content and receipts.

A receipt is made after the store's commit, and again for every duplicate: the booth
keeps its row until one of them arrives. Whether a message is new is the store's
decision alone, so that it is new exactly once, whatever the wire repeats or whenever
the hub is killed. A whole batch is one commit; what is wrong with one message concerns
no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.hub.contents import received
from edge.hub.receipts import receipts
from edge.records.hub_values import StoredOutcome
from edge.sync.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.clock import Clock
    from edge.hub.opening import Opened, Opener
    from edge.hub.outgoing import Outgoing
    from edge.hub.store_port import HubMessages
    from edge.logs import EventLog
    from edge.records.hub_values import ReceivedContent
    from edge.sync.messages import Content
    from edge.trust.keys import SigningKey


@dataclass(frozen=True)
class OutboxArrival:
    """An outbox message as it came; booth_id: of its topic."""

    booth_id: str
    payload: bytes


class Ingest:
    def __init__(
        self,
        opener: Opener,
        messages: HubMessages,
        key: SigningKey,
        clock: Clock,
        log: EventLog,
        on_answer: Callable[[str, Answer], None],
    ) -> None:
        """key: an operations key. on_answer: told a booth's answer, perhaps twice."""
        self._opener = opener
        self._messages = messages
        self._key = key
        self._clock = clock
        self._log = log
        self._on_answer = on_answer

    def receive(self, arrivals: Sequence[OutboxArrival]) -> Iterator[Outgoing]:
        """Store messages in one commit and return their receipts.

        A message that cannot be opened is logged and gets no receipt. One whose booth
        is proven but whose content is not readable gets a receipt that says "refused":
        the booth keeps it and stops repeating it at full pace.

        Raises:
            StoreError: nothing was stored; the booths will send again.
        """
        opened = [item for item in map(self._opened, arrivals) if item is not None]
        contents = [self._content(item) for item in opened]
        readable = [item for item in contents if item is not None]
        stored = iter(self._messages.accept(readable, at=self._clock.now()))
        outcomes = [
            StoredOutcome.REFUSED if content is None else next(stored)
            for content in contents
        ]
        judged = list(zip(opened, outcomes, strict=True))
        for item, outcome in judged:
            self._act_on(item.content, outcome)
        return receipts(judged, key=self._key, issued_at=self._clock.now())

    def _opened(self, arrival: OutboxArrival) -> Opened | None:
        try:
            return self._opener.open(arrival.booth_id, arrival.payload)
        except MessageError as error:
            self._log.event(
                "message_refused", booth_id=arrival.booth_id, error=str(error)
            )
            return None

    def _content(self, opened: Opened) -> ReceivedContent | None:
        try:
            return received(opened)
        except MessageError as error:
            self._refused(opened.content, str(error))
            return None

    def _act_on(self, content: Content, outcome: StoredOutcome) -> None:
        if outcome is StoredOutcome.REFUSED:
            self._refused(content, "not stored; see what was refused before")
        elif content.kind == "answer":
            # Of a duplicate too: the hub may have been killed before it acted.
            self._on_answer(content.booth_id, Answer.decode(content.body))

    def _refused(self, content: Content, problem: str) -> None:
        self._log.event(
            "message_refused",
            booth_id=content.booth_id,
            message_id=content.message_id,
            sequence=content.sequence,
            error=problem,
        )
