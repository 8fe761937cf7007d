"""The booth's end of the wire, put together over whatever keeps its data."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Protocol

from edge.sync.booth_trust import BoothTrust
from edge.sync.commands import CommandActions, CommandDesk
from edge.sync.holdings import HoldingReporter
from edge.sync.outbox_sealing import OutboxSealing
from edge.sync.outbox_sender import OutboxQueue, OutboxSender, SenderSettings
from edge.sync.replica_follower import ReplicaFollower, ReplicaStore
from edge.sync.sync_agent import AgentParts, SyncAgent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.replication.position import LogPosition
    from edge.sync.asking_pace import FollowerSettings
    from edge.sync.commands import CommandStore, ImageStore
    from edge.sync.link import Link
    from edge.sync.sync_agent import Chore
    from edge.trust.anchors import TrustAnchors
    from edge.trust.booth_keys import BoothKeys


class BoothOutbox(OutboxQueue, Protocol):
    def stream(self) -> str:
        """Return the name of this outbox: 16 hex digits, made with it."""
        ...

    def post(self, kind: str, body: bytes, *, at: datetime) -> int:
        """Append a message durably; return its number."""
        ...

    def reissue(
        self, stream: str, ranges: Sequence[tuple[int, int]], *, at: datetime
    ) -> int:
        """Put messages that were cleared back; return how many."""
        ...


class BoothReplica(ReplicaStore, Protocol):
    def withdrawn(self, *, limit: int) -> Sequence[tuple[int, str]]: ...

    def receipted(self, withdrawn: Sequence[tuple[int, str]]) -> None: ...

    def scrub(self) -> bool: ...


@dataclass(frozen=True)
class BoothStores:
    outbox: BoothOutbox
    replica: BoothReplica
    commands: CommandStore
    images: ImageStore | None = None


@dataclass(frozen=True)
class AgentOptions:
    """chores: what else is done now and then. random: spreads questions in time.

    is_gone_elsewhere: whether copies of the list hold nothing that is off it.
    """

    instance: str
    chores: Sequence[Chore] = ()
    random: Random | None = None
    sending: SenderSettings | None = None
    following: FollowerSettings | None = None
    keep_anchors: Callable[[TrustAnchors], None] = lambda _anchors: None
    on_held: Callable[[LogPosition], None] = lambda _position: None
    is_gone_elsewhere: Callable[[], bool] = lambda: True


def assemble_agent(
    keys: BoothKeys,
    link: Link,
    stores: BoothStores,
    clock: Clock,
    log: EventLog,
    options: AgentOptions,
) -> SyncAgent:
    """Return an agent that is ready to step.

    Raises:
        MessageError: what the booth has stored of the hub's word is damaged.
        StoreError: a store cannot be read.
    """
    outbox = stores.outbox
    trust = BoothTrust(keys, stores.replica, on_anchors=options.keep_anchors)

    def post(kind: str, body: bytes) -> int:
        return outbox.post(kind, body, at=clock.now())

    def pause() -> None:
        agent.pause()

    def resend(stream: str, ranges: Sequence[tuple[int, int]]) -> int:
        for first, last in ranges:
            sender.resend(first, last)
        return outbox.reissue(stream, ranges, at=clock.now())

    def on_held(position: LogPosition) -> None:
        options.on_held(position)
        holdings.on_held(position)

    holdings = HoldingReporter(
        stores.replica, post, clock, is_gone_elsewhere=options.is_gone_elsewhere
    )
    sender = OutboxSender(
        link,
        outbox,
        trust,
        OutboxSealing(trust, outbox.stream()),
        clock,
        log,
        options.sending or SenderSettings(),
    )
    follower = ReplicaFollower(
        link,
        stores.replica,
        trust,
        clock,
        log,
        random=options.random or Random(),  # noqa: S311  spreads questions, no secret
        on_held=on_held,
        on_pause=pause,
        settings=options.following,
    )
    commands = CommandDesk(
        trust,
        stores.commands,
        CommandActions(post, follower.resync, resend),
        clock,
        log,
        stores.images,
    )
    agent = SyncAgent(
        link,
        AgentParts(trust, sender, follower, commands, holdings),
        clock,
        log,
        instance=options.instance,
        chores=options.chores,
    )
    return agent
