"""The line between booth and hub, measured in sections on one running site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.bench.sync_hits import measure_hit, measure_ingest, measure_outage
from edge.bench.sync_watchlist import (
    Mix,
    await_in_step,
    fill_hub,
    measure_delta,
    measure_publish,
    measure_snapshot,
    start_with_list,
    with_worst_case,
)
from edge.simulate.watchlist_persons import GeneratedPersons

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from edge.bench.progress import Progress
    from edge.bench.sync_site import Site
    from edge.bench.sync_watchlist import Filled

SECTIONS = ("snapshot", "publish", "hit", "delta", "outage", "ingest")
# These say nothing without a list on the booth.
WITH_LIST = frozenset({"snapshot", "publish", "delta"})
# Of one person in a change of two fingers and a face, where no snapshot was measured.
BYTES_PER_PERSON = 1100.0


@dataclass(frozen=True)
class SyncPlan:
    """How much of what; bits and bytes as named."""

    sections: Collection[str] = SECTIONS
    persons: int = 180_000
    publish_changes: int = 40
    hits: int = 300
    hit_bytes: int = 40_000
    snapshot_bits_per_s: float = 10e6
    delta_changes: int = 7_000
    delta_bits_per_s: float = 64e3
    mix: Mix = field(default_factory=Mix)
    outage_hits: int = 72_000
    outage_bytes: int = 2_000
    ingest_hits: int = 4_000
    ingest_bytes: tuple[int, ...] = (2_000, 40_000)
    threads: int = 1
    seed: int = 1


def measure_sync(
    site: Site, plan: SyncPlan, progress: Progress, report: dict[str, Any]
) -> None:
    """Measure the sections of the plan, one after the other.

    report: gets each section as soon as it is done, by name.

    Raises:
        EdgeError: a part does not start, or what was sent does not arrive.
    """
    run = _Run(site, plan, progress, report)
    run.start()
    measures: dict[str, Callable[[], Any]] = {
        "publish": run.publish,
        "hit": run.hit,
        "delta": run.delta,
        "outage": run.outage,
        "ingest": run.ingest,
    }
    for name, measure in measures.items():
        if name in plan.sections:
            report[name] = measure()


class _Run:
    def __init__(
        self, site: Site, plan: SyncPlan, progress: Progress, report: dict[str, Any]
    ) -> None:
        self.report = report
        self._site = site
        self._plan = plan
        self._progress = progress
        self._persons = GeneratedPersons(plan.seed, threads=plan.threads)
        self._filled: Filled

    def start(self) -> None:
        """Start hub and booth, with the list where a section needs it."""
        plan, site = self._plan, self._site
        if WITH_LIST.isdisjoint(plan.sections):
            site.start_hub()
            site.start_sync()
            return
        self._filled = fill_hub(site, self._persons, plan.persons, self._progress)
        if "snapshot" not in plan.sections:
            start_with_list(site, self._progress)
            return
        self.report["snapshot"] = measure_snapshot(
            site,
            self._filled,
            bits_per_s=plan.snapshot_bits_per_s,
            progress=self._progress,
        )

    def publish(self) -> dict[str, Any]:
        return measure_publish(
            self._site,
            self._persons,
            self._filled,
            changes=self._plan.publish_changes,
            progress=self._progress,
        )

    def hit(self) -> dict[str, Any]:
        return measure_hit(
            self._site,
            hits=self._plan.hits,
            evidence_bytes=self._plan.hit_bytes,
            progress=self._progress,
        )

    def delta(self) -> dict[str, Any]:
        await_in_step(self._site, "the list")
        measured = measure_delta(
            self._site,
            self._persons,
            self._filled,
            changes=self._plan.delta_changes,
            mix=self._plan.mix,
            bits_per_s=self._plan.delta_bits_per_s,
            progress=self._progress,
        )
        snapshot = self.report.get("snapshot", {})
        each = snapshot.get("wire_bytes_per_person", BYTES_PER_PERSON)
        return with_worst_case(measured, each)

    def outage(self) -> dict[str, Any]:
        return measure_outage(
            self._site,
            hits=self._plan.outage_hits,
            evidence_bytes=self._plan.outage_bytes,
            progress=self._progress,
        )

    def ingest(self) -> list[dict[str, Any]]:
        self._site.stop_sync()
        return [
            measure_ingest(
                self._site,
                hits=self._plan.ingest_hits,
                evidence_bytes=size,
                progress=self._progress,
            )
            for size in self._plan.ingest_bytes
        ]
