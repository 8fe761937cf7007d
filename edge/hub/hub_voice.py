"""Everything the hub says by itself or when asked, in the order of its weight.

Receipts go out with the ingest. Then, as far as the link has room: the trust documents,
what is new in the log and its head, grants, commands, and answers to the booths in
turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import EdgeError, LinkError, StoreError
from edge.hub.announcer import Announcer
from edge.hub.answers import Answers, read_request
from edge.hub.batch_maker import BatchMaker
from edge.hub.grant_publisher import GrantPublisher
from edge.hub.outgoing import Outgoing
from edge.hub.request_queue import RequestLimits, RequestQueue
from edge.sync.topics import HubChannel, HubTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.clock import Clock
    from edge.hub.command_sender import CommandSender
    from edge.hub.entitlements import Entitlements
    from edge.hub.hub_stores import HubStores
    from edge.hub.outgoing import Outbound
    from edge.hub.settings import HubSettings
    from edge.logs import EventLog
    from edge.trust.hub_keys import HubKeys

TRUST_TOPIC = str(HubTopic(HubChannel.TRUST))
# One step of the hub: enough to fill the line, short enough to look at hits again.
ANSWERS_A_STEP = 64
GRANTS_A_STEP = 50
COMMANDS_A_STEP = 50


class HubVoice:
    def __init__(  # noqa: PLR0913  the one place where the hub's parts speak
        self,
        *,
        stores: HubStores,
        keys: HubKeys,
        entitlements: Entitlements,
        commands: CommandSender,
        outbound: Outbound,
        clock: Clock,
        log: EventLog,
        settings: HubSettings,
        want_snapshot: Callable[[], None],
    ) -> None:
        self._keys = keys
        self._entitlements = entitlements
        self._commands = commands
        self._outbound = outbound
        self._clock = clock
        self._log = log
        self._settings = settings
        self._queue = RequestQueue(RequestLimits())
        self._next_look_s = 0.0
        self._is_trust_due = True
        batches = BatchMaker(stores.log, entitlements, keys.watchlist)
        self._announcer = Announcer(
            stores.log,
            stores.snapshots,
            entitlements,
            batches,
            keys.watchlist,
            clock,
            settings,
        )
        self._grants = GrantPublisher(
            entitlements, stores.registry, keys.operations, clock, log
        )
        self._answers = Answers(
            stores.log, stores.snapshots, batches, self, want_snapshot
        )

    @property
    def is_busy(self) -> bool:
        """Whether there is something to be said that the link has room for."""
        return len(self._queue) > 0 and self._outbound.has_room

    def head(self) -> bytes:
        return self._announcer.head

    def trust(self) -> bytes:
        return self._keys.trust

    def grant(self, booth_id: str) -> bytes | None:
        return self._grants.grant(booth_id)

    def forget(self) -> None:
        """Say all that is retained again: the broker may have lost it."""
        self._queue.clear()
        self._announcer.forget()
        self._grants.forget()
        self._is_trust_due = True
        self._next_look_s = 0.0

    def on_request(self, booth_id: str, payload: bytes) -> None:
        """Queue the answer to a request.

        Raises:
            MessageError: unreadable, forged, or of a booth that is not entitled.
        """
        request = read_request(booth_id, payload, self._entitlements)
        is_taken = self._queue.add(
            booth_id,
            self._answers.answer(request),
            now_s=self._clock.monotonic_s(),
        )
        if not is_taken:
            self._log.event("request_dropped", booth_id=booth_id)

    def speak(self) -> None:
        """Send what is due, as far as the link has room.

        Raises:
            LinkError: the link broke, or takes no more.
            StoreError: the store cannot be read or written.
        """
        now_s = self._clock.monotonic_s()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + self._settings.look_s
            self._look()
        self._answer_in_turn()

    def _look(self) -> None:
        self._entitlements.look()
        due = self._due()
        while self._outbound.has_room:
            message = next(due, None)
            if message is None:
                return
            self._outbound.send(message)

    def _due(self) -> Iterator[Outgoing]:
        if self._is_trust_due:
            self._is_trust_due = False
            yield Outgoing(TRUST_TOPIC, self._keys.trust, is_retained=True)
        yield from self._announcer.due()
        yield from self._grants.due(GRANTS_A_STEP)
        yield from self._commands.due(COMMANDS_A_STEP)

    def _answer_in_turn(self) -> None:
        for _ in range(ANSWERS_A_STEP):
            turn = self._queue.next_turn() if self._outbound.has_room else None
            if turn is None:
                return
            booth_id, answer = turn
            message = self._next_of(booth_id, answer)
            self._queue.served(is_finished=message is None)
            if message is not None:
                self._outbound.send(message)

    def _next_of(self, booth_id: str, answer: Iterator[Outgoing]) -> Outgoing | None:
        try:
            return next(answer, None)
        except (StoreError, LinkError):
            raise
        except EdgeError as error:
            self._log.event("request_failed", booth_id=booth_id, error=str(error))
            return None
