"""Notices numbers that are missing in a booth's stream, and asks for them again.

A booth sends everything until its receipt comes, so a gap closes by itself unless
something is wrong; the command says so. It is bounded, and repeated ever more rarely.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from edge.hub.command_sender import new_command
from edge.sync.messages import MAX_RANGES, CommandKind, Resend

if TYPE_CHECKING:
    from collections.abc import Container

    from edge.clock import Clock
    from edge.hub.store_port import HubCommands, HubMessages
    from edge.logs import EventLog
    from edge.records.hub_values import Gap

FIRST_PAUSE_S = 60.0
PAUSE_LIMIT_S = 3600.0
_Stream = tuple[str, str]


@dataclass
class _Asked:
    pause_s: float
    again_s: float


class GapWatcher:
    def __init__(
        self,
        messages: HubMessages,
        commands: HubCommands,
        clock: Clock,
        log: EventLog,
        *,
        after_s: float,
    ) -> None:
        """after_s: a gap may be so old before it is asked for."""
        self._messages = messages
        self._commands = commands
        self._clock = clock
        self._log = log
        self._after_s = after_s
        self._asked: dict[_Stream, _Asked] = {}

    def look(self, online: Container[str]) -> None:
        """Ask the booths that are online for what is missing.

        Raises:
            StoreError: the store cannot be read or written.
        """
        now = self._clock.now()
        old = [
            gap
            for gap in self._messages.gaps()
            if (now - gap.since).total_seconds() >= self._after_s
        ]
        streams = {
            stream: list(gaps) for stream, gaps in groupby(sorted(old, key=_place), _of)
        }
        self._asked = {s: a for s, a in self._asked.items() if s in streams}
        for stream, gaps in streams.items():
            if stream[0] in online and self._is_due(stream):
                self._ask(stream, gaps)

    def _is_due(self, stream: _Stream) -> bool:
        now_s = self._clock.monotonic_s()
        asked = self._asked.setdefault(stream, _Asked(FIRST_PAUSE_S / 2, now_s))
        if now_s < asked.again_s:
            return False
        asked.pause_s = min(2 * asked.pause_s, PAUSE_LIMIT_S)
        asked.again_s = now_s + asked.pause_s
        return True

    def _ask(self, stream: _Stream, gaps: list[Gap]) -> None:
        booth_id, name = stream
        ranges = [[gap.first, gap.last] for gap in gaps[:MAX_RANGES]]
        command = new_command(
            booth_id,
            CommandKind.RESEND,
            Resend(stream=name, ranges=ranges).encode(),
            at=self._clock.now(),
            valid_s=self._asked[stream].pause_s,
        )
        self._commands.add(command)
        count = sum(last - first + 1 for first, last in ranges)
        self._log.event("gap", booth_id=booth_id, count=count, sequence=ranges[0][0])


def _of(gap: Gap) -> _Stream:
    return gap.booth_id, gap.stream


def _place(gap: Gap) -> tuple[str, str, int]:
    return gap.booth_id, gap.stream, gap.first
