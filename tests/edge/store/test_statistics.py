from datetime import UTC, datetime, timedelta

import pytest

from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.statistics import CheckStatistics
from edge.terms import (
    AssessedSample,
    CheckRecord,
    FingerPosition,
    Modality,
    Outcome,
    Quality,
    QualityReason,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DRY = Quality(12, (QualityReason.TOO_DRY,), is_sufficient=False)


@pytest.fixture
def database(tmp_path):
    database = open_database(tmp_path / "booth.db", "booth")
    yield database
    database.conn.close()


def _check(number, *, outcome=Outcome.CLEAR, officer="ada", samples=(), reasons=()):
    at = NOON + timedelta(minutes=40 * number)
    finger = (Modality.FINGERPRINT, FingerPosition.RIGHT_INDEX)
    return CheckRecord(
        f"check-{number}",
        at,
        at,
        outcome,
        1,
        reasons,
        1000 * (number + 1),
        officer=officer,
        samples=tuple(AssessedSample(*finger, quality) for quality in samples),
        timings_ms={"fingerprint.capture": 100.0 * (number + 1)},
    )


def test_statistics_count_by_hour_officer_finger_and_reason(database):
    store = CheckStore(database, {Modality.FINGERPRINT: "left lane"})
    store.record(_check(0, samples=[DRY, Quality(50)]), None)
    store.record(_check(1, outcome=Outcome.RETRY, samples=[DRY]), None)
    degraded = {"outcome": Outcome.DEGRADED, "reasons": ("face: device_failed",)}
    store.record(_check(2, officer="sam", **degraded), None)
    found = CheckStatistics(database).between(NOON, NOON + timedelta(hours=2))
    assert found["checks"] == {"clear": 1, "refer": 0, "retry": 1, "degraded": 1}
    assert [(row["hour"][11:13], row["clear"]) for row in found["by_hour"]] == [
        ("12", 1),
        ("13", 0),
    ]
    assert found["by_officer"] == [
        {"name": "ada", "checks": 2, "seconds": 1.5},
        {"name": "sam", "checks": 1, "seconds": 3.0},
    ]
    finger = {"captures": 3, "refused": 2, "quality": 12}
    assert found["by_finger"] == [{"position": 2, **finger}]
    assert found["by_scanner"] == [{"name": "left lane", **finger}]
    assert found["reasons"] == [
        {"reason": "fingerprint: too_dry", "count": 2},
        {"reason": "face: device_failed", "count": 1},
    ]
    times = {row["name"]: row["median_s"] for row in found["times"]}
    assert times == {"check": 2.0, "fingerprint.capture": 0.2}


def test_only_the_checks_of_the_span_count(database):
    store = CheckStore(database)
    for number in range(3):
        store.record(_check(number), None)
    found = CheckStatistics(database).between(NOON, NOON + timedelta(minutes=40))
    assert found["checks"]["clear"] == 1
    empty = CheckStatistics(database).between(NOON - timedelta(1), NOON)
    assert empty["by_hour"] == empty["times"] == empty["by_officer"] == []
