"""Sends the hub's commands until they are answered or over.

Other processes put commands into the store (`edge hub instruct`, `edge hub command`);
the gap watcher does so in this one. A booth acts once on a command, however often it
comes. What it is told is sealed to it; one that is not entitled is told nothing.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import cbor2

from edge.errors import MessageError
from edge.hub.outgoing import Outgoing
from edge.records.hub_values import CommandRecord
from edge.sync.messages import Command, command_info
from edge.sync.topics import BoothChannel, BoothTopic
from edge.trust.cose import sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from edge.clock import Clock
    from edge.hub.entitlements import Entitlements
    from edge.hub.store_port import HubCommands
    from edge.logs import EventLog
    from edge.sync.messages import Answer, CommandKind
    from edge.trust.keys import SigningKey


def new_command(
    booth_id: str, kind: CommandKind, body: bytes, *, at: datetime, valid_s: float
) -> CommandRecord:
    """Return a command under a new random id, to be put into the store."""
    return CommandRecord(
        command_id=secrets.token_hex(16),
        booth_id=booth_id,
        kind=kind,
        body=body,
        issued_at=at,
        expires_at=at + timedelta(seconds=valid_s),
    )


class CommandSender:
    def __init__(
        self,
        commands: HubCommands,
        entitlements: Entitlements,
        key: SigningKey,
        clock: Clock,
        log: EventLog,
        *,
        repeat_s: float,
    ) -> None:
        """key: an operations key. repeat_s: how long to wait for an answer."""
        self._commands = commands
        self._entitlements = entitlements
        self._key = key
        self._clock = clock
        self._log = log
        self._repeat_s = repeat_s

    def due(self, limit: int) -> Iterator[Outgoing]:
        """Yield commands to be sent now, at most limit; give up those that are over.

        Raises:
            StoreError: the store cannot be read or written.
        """
        now = self._clock.now()
        if expired := self._commands.expire(now):
            self._log.event("commands_expired", count=expired)
        for record in self._commands.due(now, repeat_s=self._repeat_s)[:limit]:
            self._commands.sent(record.command_id, at=now)
            body = self._sealed_body(record)
            if body is not None:
                yield self._message(record, body, now)

    def on_answer(self, booth_id: str, answer: Answer) -> None:
        """Note what became of a command.

        Raises:
            StoreError: the store cannot be written.
        """
        is_awaited = self._commands.answered(
            answer.command_id,
            booth_id=booth_id,
            outcome=answer.outcome,
            detail=answer.detail,
            at=self._clock.now(),
        )
        if is_awaited:
            self._log.event(
                "command_answered", booth_id=booth_id, outcome=str(answer.outcome)
            )

    def _sealed_body(self, record: CommandRecord) -> bytes | None:
        """Return what the booth alone can read; None if it is not to have it."""
        reader = self._entitlements.readers.get(record.booth_id)
        if reader is None or not record.body:
            return None if reader is None else b""
        info = command_info(record.booth_id, record.command_id)
        try:
            return reader.seal(record.body, info=cbor2.dumps(info, canonical=True))
        except MessageError as error:
            # One booth with a bad key must not keep the others from their commands.
            self._log.event(
                "command_failed", booth_id=record.booth_id, error=str(error)
            )
            return None

    def _message(self, record: CommandRecord, body: bytes, now: datetime) -> Outgoing:
        command = Command(
            command_id=record.command_id,
            booth_id=record.booth_id,
            kind=record.kind,
            issued_at=record.issued_at,
            expires_at=record.expires_at,
            body=body,
        )
        return Outgoing(
            str(BoothTopic(record.booth_id, BoothChannel.COMMAND)),
            sign(command.encode(), self._key),
            expiry_s=max(1, int((record.expires_at - now).total_seconds())),
        )
