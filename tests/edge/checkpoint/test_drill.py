"""A drill presents a synthetic finger, is marked everywhere, and clears nobody."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.checkpoint.booth_ports import BoothPorts
from edge.checkpoint.check import CheckLimits, CheckRequest
from edge.checkpoint.drill import ArmedDrill, DrillingRunner
from edge.errors import StoreError
from edge.terms import FingerPosition, Modality, Outcome

IMAGE = np.full((64, 64), 200, np.uint8)


@dataclass
class Drills:
    """Implements edge.checkpoint.drill.Drills."""

    armed: ArmedDrill | None = None
    reports: list = field(default_factory=list)

    def take(self):
        armed, self.armed = self.armed, None
        return armed

    def finished(self, report):
        self.reports.append(report)


@pytest.fixture
def drills():
    return Drills(ArmedDrill("d1", "e1", [IMAGE]))


@pytest.fixture
def runner(booth, drills):
    ports = BoothPorts(
        finger_capture=booth,
        face_capture=booth,
        finger_recognition=booth,
        face_recognition=booth,
        search=booth,
        recorder=booth,
        encode_png=lambda image: image.tobytes(),
        clock=booth.clock,
    )
    limits = CheckLimits(extra_fingers=(FingerPosition.LEFT_INDEX,))
    return DrillingRunner(ports, booth_id="booth-1", limits=limits, drills=drills)


def test_a_drill_that_is_found_is_referred_and_marked_everywhere(booth, runner, drills):
    booth.found = {Modality.FINGERPRINT: (booth.candidate(Modality.FINGERPRINT),)}
    result = runner.run(CheckRequest())
    assert (result.outcome, result.is_drill) == (Outcome.REFER, True)
    [(check, hit)] = booth.records
    assert "drill" in check.reasons
    assert hit.is_drill
    assert hit.evidence[0].data == IMAGE.tobytes()
    [report] = drills.reports
    assert (report.is_detected, report.hit_id) == (True, hit.hit_id)
    assert report.check_id == check.check_id
    assert report.captured_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert report.decision_s >= 0


def test_a_drill_that_is_missed_clears_nobody(booth, runner, drills):
    result = runner.run(CheckRequest())
    assert (result.outcome, result.is_drill) == (Outcome.DEGRADED, True)
    assert "drill" in result.reasons
    [(check, hit)] = booth.records
    assert (check.outcome, hit) == (Outcome.DEGRADED, None)
    assert not drills.reports[0].is_detected


def test_a_drill_takes_no_finger_and_no_face_of_the_traveller(booth, runner):
    runner.run(CheckRequest())
    assert booth.captures == 0
    assert booth.looks == [Modality.FINGERPRINT]


def test_the_check_after_a_drill_is_a_check(booth, runner, drills):
    runner.run(CheckRequest())
    result = runner.run(CheckRequest())
    assert (result.outcome, result.is_drill) == (Outcome.CLEAR, False)
    assert booth.records[-1][0].reasons == ()
    assert len(drills.reports) == 1


def test_a_drill_that_cannot_be_recorded_is_reported_as_failed(booth, runner, drills):
    def fail(_check, _hit):
        raise StoreError("disk full")

    booth.record = fail
    with pytest.raises(StoreError):
        runner.run(CheckRequest())
    [report] = drills.reports
    assert (report.outcome, report.decided_at) == ("failed", None)
