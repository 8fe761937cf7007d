"""What the hub tells a booth to do: checked, done once, answered through the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.errors import RefusalError, RefusalReason
from edge.sync.messages import (
    Answer,
    AnswerOutcome,
    Command,
    CommandKind,
    Instruction,
    Resend,
    command_info,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.sync.booth_trust import BoothTrust

ANSWER_KIND = "answer"


class CommandStore(Protocol):
    def is_command_known(self, command_id: str) -> bool: ...

    def note_command(self, command_id: str, kind: str, *, at: datetime) -> None: ...

    def add_instruction(
        self, hit_id: str, text: str, command_id: str, *, at: datetime
    ) -> None:
        """Keep an instruction for the officer; the same command adds it once."""
        ...


@dataclass(frozen=True)
class CommandActions:
    """post: an outbox message of a kind with a body. resend: ranges of a stream."""

    post: Callable[[str, bytes], object]
    resync: Callable[[], None]
    resend: Callable[[str, Sequence[tuple[int, int]]], int]


class CommandDesk:
    def __init__(
        self,
        trust: BoothTrust,
        store: CommandStore,
        actions: CommandActions,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._trust = trust
        self._store = store
        self._actions = actions
        self._clock = clock
        self._log = log

    def on_command(self, data: bytes, *, now: datetime) -> None:
        """Do what a command says, unless it was done before.

        now: the latest time that is believed, so that a clock that was turned back
        brings no old command to life.

        Raises:
            RefusalError: WRONG_SIGNER, WRONG_READER.
            MessageError: no command, or not sealed to this booth.
            StoreError: it cannot be noted; the hub will repeat it.
        """
        command = self._trust.from_hub(data, Command)
        if command.booth_id != self._trust.booth_id:
            raise RefusalError(
                RefusalReason.WRONG_READER, f"command for booth {command.booth_id!r}"
            )
        if self._store.is_command_known(command.command_id):
            return
        outcome, detail = self._outcome(command, now)
        answer = Answer(command_id=command.command_id, outcome=outcome, detail=detail)
        # Noted last: what is done twice after a crash does no harm.
        self._actions.post(ANSWER_KIND, answer.encode())
        self._store.note_command(command.command_id, command.kind, at=self._clock.now())
        self._log.event(
            "command", kind=command.kind, outcome=str(outcome), reason=detail
        )

    def _outcome(self, command: Command, now: datetime) -> tuple[AnswerOutcome, str]:
        if command.expires_at <= now:
            return AnswerOutcome.EXPIRED, f"it was valid until {command.expires_at}"
        match command.kind:
            case CommandKind.TEST:
                return AnswerOutcome.DONE, ""
            case CommandKind.RESYNC:
                self._actions.resync()
                return AnswerOutcome.DONE, ""
            case CommandKind.RESEND:
                return self._resend(Resend.decode(self._body(command)))
            case CommandKind.INSTRUCTION:
                told = Instruction.decode(self._body(command))
                at = self._clock.now()
                self._store.add_instruction(
                    told.hit_id, told.text, command.command_id, at=at
                )
                return AnswerOutcome.DONE, ""
        return AnswerOutcome.UNKNOWN, "this software does not know the command"

    def _body(self, command: Command) -> bytes:
        info = command_info(command.booth_id, command.command_id)
        return self._trust.unsealed(command.body, info)

    def _resend(self, order: Resend) -> tuple[AnswerOutcome, str]:
        ranges = [(first, last) for first, last in order.ranges]
        count = self._actions.resend(order.stream, ranges)
        return AnswerOutcome.DONE, f"{count} messages again"
