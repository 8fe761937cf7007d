"""Training on invented measures; the shipped model against labels where they are."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from edge.recognition.fingerprint import quality_model
from edge.recognition.fingerprint.image import read_finger_image
from edge.recognition.fingerprint.quality_measures import measure
from edge.recognition.fingerprint.quality_model import PREVIEW
from edge.recognition.fingerprint.quality_training import (
    FEATURES,
    LabelledPrints,
    fit,
    left_out,
    rank_correlation,
)


def _invented(sets: int = 4, each: int = 150) -> LabelledPrints:
    """Labels that follow the first feature, with noise."""
    rng = np.random.default_rng(11)
    names = FEATURES[PREVIEW]
    values = rng.normal(0, 1, (sets * each, len(names)))
    labels = 50 + 12 * values[:, 0] + rng.normal(0, 3, len(values))
    # The model takes roots.
    measured = [dict(zip(names, row, strict=True)) for row in (values + 6).tolist()]
    squares = [{name: value**2 for name, value in row.items()} for row in measured]
    return LabelledPrints(
        np.repeat([f"set{i}" for i in range(sets)], each), labels, squares
    )


def test_the_fit_finds_what_the_labels_follow():
    prints = _invented()
    model = fit(prints, FEATURES[PREVIEW], 1.0)
    assert model.slope[0] == pytest.approx(12, abs=2.5)
    assert np.abs(model.slope[1:]).max() < 4


def test_what_only_tells_the_sets_apart_earns_nothing():
    """A measure that knows the sensor must not stand in for the quality."""
    prints = _invented()
    label_of = {"set0": 0.0, "set1": 30.0, "set2": 60.0, "set3": 90.0}
    shift = np.array([label_of[name] for name in prints.sets])
    for row, more in zip(prints.measured, shift, strict=True):
        row["brightness"] = 100.0 + more
    told = LabelledPrints(prints.sets, prints.labels + shift, prints.measured)
    model = fit(told, FEATURES[PREVIEW], 1.0)
    place = FEATURES[PREVIEW].index("brightness")
    assert abs(model.slope[place]) + abs(model.bend[place]) < 1e-6


def test_each_set_is_predicted_without_it():
    prints = _invented()
    predicted = left_out(prints, PREVIEW, ("set0", "set1"))
    assert rank_correlation(predicted, prints.labels) > 0.9


def test_a_strong_penalty_predicts_the_mean():
    prints = _invented()
    model = fit(prints, FEATURES[PREVIEW], 1e9)
    assert model.predict(prints.measured[0]) == pytest.approx(
        prints.labels.mean(), abs=0.1
    )


def test_equal_values_share_their_rank():
    a = np.array([1.0, 2.0, 2.0, 3.0])
    assert rank_correlation(a, a) == pytest.approx(1.0)
    assert rank_correlation(a, -a) == pytest.approx(-1.0)
    # By hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    assert rank_correlation(a, np.arange(4.0)) == pytest.approx(4.5 / np.sqrt(4.5 * 5))


@pytest.mark.shared
def test_the_preview_follows_nfiq2_on_the_development_prints(shared_folder):
    path = shared_folder / "data" / "quality" / "nfiq2.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["set"] == "fvc2000_db2_b"]
    model = quality_model.shipped()[PREVIEW]
    folder = shared_folder / "data" / "fingerprints" / "fvc2000_db2_b"
    predicted = [
        model.predict(measure(read_finger_image(folder / row["image"])).features)
        for row in rows
    ]
    labels = np.array([float(row["nfiq2"]) for row in rows])
    assert rank_correlation(np.array(predicted), labels) > 0.75
