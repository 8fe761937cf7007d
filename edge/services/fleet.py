"""edge simulate fleet: a hub, its broker, and booths by the hundred, measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from edge.clock import SystemClock
from edge.errors import LinkError
from edge.services.fleet_report import FleetRecord, fleet_report
from edge.services.fleet_site import FleetSite
from edge.services.fleet_workers import FleetWorkers
from edge.services.process_use import peak_bytes, processor_s
from edge.simulate.watchlist_persons import GeneratedPersons, withdrawal
from edge.store.database import mapped_errors
from edge.store.hub_log import StoredHubLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.services.fleet_site import Steps
    from edge.terms import DraftChange

POLL_S = 0.005
# Nothing stands still for so long that is still on its way.
PATIENCE_S = 120.0
DAY_S = 24 * 3600.0
WITHDRAWN_SHARE = 0.4


@dataclass(frozen=True)
class FleetPlan:
    """How much of what.

    changes_per_day: of the watchlist. hit_bytes: of evidence in a hit. processes: that
    the booths are spread over.
    """

    booths: int = 1000
    hits_per_s: float = 20.0
    changes_per_day: float = 7_000.0
    minutes: float = 5.0
    persons: int = 1000
    hit_bytes: int = 8_000
    processes: int = 3
    seed: int = 1


def simulate_fleet(plan: FleetPlan, run_dir: Path, on_step: Steps) -> dict[str, Any]:
    """Run the fleet for the plan's minutes, wait until all has arrived; report.

    The booths begin in step with a list of the plan's persons. Times are monotonic and
    of one machine: no clock has to be compared with another. run_dir: an existing,
    short path.

    Raises:
        EdgeError: a part does not start, or what was sent does not arrive.
    """
    persons = GeneratedPersons(plan.seed)
    with FleetSite(run_dir, plan.booths, on_step) as site:
        site.fill(persons, plan.persons)
        workers = FleetWorkers(site.worker_plans(plan.processes, plan.hit_bytes))
        with workers:
            run = _Run(plan, site, workers, persons, on_step)
            run.connect()
            run.play()
            run.settle()
            return run.report()


class _Run:
    def __init__(
        self,
        plan: FleetPlan,
        site: FleetSite,
        workers: FleetWorkers,
        persons: GeneratedPersons,
        on_step: Steps,
    ) -> None:
        self._plan = plan
        self._site = site
        self._workers = workers
        self._persons = persons
        self._on_step = on_step
        self._log = StoredHubLog(site.hub)
        self._random = Random(plan.seed)  # noqa: S311  an order only
        self._next_person = plan.persons
        self._on_list = [persons.entry_id(number) for number in range(plan.persons)]
        self._seen = 0
        self._begun_s = 0.0
        self._record = FleetRecord(booths=plan.booths, persons=plan.persons)

    def connect(self) -> None:
        """Start the hub and wait until all booths are connected."""
        started_s = time.monotonic()
        self._site.start_hub()
        booths = self._plan.booths
        self._await("booths connected", booths, lambda: self._workers.told().connected)
        self._record.connected_s = time.monotonic() - started_s

    def play(self) -> None:
        """Let hits flow and publish changes for the plan's minutes."""
        self._begun_s = time.monotonic()
        end_s = self._begun_s + 60 * self._plan.minutes
        pause_s = DAY_S / self._plan.changes_per_day
        due_s = self._begun_s + pause_s * self._random.random()
        self._workers.begin_hits(self._plan.hits_per_s)
        while (now_s := time.monotonic()) < end_s:
            if now_s >= due_s:
                self._publish()
                due_s += pause_s
            self._watch_hub()
            self._workers.told()
            self._show(now_s)
            time.sleep(POLL_S)
        self._workers.begin_hits(0)
        self._record.played_s = time.monotonic() - self._begun_s

    def settle(self) -> None:
        """Wait until every booth is in step and owes nothing."""
        started_s = time.monotonic()
        self._await("every booth in step", 1, self._is_in_step)
        self._await("a receipt for every message", 1, self._is_clear)
        self._record.settled_s = time.monotonic() - started_s
        self._record.connected_at_end = self._workers.told().connected

    def report(self) -> dict[str, Any]:
        record = self._record
        hub_pid, broker_pid = self._site.hub_process.pid, self._site.broker.process.pid
        record.hub_peak_bytes = peak_bytes(hub_pid)
        record.broker_peak_bytes = peak_bytes(broker_pid)
        record.hub_processor_s = processor_s(hub_pid)
        record.broker_processor_s = processor_s(broker_pid)
        record.is_secure = self._site.is_secure
        record.hub_log = self._site.hub_process.log_path
        reports = self._workers.report()
        return fleet_report(record, reports)

    def _publish(self) -> None:
        draft = self._draft()
        at_s = time.monotonic()
        [change] = self._log.append([draft], at=SystemClock().now())
        self._record.published[change.change.sequence] = at_s

    def _draft(self) -> DraftChange:
        if self._on_list and self._random.random() < WITHDRAWN_SHARE:
            place = self._random.randrange(len(self._on_list))
            self._on_list[place], self._on_list[-1] = (
                self._on_list[-1],
                self._on_list[place],
            )
            return withdrawal(self._on_list.pop())
        [draft] = self._persons.additions(self._next_person, 1)
        self._next_person += 1
        self._on_list.append(draft.entry_id)
        return draft

    def _watch_hub(self) -> None:
        """Note which hits stand in the hub's store by now."""
        with mapped_errors("read"):
            rows = self._site.hub.conn.execute(_NEW_HITS, (self._seen,)).fetchall()
        now_s = time.monotonic()
        for number, hit_id in rows:
            self._seen = number
            self._record.stored.append((hit_id, now_s))

    def _is_in_step(self) -> int:
        self._watch_hub()
        end = self._log.position().sequence
        return int(self._workers.told().least_sequence >= end)

    def _is_clear(self) -> int:
        self._watch_hub()
        told = self._workers.told()
        is_stored = len(self._record.stored) >= told.hits
        return int(told.is_quiet and told.owed == 0 and is_stored)

    def _show(self, now_s: float) -> None:
        total = round(60 * self._plan.minutes)
        self._on_step("seconds played", min(total, int(now_s - self._begun_s)), total)

    def _await(self, what: str, wanted: int, count: Callable[[], int]) -> None:
        """Wait until count gives wanted.

        Raises:
            LinkError: it stood still for PATIENCE_S.
        """
        seen, deadline_s = -1, 0.0
        while seen < wanted:
            now_s, found = time.monotonic(), count()
            if found > seen:
                seen, deadline_s = found, now_s + PATIENCE_S
                self._on_step(what, seen, wanted)
            elif now_s > deadline_s:
                message = f"fleet: {what} stand at {seen} of {wanted}"
                raise LinkError(message)
            else:
                time.sleep(POLL_S)


_NEW_HITS = "select number, hit_id from received_hits where number > ? order by number"
