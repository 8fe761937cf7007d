"""Thresholds by finger and purpose, alone and in a check."""

from __future__ import annotations

import pytest

from edge.checkpoint.check import CheckRequest
from edge.checkpoint.quality_gate import (
    BSI_THRESHOLDS,
    FingerThresholds,
    Purpose,
    gated,
)
from edge.config import Config
from edge.terms import FingerPosition, Modality, Outcome, Quality, QualityReason


@pytest.mark.parametrize(
    ("position", "enrolment", "search", "rolled"),
    [
        (FingerPosition.RIGHT_THUMB, 30, 20, 20),
        (FingerPosition.LEFT_THUMB, 30, 20, 20),
        (FingerPosition.RIGHT_INDEX, 30, 20, 15),
        (FingerPosition.LEFT_MIDDLE, 20, 20, 15),
        (FingerPosition.RIGHT_RING, 10, 10, 10),
        (FingerPosition.LEFT_LITTLE, 10, 10, 5),
        (FingerPosition.UNKNOWN, 30, 20, 20),
    ],
)
def test_each_finger_has_the_threshold_of_the_guideline(
    position, enrolment, search, rolled
):
    found = [BSI_THRESHOLDS[purpose].of(position) for purpose in Purpose]
    assert found == [enrolment, search, rolled]


def test_the_configured_defaults_are_those_of_the_guideline():
    configured = Config().policy.finger_quality.model_dump()
    assert {p: FingerThresholds(**configured[p]) for p in Purpose} == BSI_THRESHOLDS


def test_a_print_at_the_threshold_passes_unchanged():
    quality = Quality(20, (QualityReason.TOO_DRY,))
    assert gated(quality, 20) is quality


def test_a_print_below_the_threshold_keeps_its_reasons():
    found = gated(Quality(19, (QualityReason.TOO_DRY,)), 20)
    assert not found.is_sufficient
    assert found.reasons == (QualityReason.TOO_DRY, QualityReason.BELOW_THRESHOLD)


def test_what_the_engine_refused_stays_refused():
    refused = Quality(90, (QualityReason.NOT_A_FINGER,), is_sufficient=False)
    assert gated(refused, 0) is refused


@pytest.mark.parametrize(
    ("position", "outcome"),
    [
        (FingerPosition.RIGHT_INDEX, Outcome.RETRY),
        (FingerPosition.RIGHT_LITTLE, Outcome.CLEAR),
    ],
)
def test_a_check_asks_more_of_an_index_than_of_a_little_finger(
    booth, position, outcome
):
    booth.fingers = [Quality(15)]
    request = CheckRequest((Modality.FINGERPRINT,), (position,))
    assert booth.runner().run(request).outcome is outcome
