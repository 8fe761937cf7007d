"""The processes that run a simulated fleet: started, told what to do, listened to."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from edge.services.processes import ProcessError
from edge.simulate.fleet_worker import (
    Begin,
    Failed,
    Report,
    Reported,
    Told,
    WorkerPlan,
    run_worker,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

JOIN_S = 10.0


class FleetWorkers:
    """Start with `with`; at its end every process has ended."""

    def __init__(self, plans: Sequence[WorkerPlan]) -> None:
        self._plans = plans
        self._told = [Told() for _ in plans]
        self._reports: dict[int, Reported] = {}
        self._lines: list[Connection] = []
        self._processes: list[SpawnProcess] = []

    def __enter__(self) -> Self:
        # A fork would take our threads' locks along.
        context = multiprocessing.get_context("spawn")
        for plan in self._plans:
            ours, theirs = context.Pipe()
            process = context.Process(target=run_worker, args=(plan, theirs))
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)
        return self

    def __exit__(self, *_error: object) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.join(JOIN_S)
            if process.is_alive():
                process.kill()
                process.join()

    @property
    def pids(self) -> list[int | None]:
        return [process.pid for process in self._processes]

    def told(self) -> Told:
        """Return what all workers together have told so far.

        Raises:
            ProcessError: a worker failed or has ended.
        """
        for number in range(len(self._lines)):
            self._listen(number)
        return Told(
            sum(told.connected for told in self._told),
            sum(told.owed for told in self._told),
            sum(told.hits for told in self._told),
            min(told.least_sequence for told in self._told),
            all(told.is_quiet for told in self._told),
        )

    def begin_hits(self, hits_per_s: float) -> None:
        """Let the fleet make so many hits a second, 0 for none."""
        booths = sum(len(plan.booth_ids) for plan in self._plans)
        for line, plan in zip(self._lines, self._plans, strict=True):
            line.send(Begin(hits_per_s * len(plan.booth_ids) / booths))

    def report(self) -> list[Reported]:
        """Ask for everything; the workers end.

        The numbers of booths in the times count over all workers.

        Raises:
            ProcessError: a worker failed.
        """
        for line in self._lines:
            line.send(Report())
        for number in range(len(self._lines)):
            while number not in self._reports:
                self._listen(number, timeout_s=None)
        return [self._numbered(number) for number in range(len(self._lines))]

    def _listen(self, number: int, timeout_s: float | None = 0) -> None:
        line = self._lines[number]
        try:
            while number not in self._reports and line.poll(timeout_s):
                self._take(number, line.recv())
        except (EOFError, OSError) as error:
            with suppress(ValueError):
                self._processes[number].join(JOIN_S)
            path = self._plans[number].log_path
            message = f"a part of the fleet ended by itself (see {path})"
            raise ProcessError(message) from error

    def _take(self, number: int, said: object) -> None:
        match said:
            case Told():
                self._told[number] = said
            case Reported():
                self._reports[number] = said
            case Failed(reason):
                message = f"a part of the fleet failed: {reason}"
                raise ProcessError(message)

    def _numbered(self, number: int) -> Reported:
        report = self._reports[number]
        first = sum(len(plan.booth_ids) for plan in self._plans[:number])
        held = [
            (first + booth, sequence, at_s)
            for booth, sequence, at_s in report.times.held
        ]
        return replace(report, times=replace(report.times, held=held))
