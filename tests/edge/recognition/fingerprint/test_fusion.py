"""Several fingers to one false match rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recognition.fingerprint.fusion import fused_false_match_rate

RATES = st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=10)


@pytest.mark.parametrize("fingers", [1, 2, 3, 4])
@pytest.mark.parametrize("limit", [0.1, 0.01, 0.001])
def test_strangers_reach_the_fused_rate_as_often_as_it_says(fingers, limit):
    """The rate of a stranger's finger is evenly distributed."""
    count = 400_000
    rates = np.random.default_rng(fingers).uniform(0, 1, (count, fingers))
    # Those of the largest product that the formula still takes for this limit.
    low, high = 1e-12, 1.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        is_within = fused_false_match_rate([middle] + [1.0] * (fingers - 1)) <= limit
        low, high = (middle, high) if is_within else (low, middle)
    share = float((rates.prod(axis=1) <= low).mean())
    assert share == pytest.approx(limit, abs=5 * math.sqrt(limit / count))


def test_one_finger_keeps_its_rate():
    assert fused_false_match_rate([0.0125]) == pytest.approx(0.0125)


@given(RATES)
def test_the_fused_rate_is_a_rate_and_never_below_the_product(rates):
    fused = fused_false_match_rate(rates)
    assert math.prod(rates) * (1 - 1e-9) <= fused <= 1.0


@given(RATES, st.data())
def test_a_finger_that_says_less_never_makes_the_person_likelier(rates, data):
    at = data.draw(st.integers(0, len(rates) - 1))
    worse = list(rates)
    worse[at] = data.draw(st.floats(rates[at], 1.0))
    assert fused_false_match_rate(worse) >= fused_false_match_rate(rates) * (1 - 1e-9)


@given(RATES, st.randoms())
def test_the_order_of_the_fingers_does_not_matter(rates, random):
    shuffled = list(rates)
    random.shuffle(shuffled)
    fused = fused_false_match_rate(rates)
    assert fused_false_match_rate(shuffled) == pytest.approx(fused)
