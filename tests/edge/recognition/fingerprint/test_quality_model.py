"""The native quality: a number from 0 to 100, from the shipped parameters."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint import quality_model
from edge.recognition.fingerprint.quality_measures import measure
from edge.recognition.fingerprint.quality_model import (
    FULL,
    PREVIEW,
    QualityModel,
    from_json,
    minutiae_features,
    native_quality,
    to_json,
)
from edge.simulate.fingers import Condition, SyntheticFinger

MODEL = QualityModel(("a", "b"), (10.0, 0.0), (2.0, 1.0), (5.0, 1.0), (3.0, 0.0), 50.0)
ANYTHING = st.floats(allow_nan=False, allow_infinity=False, width=32)


def _minutiae(count: int, strength: int = 95):
    return SimpleNamespace(quality=np.full(count, strength, np.uint8))


def test_what_is_below_the_mean_counts_with_slope_and_bend():
    """By its root: 144 is a deviation above the mean of 10, 64 one below."""
    assert MODEL.predict({"a": 144.0, "b": 0.0}) == pytest.approx(55.0)
    assert MODEL.predict({"a": 64.0, "b": 0.0}) == pytest.approx(50 - 5 - 3)


def test_what_was_never_seen_counts_as_three_deviations():
    assert MODEL.predict({"a": 1e6, "b": 0.0}) == MODEL.predict({"a": 256.0, "b": 0.0})


def test_each_level_of_the_shipped_model_knows_its_features():
    measured = measure(SyntheticFinger(2).impression(0)).features
    shipped = quality_model.shipped()
    assert set(shipped[PREVIEW].features) <= set(measured)
    more = set(shipped[FULL].features) - set(shipped[PREVIEW].features)
    assert more == set(minutiae_features(np.zeros(0, np.uint8)))


def test_a_model_survives_its_file():
    models = {PREVIEW: MODEL, FULL: replace(MODEL, intercept=1.0)}
    assert from_json(to_json(models, ["a set"])) == models


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_the_quality_is_a_whole_number_from_0_to_100(data):
    names = set(quality_model.shipped()[PREVIEW].features)
    names |= set(quality_model.shipped()[FULL].features)
    measured = {name: data.draw(ANYTHING) for name in sorted(names)}
    for minutiae in (None, _minutiae(30)):
        score = native_quality(measured, minutiae)
        assert isinstance(score, int)
        assert 0 <= score <= 100


@pytest.mark.parametrize(
    "worse",
    [
        Condition(moisture=-2.0),
        Condition(pressure=2.5, moisture=1.0),
        Condition(coverage=0.35),
        Condition(noise=60.0),
    ],
)
def test_a_finger_in_trouble_scores_lower(worse):
    finger = SyntheticFinger(2)
    good = native_quality(measure(finger.impression(0)).features)
    assert (
        native_quality(measure(finger.impression(0, condition=worse)).features) < good
    )


def test_few_minutiae_hold_the_quality_down():
    features = measure(SyntheticFinger(2).impression(0)).features
    scores = [native_quality(features, _minutiae(n)) for n in (6, 10, 14, 40)]
    assert scores == sorted(scores)
    assert scores[0] < 5 < scores[-1]


def test_weak_minutiae_count_for_nothing():
    none = minutiae_features(np.zeros(0, np.uint8))
    assert minutiae_features(np.full(50, 40, np.uint8)) == none
