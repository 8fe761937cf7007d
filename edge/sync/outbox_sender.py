"""Moves the outbox to the hub: in order, few at a time, again until the receipt.

A row is cleared by the hub's receipt and by nothing else. What is under way is known
in memory only and timed by the monotonic clock: after a restart everything is sent
again, and a wall clock that jumps changes nothing. The hub recognises duplicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.sync.messages import OutboxEnvelope, Receipt, ReceiptOutcome
from edge.sync.topics import BoothChannel, BoothTopic

if TYPE_CHECKING:
    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.ports import Outbox
    from edge.sync.link import Link
    from edge.terms import OutboxMessage

# Whether a row is due is decided here, so the outbox is asked for all of them.
_ANY_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SenderSettings:
    """How hard to try.

    in_flight: messages without a receipt at a time. retry_*_s: the first pause before a
    message is sent again, doubling up to the limit. hold_s: the pause for a message
    that cannot go (too large, refused). A message that was under way in `strikes` lost
    connections one after the other is held too: it may be what breaks them.
    """

    in_flight: int = 8
    retry_first_s: float = 5.0
    retry_limit_s: float = 60.0
    hold_s: float = 300.0
    strikes: int = 3


@dataclass
class _Attempt:
    """What is known of a row that was offered to the link."""

    token: int | None
    due_s: float
    count: int
    is_held: bool = False
    strikes: int = 0


class OutboxSender:
    def __init__(
        self,
        booth_id: str,
        link: Link,
        outbox: Outbox,
        clock: Clock,
        log: EventLog,
        settings: SenderSettings,
    ) -> None:
        self._booth_id = booth_id
        self._topic = str(BoothTopic(booth_id, BoothChannel.OUTBOX))
        self._link = link
        self._outbox = outbox
        self._clock = clock
        self._log = log
        self._settings = settings
        self._attempts: dict[str, _Attempt] = {}

    def send_due(self) -> None:
        """Offer to the link what is new or due again.

        Raises:
            LinkError: the connection went away meanwhile.
            StoreError: the outbox cannot be read.
        """
        now_s = self._clock.monotonic_s()
        held = sum(attempt.is_held for attempt in self._attempts.values())
        window = self._settings.in_flight + held
        if not self._is_anything_due(now_s, window):
            return
        rows = self._outbox.pending(limit=window, retry_before=_ANY_TIME)
        self._forget_all_but({row.message_id for row in rows})
        for row in rows:
            attempt = self._attempts.get(row.message_id)
            if attempt is None or now_s >= attempt.due_s:
                self._send(row, attempt, now_s)

    def on_published(self, token: int, *, heard: bool) -> None:
        """The broker has a message; that is noted, but only the receipt counts."""
        for message_id, attempt in self._attempts.items():
            if attempt.token == token:
                attempt.token = None
                attempt.strikes = 0
                self._outbox.mark_sent(message_id, at=self._clock.now())
                if not heard:
                    self._log.event("hub_not_listening", message_id=message_id)
                return

    def on_refused(self, token: int, reason: str) -> None:
        for message_id, attempt in self._attempts.items():
            if attempt.token == token:
                self._hold(message_id, attempt, f"broker: {reason}")
                return

    def on_receipt(self, receipt: Receipt) -> None:
        """Clear the row, or hold it if the hub refused the message.

        Raises:
            MessageError: a receipt for another booth.
            StoreError: the outbox cannot be written; the hub will be asked again.
        """
        if receipt.booth_id != self._booth_id:
            raise MessageError(f"receipt for booth {receipt.booth_id!r}")
        if receipt.outcome is ReceiptOutcome.REFUSED:
            attempt = self._attempts.get(receipt.message_id)
            if attempt is not None:
                self._hold(receipt.message_id, attempt, "hub: cannot read the message")
            return
        was_there = self._outbox.clear(receipt.message_id, at=self._clock.now())
        self._attempts.pop(receipt.message_id, None)
        if was_there:
            self._log.event(
                "delivered",
                message_id=receipt.message_id,
                sequence=receipt.sequence,
                outcome=str(receipt.outcome),
            )

    def on_disconnected(self) -> None:
        """Note what was with the broker when the connection was lost."""
        for message_id, attempt in self._attempts.items():
            if attempt.token is None:
                continue
            attempt.token = None
            attempt.strikes += 1
            if attempt.strikes >= self._settings.strikes:
                attempt.strikes = 0
                self._hold(message_id, attempt, "lost the connection repeatedly")
            return  # only the oldest: the ones behind it are not to blame

    def resend_all(self) -> None:
        """Make due now all that is not held: the other side is new or back."""
        for attempt in self._attempts.values():
            if not attempt.is_held:
                attempt.due_s = self._clock.monotonic_s()
                attempt.count = 0

    def _is_anything_due(self, now_s: float, window: int) -> bool:
        """Spare the store: payloads are read only when one of them can be sent."""
        if any(now_s >= attempt.due_s for attempt in self._attempts.values()):
            return True
        under_way = len(self._attempts)
        return under_way < window and self._outbox.depth() > under_way

    def _send(self, row: OutboxMessage, attempt: _Attempt | None, now_s: float) -> None:
        if attempt is None:
            attempt = _Attempt(token=None, due_s=now_s, count=0)
            self._attempts[row.message_id] = attempt
        attempt.is_held = False
        try:
            attempt.token = self._link.publish(self._topic, self._envelope(row))
        except MessageError as error:
            self._hold(row.message_id, attempt, str(error))
            return
        attempt.due_s = now_s + self._retry_s(attempt.count)
        attempt.count += 1

    def _envelope(self, row: OutboxMessage) -> bytes:
        try:
            envelope = OutboxEnvelope(
                message_id=row.message_id,
                booth_id=self._booth_id,
                sequence=row.sequence,
                kind=row.kind,
                created_at=row.created_at,
                payload=row.payload,
            )
        except ValueError as error:
            raise MessageError(
                f"outbox row {row.sequence} cannot be sent: {error.__class__.__name__}"
            ) from None
        return envelope.encode()

    def _retry_s(self, count: int) -> float:
        doubled_s = self._settings.retry_first_s * (1 << min(count, 16))
        return min(self._settings.retry_limit_s, doubled_s)

    def _hold(self, message_id: str, attempt: _Attempt, reason: str) -> None:
        attempt.token = None
        attempt.is_held = True
        attempt.due_s = self._clock.monotonic_s() + self._settings.hold_s
        self._log.event("message_held", message_id=message_id, reason=reason)

    def _forget_all_but(self, waiting: set[str]) -> None:
        """Drop rows that are gone, or that others have pushed out of the window."""
        for message_id in self._attempts.keys() - waiting:
            del self._attempts[message_id]
