"""Scores to false match rates and back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.recognition.fingerprint.calibration import (
    LOWEST_RATE,
    committed,
    fitted,
)


@pytest.fixture(scope="module")
def exponential():
    scores = np.random.default_rng(1).exponential(0.01, 100_000)
    return fitted(scores, "drawn")


def test_rates_of_known_scores_are_found_again(exponential):
    for rate in (0.5, 0.1, 0.01, 0.001):
        score = -0.01 * np.log(rate)
        assert exponential.false_match_rate(score) == pytest.approx(rate, rel=0.15)


def test_the_tail_goes_on_as_it_fell(exponential):
    score = -0.01 * np.log(1e-6)
    assert exponential.false_match_rate(score) == pytest.approx(1e-6, rel=1.0)


def test_the_committed_table_falls_all_the_way():
    table = committed()
    scores = np.linspace(0, 1, 2001)
    rates = [table.false_match_rate(score) for score in scores]
    assert rates[0] == 1.0
    assert rates[-1] == LOWEST_RATE
    assert all(b <= a for a, b in itertools.pairwise(rates))


@pytest.mark.parametrize("rate", [1.0, 0.3, 1e-2, 1e-3, 1e-5, 1e-8])
def test_threshold_and_rate_are_inverse(rate):
    table = committed()
    assert table.false_match_rate(table.threshold(rate)) == pytest.approx(rate)
