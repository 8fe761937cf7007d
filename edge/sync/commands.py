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
    ImagePart,
    Instruction,
    ReferenceImages,
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
DONE, EXPIRED = (AnswerOutcome.DONE, ""), AnswerOutcome.EXPIRED
UNKNOWN = (AnswerOutcome.UNKNOWN, "this software does not know the command")


class CommandStore(Protocol):
    def is_command_known(self, command_id: str) -> bool: ...

    def note_command(self, command_id: str, kind: str, *, at: datetime) -> None: ...

    def add_instruction(
        self, hit_id: str, text: str, command_id: str, *, at: datetime
    ) -> None:
        """Keep an instruction for the officer; the same command adds it once."""
        ...


class ImageStore(Protocol):
    """Keeps images of a hit's entry until the hit is decided and delivered."""

    def expect(self, announced: ReferenceImages, *, at: datetime) -> bool:
        """Note which images come; False if nobody needs them here any more."""
        ...

    def add_part(self, part: ImagePart, *, at: datetime) -> bool:
        """Keep a piece of an image; False if nobody needs it here any more."""
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
        images: ImageStore | None = None,
    ) -> None:
        """images: None where nobody decides on hits; their commands are unknown."""
        self._images = images
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
        if command.expires_at <= now:
            outcome, detail = EXPIRED, f"it was valid until {command.expires_at}"
        else:
            outcome, detail = self._outcome(command)
        answer = Answer(command_id=command.command_id, outcome=outcome, detail=detail)
        # Noted last: what is done twice after a crash does no harm.
        self._actions.post(ANSWER_KIND, answer.encode())
        self._store.note_command(command.command_id, command.kind, at=self._clock.now())
        self._log.event(
            "command", kind=command.kind, outcome=str(outcome), reason=detail
        )

    def _outcome(self, command: Command) -> tuple[AnswerOutcome, str]:
        match command.kind:
            case CommandKind.TEST:
                return DONE
            case CommandKind.RESYNC:
                self._actions.resync()
                return DONE
            case CommandKind.RESEND:
                return self._resend(Resend.decode(self._body(command)))
            case CommandKind.INSTRUCTION:
                return self._instruct(command)
            case CommandKind.REFERENCE_IMAGES | CommandKind.IMAGE_PART:
                return self._take_image(command)
        return UNKNOWN

    def _instruct(self, command: Command) -> tuple[AnswerOutcome, str]:
        told = Instruction.decode(self._body(command))
        at = self._clock.now()
        self._store.add_instruction(told.hit_id, told.text, command.command_id, at=at)
        return DONE

    def _take_image(self, command: Command) -> tuple[AnswerOutcome, str]:
        if self._images is None:
            return UNKNOWN
        body, at = self._body(command), self._clock.now()
        if command.kind == CommandKind.IMAGE_PART:
            is_needed = self._images.add_part(ImagePart.decode(body), at=at)
        else:
            is_needed = self._images.expect(ReferenceImages.decode(body), at=at)
        if is_needed:
            return DONE
        return AnswerOutcome.REFUSED, "no open hit here needs the image"

    def _body(self, command: Command) -> bytes:
        info = command_info(command.booth_id, command.command_id)
        return self._trust.unsealed(command.body, info)

    def _resend(self, order: Resend) -> tuple[AnswerOutcome, str]:
        ranges = [(first, last) for first, last in order.ranges]
        count = self._actions.resend(order.stream, ranges)
        return AnswerOutcome.DONE, f"{count} messages again"
