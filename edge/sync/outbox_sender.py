"""Moves the outbox to the hub: urgent first, a window at a time, until the receipt.

A row is cleared by the hub's signed receipt for exactly its content, and by nothing
else. What is under way is known in memory only and timed by the monotonic clock: after
a restart everything is sent again, and a wall clock that jumps changes nothing. The hub
recognises duplicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.errors import LinkError, MessageError, RefusalError, RefusalReason
from edge.sync.messages import Receipt, ReceiptItem, ReceiptOutcome
from edge.sync.topics import BoothChannel, BoothTopic

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.sync.booth_trust import BoothTrust
    from edge.sync.link import Link
    from edge.sync.outbox_sealing import OutboxSealing
    from edge.terms import OutboxMessage


class OutboxQueue(Protocol):
    """The rows that wait, the most urgent first."""

    def next_rows(
        self, *, limit: int, besides: Collection[str]
    ) -> Sequence[OutboxMessage]:
        """Return the next rows whose ids are not in besides."""
        ...

    def row(self, message_id: str) -> OutboxMessage | None: ...

    def clear_many(self, message_ids: Sequence[str], *, at: datetime) -> int:
        """Remove rows in one transaction; return how many were there."""
        ...


VOID_KIND = "void"


@dataclass(frozen=True)
class SenderSettings:
    """How hard to try.

    in_flight: messages without a receipt at a time; two of the hub's batches, so that
    neither side waits for the other. in_flight_bytes: the same in bytes, of what the
    broker has not acknowledged. retry_*_s: how long a message that the broker has waits
    for its receipt before it is sent again, doubling up to the limit. hold_s: the pause
    for a message that cannot go (too large, refused). A message that was under way in
    `strikes` lost connections one after the other is held too, for it may be what
    breaks them; but a bad line loses connections as well, and a hit must not wait long
    for that: suspect_s at first, doubling up to hold_s.
    """

    in_flight: int = 512
    in_flight_bytes: int = 16 * 1024 * 1024
    retry_first_s: float = 5.0
    retry_limit_s: float = 60.0
    hold_s: float = 300.0
    strikes: int = 3
    suspect_s: float = 15.0


@dataclass
class _Attempt:
    """What is known of a row that was offered to the link.

    turn: counts what is offered, in order.
    """

    sequence: int
    token: int | None
    due_s: float
    turn: int = 0
    digest: bytes = b""
    count: int = 0
    is_held: bool = False
    strikes: int = 0
    suspicions: int = 0


class OutboxSender:
    def __init__(
        self,
        link: Link,
        outbox: OutboxQueue,
        trust: BoothTrust,
        sealing: OutboxSealing,
        clock: Clock,
        log: EventLog,
        settings: SenderSettings,
    ) -> None:
        self._topic = str(BoothTopic(trust.booth_id, BoothChannel.OUTBOX))
        self._link = link
        self._outbox = outbox
        self._trust = trust
        self._sealing = sealing
        self._clock = clock
        self._log = log
        self._settings = settings
        self._attempts: dict[str, _Attempt] = {}
        self._by_token: dict[int, str] = {}
        self._turns = 0
        self._answered_turn = 0

    def send_due(self) -> None:
        """Offer to the link what is due again, then what is new.

        Raises:
            LinkError: the connection went away meanwhile.
            StoreError: the outbox cannot be read.
        """
        now_s = self._clock.monotonic_s()
        self._send_again(now_s)
        held = sum(attempt.is_held for attempt in self._attempts.values())
        free = self._settings.in_flight + held - len(self._attempts)
        if free <= 0 or self._is_line_full():
            return
        for row in self._outbox.next_rows(limit=free, besides=self._attempts.keys()):
            if self._is_line_full():
                return
            self._send(row, now_s)

    def on_published(self, token: int, *, heard: bool) -> None:
        """The broker has a message; only the receipt counts."""
        message_id = self._by_token.pop(token, None)
        attempt = self._attempts.get(message_id) if message_id else None
        if attempt is None:
            return
        attempt.token = None
        attempt.strikes = attempt.suspicions = 0
        attempt.due_s = self._clock.monotonic_s() + self._retry_s(
            max(0, attempt.count - 1)
        )
        self._answered_turn = max(self._answered_turn, attempt.turn)
        if not heard:
            self._log.event("hub_not_listening", message_id=message_id)

    def on_refused(self, token: int, reason: str) -> None:
        message_id = self._by_token.pop(token, None)
        attempt = self._attempts.get(message_id) if message_id else None
        if message_id is not None and attempt is not None:
            self._hold(message_id, attempt, f"broker: {reason}")

    def on_receipt(self, data: bytes) -> None:
        """Clear the rows that a receipt names, hold those that the hub refused.

        Raises:
            RefusalError: WRONG_SIGNER, WRONG_READER: for another booth or stream.
            MessageError: no receipt.
            StoreError: the outbox cannot be written; the hub will be asked again.
        """
        receipt = self._trust.from_hub(data, Receipt)
        place = (receipt.booth_id, receipt.stream)
        if place != (self._trust.booth_id, self._sealing.stream):
            raise RefusalError(
                RefusalReason.WRONG_READER,
                f"receipt for stream {receipt.stream} of {receipt.booth_id}",
            )
        genuine = [item for item in receipt.items if self._is_genuine(item)]
        done = [i for i in genuine if self._is_done(i)]
        if done:
            self._clear(done)
        for item in genuine:
            attempt = self._attempts.get(item.message_id)
            if attempt is not None and item not in done:
                self._hold(item.message_id, attempt, "hub: cannot take the message")

    def on_disconnected(self) -> None:
        """Note what was with the broker when the connection was lost."""
        under_way = [a for a in self._attempts.values() if a.token is not None]
        for attempt in under_way:
            attempt.token = None
        self._by_token.clear()
        if not under_way:
            return
        # Only the first: the ones behind it are not to blame.
        first = under_way[0]
        first.strikes += 1
        if first.strikes >= self._settings.strikes:
            first.strikes = 0
            message_id = next(k for k, a in self._attempts.items() if a is first)
            pause_s = self._settings.suspect_s * (1 << min(first.suspicions, 16))
            first.suspicions += 1
            self._hold(message_id, first, "lost the connection repeatedly", pause_s)

    def resend_all(self) -> None:
        """Make due now all that is not held: the other side is new or back."""
        for attempt in self._attempts.values():
            if not attempt.is_held:
                attempt.due_s = self._clock.monotonic_s()
                attempt.count = 0

    def resend(self, first: int, last: int) -> None:
        """Make due now what is under way with these numbers."""
        for attempt in self._attempts.values():
            if first <= attempt.sequence <= last:
                attempt.due_s = self._clock.monotonic_s()

    def _is_line_full(self) -> bool:
        return self._link.backlog_bytes >= self._settings.in_flight_bytes

    def _is_on_the_line(self, attempt: _Attempt) -> bool:
        """Return whether the link still has a message to bring to the broker.

        A slow line may take minutes for a window; what stands on it is not sent twice.
        A broker answers in order: one that answered a later message lost this one.
        """
        return attempt.token is not None and attempt.turn > self._answered_turn

    def _is_genuine(self, item: ReceiptItem) -> bool:
        """Return whether a receipt speaks of a row of ours, with its very content."""
        attempt = self._attempts.get(item.message_id)
        digest = attempt.digest if attempt is not None else b""
        if not digest:
            row = self._outbox.row(item.message_id)
            if row is None:
                return False  # cleared before: the receipt is a repetition
            digest = self._sealing.digest(row)
        if digest == item.digest:
            return True
        self._log.event(
            "receipt_refused",
            message_id=item.message_id,
            sequence=item.sequence,
            reason=str(RefusalReason.MIXED),
        )
        return False

    def _is_done(self, item: ReceiptItem) -> bool:
        if item.outcome is not ReceiptOutcome.REFUSED:
            return True
        # The hub has what this row was before it was given up: nothing is left to say.
        row = self._outbox.row(item.message_id)
        return row is not None and row.kind == VOID_KIND

    def _clear(self, items: Sequence[ReceiptItem]) -> None:
        ids = [item.message_id for item in items]
        cleared = self._outbox.clear_many(ids, at=self._clock.now())
        for message_id in ids:
            attempt = self._attempts.pop(message_id, None)
            if attempt is not None and attempt.token is not None:
                self._by_token.pop(attempt.token, None)
        if cleared:
            last = max(item.sequence for item in items)
            self._log.event("delivered", count=cleared, sequence=last)

    def _send_again(self, now_s: float) -> None:
        due = [
            k
            for k, a in self._attempts.items()
            if now_s >= a.due_s and not self._is_on_the_line(a)
        ]
        for message_id in due:
            if self._is_line_full():
                return
            row = self._outbox.row(message_id)
            if row is None:
                del self._attempts[message_id]
            else:
                self._send(row, now_s)

    def _send(self, row: OutboxMessage, now_s: float) -> None:
        attempt = self._attempts.get(row.message_id)
        if attempt is None:
            attempt = _Attempt(row.sequence, None, now_s)
        try:
            envelope, attempt.digest = self._sealing.sealed(row)
            token = self._link.publish(self._topic, envelope)
        except MessageError as error:
            self._attempts[row.message_id] = attempt
            self._hold(row.message_id, attempt, str(error))
            return
        except LinkError:
            if row.message_id in self._attempts:
                attempt.due_s = now_s + self._settings.retry_first_s
            raise
        self._attempts[row.message_id] = attempt
        if attempt.token is not None:
            self._by_token.pop(attempt.token, None)
        attempt.token = token
        self._turns += 1
        attempt.turn = self._turns
        self._by_token[token] = row.message_id
        attempt.is_held = False
        attempt.due_s = now_s + self._retry_s(attempt.count)
        attempt.count += 1

    def _retry_s(self, count: int) -> float:
        doubled_s = self._settings.retry_first_s * (1 << min(count, 16))
        return min(self._settings.retry_limit_s, doubled_s)

    def _hold(
        self,
        message_id: str,
        attempt: _Attempt,
        reason: str,
        pause_s: float | None = None,
    ) -> None:
        if attempt.token is not None:
            self._by_token.pop(attempt.token, None)
            attempt.token = None
        attempt.is_held = True
        longest_s = self._settings.hold_s
        pause_s = longest_s if pause_s is None else min(pause_s, longest_s)
        attempt.due_s = self._clock.monotonic_s() + pause_s
        self._log.event("message_held", message_id=message_id, reason=reason)
