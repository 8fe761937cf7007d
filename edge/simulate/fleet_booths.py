"""Many booths in one thread: each with its own keys, connection and place in the log.

What differs from a real booth is where it keeps its data (in memory) and who makes its
hits (chance). The agent, its checks and the line are the product's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from edge.records.hits import encode_hit
from edge.replication.set_digest import SetDigest, record_digest
from edge.simulate.fleet_line import CountingLink, Traffic
from edge.simulate.fleet_stores import MemoryCommands, MemoryOutbox, MemoryReplica
from edge.simulate.hit_source import invented_hit
from edge.sync.assembly import AgentOptions, BoothStores, assemble_agent
from edge.sync.messages import Health
from edge.sync.mqtt_client import MqttClient
from edge.sync.settings import BrokerSettings
from edge.sync.sync_agent import Chore, booth_will, new_instance
from edge.sync.topics import booth_subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.clock import Clock
    from edge.logs import EventLog
    from edge.replication.position import LogPosition
    from edge.store.hub_log import StoredHubLog
    from edge.sync.sync_agent import SyncAgent
    from edge.trust.booth_keys import BoothKeys

HEALTH_S = 60.0
DISK_FREE_BYTES = 10_000_000_000


@dataclass(frozen=True)
class StartingList:
    """A watchlist that booths have had for long; entries: record digest by entry id."""

    position: LogPosition
    entries: dict[str, bytes]
    digest: SetDigest


def starting_list(log: StoredHubLog) -> StartingList:
    """Return what a booth holds that is in step with the hub.

    Nothing may be published meanwhile.

    Raises:
        StoreError: the hub's store cannot be read.
    """
    position, digest, entries = log.position(), SetDigest(), {}
    for entry_id, record in log.current_records():
        entries[entry_id] = record_digest(record)
        digest.add(entry_id, entries[entry_id])
    return StartingList(position, entries, digest)


@dataclass(frozen=True)
class FleetTimes:
    """Monotonic seconds, which all processes of a machine share.

    held: number of the booth, sequence up to which it holds the log, instant. hits:
    id of the hit, instant before it was made.
    """

    held: list[tuple[int, int, float]] = field(default_factory=list)
    hits: list[tuple[str, float]] = field(default_factory=list)


class FleetBooths:
    """Belongs to one thread, which calls sweep again and again."""

    def __init__(
        self,
        keys: Sequence[BoothKeys],
        start: StartingList,
        clock: Clock,
        log: EventLog,
        *,
        is_secure: bool,
        hit_bytes: int,
        seed: int,
    ) -> None:
        """Make the booths; none is connected yet.

        is_secure: the broker asks for certificates. hit_bytes: of evidence in a hit.

        Raises:
            ConfigurationError: unusable keys or certificates.
        """
        self._clock = clock
        self._hit_bytes = hit_bytes
        self._random = Random(seed)  # noqa: S311  spreads instants only
        self.times = FleetTimes()
        self._booths = [
            self._booth(number, each, start, log, is_secure=is_secure)
            for number, each in enumerate(keys)
        ]

    def __len__(self) -> int:
        return len(self._booths)

    @property
    def connected(self) -> int:
        return sum(booth.agent.is_connected for booth in self._booths)

    @property
    def owed(self) -> int:
        """Messages without the hub's receipt."""
        return sum(booth.outbox.depth() for booth in self._booths)

    @property
    def least_sequence(self) -> int:
        """Return up to where the booth that is furthest behind holds the log."""
        positions = [booth.replica.position() for booth in self._booths]
        return min((p.sequence if p else 0 for p in positions), default=0)

    def traffic(self) -> Traffic:
        total = Traffic()
        for booth in self._booths:
            total.add(booth.link.traffic)
        return total

    def sweep(self) -> None:
        """Let each booth do what is due."""
        for booth in self._booths:
            booth.agent.step(0.0)

    def hit(self) -> None:
        """Let a traveller at one of the booths be on the list."""
        booth = self._random.choice(self._booths)
        at_s, now = self._clock.monotonic_s(), self._clock.now()
        hit = invented_hit(booth.booth_id, now, evidence_bytes=self._hit_bytes)
        booth.outbox.post("hit", encode_hit(hit), at=now, message_id=hit.hit_id)
        self.times.hits.append((hit.hit_id, at_s))

    def close(self) -> None:
        for booth in self._booths:
            booth.agent.close()

    def _booth(
        self,
        number: int,
        keys: BoothKeys,
        start: StartingList,
        log: EventLog,
        *,
        is_secure: bool,
    ) -> _Booth:
        instance = new_instance()
        client = MqttClient(
            broker_settings(keys, is_secure=is_secure),
            client_id=f"edge-booth-{keys.booth_id}",
            subscriptions=booth_subscriptions(keys.booth_id),
            will=booth_will(keys.booth_id, instance),
            clock=self._clock,
        )
        link = CountingLink(client)
        outbox = MemoryOutbox()
        replica = MemoryReplica(start.position, start.entries, start.digest)
        stores = BoothStores(outbox, replica, MemoryCommands())
        options = AgentOptions(
            instance,
            chores=[self._health(outbox, replica)],
            random=Random(self._random.random()),  # noqa: S311  spreads questions
            on_held=lambda position: self._note_held(number, position),
        )
        agent = assemble_agent(keys, link, stores, self._clock, log, options)
        return _Booth(keys.booth_id, agent, link, outbox, replica)

    def _note_held(self, number: int, position: LogPosition) -> None:
        now_s = self._clock.monotonic_s()
        self.times.held.append((number, position.sequence, now_s))

    def _health(self, outbox: MemoryOutbox, replica: MemoryReplica) -> Chore:
        def report() -> None:
            position, now = replica.position(), self._clock.now()
            health = Health(
                at=now,
                watchlist_sequence=0 if position is None else position.sequence,
                head_issued_at=None,
                outbox_depth=outbox.depth(),
                disk_free_bytes=DISK_FREE_BYTES,
                clock_is_trusted=True,
                software="simulated",
                counts={},
            )
            outbox.post("health", health.encode(), at=now)

        # Booths were not all switched on in the same second.
        first_s = self._clock.monotonic_s() + HEALTH_S * self._random.random()
        return Chore(HEALTH_S, report, due_s=first_s)


@dataclass(frozen=True)
class _Booth:
    booth_id: str
    agent: SyncAgent
    link: CountingLink
    outbox: MemoryOutbox
    replica: MemoryReplica


def broker_settings(keys: BoothKeys, *, is_secure: bool) -> BrokerSettings:
    """Return how a booth reaches its broker, by what its enrolment told."""
    if not is_secure:
        return BrokerSettings(host=keys.broker_host, port=keys.broker_port)
    return BrokerSettings(
        host=keys.broker_host,
        port=keys.broker_port,
        cafile=keys.authority,
        certfile=keys.certificate,
        keyfile=keys.tls_key,
    )
