"""A process that runs a part of a fleet, at the word of the one that started it."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.errors import EdgeError
from edge.logs import EventLog
from edge.simulate.fleet_booths import FleetBooths, FleetTimes, starting_list
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.trust.booth_keys import load_booth_keys
from edge.trust.key_folder import KeyFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from edge.simulate.fleet_line import Traffic
    from edge.trust.booth_keys import BoothKeys

TELL_S = 0.2
# A sweep over booths that have nothing to do is not repeated sooner.
SWEEP_S = 0.01


@dataclass(frozen=True)
class WorkerPlan:
    """keys: folder of the booths' key folders, each named as its booth."""

    booth_ids: Sequence[str]
    keys: Path
    hub_store: Path
    log_path: Path
    is_secure: bool
    hit_bytes: int
    seed: int


@dataclass(frozen=True)
class Begin:
    """Order: make hits at this rate from now on, none at 0."""

    hits_per_s: float


@dataclass(frozen=True)
class Report:
    """Order: say everything, then end."""


@dataclass(frozen=True)
class Told:
    """What a worker says of itself now and then.

    owed: messages without a receipt. hits: made so far. least_sequence: up to where the
    booth that is furthest behind holds the log. is_quiet: no hits are made now.
    """

    connected: int = 0
    owed: int = 0
    hits: int = 0
    least_sequence: int = 0
    is_quiet: bool = False


@dataclass(frozen=True)
class Reported:
    times: FleetTimes
    traffic: Traffic
    refusals: int
    cpu_s: float


@dataclass(frozen=True)
class Failed:
    reason: str


def run_worker(plan: WorkerPlan, line: Connection) -> None:
    """Run until Report has been answered or the line is closed."""
    # The one who started it decides when an interrupted run ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _Worker(plan, line).run()
    except EdgeError as error:
        line.send(Failed(str(error)))
    except (EOFError, BrokenPipeError):
        pass  # nobody is there any more


@dataclass
class _Rate:
    """Instants of hits by chance, so many a second on average."""

    random: Random
    hits_per_s: float = 0.0
    due_s: float = field(default=float("inf"))

    def begin(self, hits_per_s: float, now_s: float) -> None:
        self.hits_per_s = hits_per_s
        self.due_s = now_s + self._pause_s()

    def is_due(self, now_s: float) -> bool:
        if now_s < self.due_s:
            return False
        self.due_s += self._pause_s()
        return True

    def _pause_s(self) -> float:
        if self.hits_per_s <= 0:
            return float("inf")
        return self.random.expovariate(self.hits_per_s)


class _Worker:
    def __init__(self, plan: WorkerPlan, line: Connection) -> None:
        self._plan = plan
        self._line = line
        self._rate = _Rate(Random(plan.seed))  # noqa: S311  spreads instants only
        self._told_s = 0.0

    def run(self) -> None:
        plan, clock = self._plan, SystemClock()
        with plan.log_path.open("w", encoding="utf-8") as stream:
            log = _CountingLog(clock, "fleet", stream)
            database = open_database(plan.hub_store, "hub")
            start = starting_list(StoredHubLog(database))
            database.conn.close()
            booths = FleetBooths(
                [_keys_of(plan, booth_id) for booth_id in plan.booth_ids],
                start,
                clock,
                log,
                is_secure=plan.is_secure,
                hit_bytes=plan.hit_bytes,
                seed=plan.seed,
            )
            try:
                self._sweep_until_report(booths)
            finally:
                booths.close()
            self._line.send(
                Reported(
                    booths.times,
                    booths.traffic(),
                    log.refusals,
                    time.process_time(),
                )
            )

    def _sweep_until_report(self, booths: FleetBooths) -> None:
        while not self._take_orders():
            started_s = time.monotonic()
            while self._rate.is_due(started_s):
                booths.hit()
            booths.sweep()
            self._tell(booths)
            time.sleep(max(0.0, started_s + SWEEP_S - time.monotonic()))

    def _take_orders(self) -> bool:
        """Obey; return whether to end."""
        while self._line.poll(0):
            match self._line.recv():
                case Begin(hits_per_s):
                    self._rate.begin(hits_per_s, time.monotonic())
                case Report():
                    return True
        return False

    def _tell(self, booths: FleetBooths) -> None:
        now_s = time.monotonic()
        if now_s < self._told_s + TELL_S:
            return
        self._told_s = now_s
        hits = len(booths.times.hits)
        self._line.send(
            Told(
                booths.connected,
                booths.owed,
                hits,
                booths.least_sequence,
                self._rate.hits_per_s <= 0,
            )
        )


class _CountingLog(EventLog):
    refusals = 0

    def event(self, event: str, /, **fields: float | str | None) -> None:
        if event in {"message_refused", "message_held", "receipt_refused"}:
            self.refusals += 1
        super().event(event, **fields)


def _keys_of(plan: WorkerPlan, booth_id: str) -> BoothKeys:
    return load_booth_keys(KeyFolder(plan.keys / booth_id), booth_id)
