"""A drill: a synthetic finger is presented in place of a traveller's, to measure.

Everything from the quality of the image to the hub's receipt is as it always is; only
the capture is another. Result, hit and record say that it was a drill. A drill clears
nobody: where the synthetic person is not found, the check is degraded, because whoever
stands at the booth has not been searched. No face is taken, and no further finger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from edge.checkpoint.check import CheckRequest
from edge.checkpoint.runner import CheckRunner
from edge.terms import FingerPosition, FingerprintSample, Modality, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge.checkpoint.booth_ports import BoothPorts
    from edge.checkpoint.check import CheckEvent, CheckLimits, CheckResult
    from edge.checkpoint.step import OfficerSide
    from edge.clock import Clock
    from edge.ports import CheckRecorder
    from edge.terms import CheckRecord, FingerInstruction, Hit

DRILL = "drill"
POSITION = FingerPosition.RIGHT_INDEX


@dataclass(frozen=True, eq=False)
class ArmedDrill:
    """images: impressions of the finger, uint8 (height, width), one an attempt."""

    drill_id: str
    entry_id: str
    images: Sequence[NDArray[np.uint8]]
    resolution_ppi: float = 500.0


@dataclass(frozen=True)
class DrillReport:
    """What became of a drill.

    is_detected: the synthetic person was found. captured_at: of the first impression.
    decision_s: from it until the decision was recorded; None if none was.
    """

    drill_id: str
    outcome: str
    is_detected: bool
    check_id: str | None
    hit_id: str | None
    captured_at: datetime | None
    decided_at: datetime | None
    decision_s: float | None


class Drills(Protocol):
    def take(self) -> ArmedDrill | None:
        """Return the drill that waits for the next check, once.

        Raises:
            StoreError: the drills cannot be read or written.
        """
        ...

    def finished(self, report: DrillReport) -> None:
        """Keep what was measured.

        Raises:
            StoreError: it cannot be written.
        """
        ...


class DrillingRunner(CheckRunner):
    """Runs checks, and a drill as the next check where one is armed."""

    def __init__(
        self, ports: BoothPorts, *, booth_id: str, limits: CheckLimits, drills: Drills
    ) -> None:
        super().__init__(ports, booth_id=booth_id, limits=limits)
        self._drills = drills

    def run(
        self,
        request: CheckRequest,
        on_event: Callable[[CheckEvent], None] = lambda _event: None,
        officer: OfficerSide | None = None,
    ) -> CheckResult:
        """Run one check, or the drill that is armed, to its recorded end.

        Raises:
            StoreError: the decision could not be recorded, or the watchlist not read.
        """
        armed = self._drills.take()
        if armed is None:
            return super().run(request, on_event, officer)
        clock = self._ports.clock
        capture = DrillCapture(armed, clock)
        runner = CheckRunner(
            replace(
                self._ports,
                finger_capture=capture,
                recorder=DrillRecorder(self._ports.recorder),
            ),
            booth_id=self._booth_id,
            limits=replace(self._limits, extra_fingers=()),
        )
        order = CheckRequest(
            (Modality.FINGERPRINT,), (POSITION,), officer=request.officer
        )
        result = None
        try:
            result = runner.run(order, on_event, officer)
        finally:
            self._drills.finished(_report(armed, capture, clock, result))
        return replace(
            result,
            outcome=_outcome(result.outcome),
            reasons=(*result.reasons, DRILL),
            is_drill=True,
        )


class DrillCapture:
    """Gives one impression after the other. Implements FingerprintCapture."""

    def __init__(self, armed: ArmedDrill, clock: Clock) -> None:
        self._armed = armed
        self._clock = clock
        self._taken = 0
        self.captured_at: datetime | None = None
        self.captured_s = 0.0

    def capture(
        self,
        position: FingerPosition,
        *,
        timeout_s: float,
        on_progress: Callable[[float], None] | None = None,
        on_rows: Callable[[NDArray[np.uint8], int], None] | None = None,
        on_instruction: Callable[[FingerInstruction], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> FingerprintSample:
        """Return the next impression at once."""
        del timeout_s, on_instruction, is_cancelled
        image = self._armed.images[self._taken % len(self._armed.images)]
        self._taken += 1
        if on_rows is not None:
            on_rows(image, len(image))
        if on_progress is not None:
            on_progress(1.0)
        now = self._clock.now()
        if self.captured_at is None:
            self.captured_at, self.captured_s = now, self._clock.monotonic_s()
        return FingerprintSample(image, self._armed.resolution_ppi, position, now)


class DrillRecorder:
    """Marks what is recorded. Implements CheckRecorder."""

    def __init__(self, recorder: CheckRecorder) -> None:
        self._recorder = recorder

    def record(self, check: CheckRecord, hit: Hit | None) -> None:
        marked = replace(
            check, outcome=_outcome(check.outcome), reasons=(*check.reasons, DRILL)
        )
        self._recorder.record(
            marked, None if hit is None else replace(hit, is_drill=True)
        )


def _outcome(outcome: Outcome) -> Outcome:
    return Outcome.DEGRADED if outcome is Outcome.CLEAR else outcome


def _report(
    armed: ArmedDrill, capture: DrillCapture, clock: Clock, result: CheckResult | None
) -> DrillReport:
    is_measured = result is not None and capture.captured_at is not None
    spent_s = clock.monotonic_s() - capture.captured_s
    return DrillReport(
        drill_id=armed.drill_id,
        outcome="failed" if result is None else str(_outcome(result.outcome)),
        is_detected=result is not None
        and any(c.entry_id == armed.entry_id for c in result.candidates),
        check_id=None if result is None else result.check_id,
        hit_id=None if result is None else result.hit_id,
        captured_at=capture.captured_at,
        decided_at=clock.now() if is_measured else None,
        decision_s=spent_s if is_measured else None,
    )
