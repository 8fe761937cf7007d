"""The weights of the evidence, made anew on invented fingers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from edge.config import default_cache_dir
from edge.errors import InputError
from edge.models.store import ModelStore
from edge.recognition.fingerprint.comparison import (
    compare,
    new_work,
    prepare,
    set_work,
)
from edge.recognition.fingerprint.engine import MODEL_ID
from edge.recognition.fingerprint.evidence import MEASURES
from edge.recognition.fingerprint.evidence_training import (
    GIVEN_UP_SHARE,
    PairMeasures,
    _report,
    evidence_from,
    fit,
    left_out,
    measure_pairs,
)
from edge.recognition.fingerprint.training_set import TrainingPrint

SETS, FINGERS, IMPRESSIONS = 2, 8, 3


@pytest.fixture(scope="module")
def prints(gallery, again):
    return [
        TrainingPrint(
            f"set {which}",
            f"{finger}",
            f"{number}",
            again(gallery[which * FINGERS + finger], number, 0.7),
        )
        for which in range(SETS)
        for finger in range(FINGERS)
        for number in range(IMPRESSIONS)
    ]


@pytest.fixture(scope="module")
def pairs(prints):
    return measure_pairs(prints, set())


def test_every_pair_with_something_in_common_is_measured(pairs):
    count = SETS * FINGERS * IMPRESSIONS
    assert pairs.measures.shape == (len(pairs.is_mated), len(MEASURES))
    assert np.isfinite(pairs.measures).all()
    assert count < len(pairs.is_mated) <= count * (count - 1) // 2
    mated = SETS * FINGERS * IMPRESSIONS * (IMPRESSIONS - 1) // 2
    assert 0.9 * mated <= pairs.is_mated.sum() <= mated
    # Fingers of different sets are different fingers, whatever their names.
    assert not pairs.is_mated[pairs.sets[:, 0] != pairs.sets[:, 1]].any()


def test_the_usual_weights_are_back_after_measuring(gallery, pairs):
    del pairs
    a = prepare(gallery[0])
    usual = compare(a, a)
    set_work(None)
    assert compare(a, a) == usual


def test_sets_that_share_fingers_are_not_paired(prints):
    found = measure_pairs(prints, {frozenset(("set 0", "set 1"))})
    assert (found.sets[:, 0] == found.sets[:, 1]).all()


def test_learned_weights_tell_mated_from_non_mated_pairs(pairs):
    weights, constant = fit(pairs.measures, pairs.is_mated)
    sums = pairs.measures @ weights + constant
    assert np.quantile(sums[pairs.is_mated], 0.1) > sums[~pairs.is_mated].max()
    held_out = left_out(pairs)
    assert np.median(held_out[pairs.is_mated]) > held_out[~pairs.is_mated].max()
    report = _report(pairs, held_out)
    assert report.count("FNMR at FMR") == 4
    assert "nan" not in report


def test_a_fit_finds_the_measure_that_tells():
    rng = np.random.default_rng(4)
    is_mated = rng.random(400) < 0.2
    measures = rng.normal(size=(400, 3))
    measures[:, 1] += 3 * is_mated
    weights, constant = fit(measures, is_mated)
    assert weights[1] > 5 * np.abs(weights[[0, 2]]).max()
    # Mated and non-mated pairs count alike: the border lies midway.
    assert -constant / weights[1] == pytest.approx(1.5, abs=0.3)


def test_a_measure_that_never_changes_does_no_harm():
    is_mated = np.arange(40) < 20
    measures = np.stack([is_mated + 0.0, np.full(40, 7.0)], axis=1)
    weights, constant = fit(measures, is_mated)
    assert np.isfinite([*weights, constant]).all()


def test_evidence_from_pairs_can_be_compared_with(pairs, gallery, again):
    evidence = evidence_from(pairs, "invented fingers")
    assert evidence.source == "invented fingers"
    supported = pairs.measures[~pairs.is_mated, 0] ** 2
    share = np.mean(supported < evidence.least_support)
    assert share == pytest.approx(GIVEN_UP_SHARE, abs=0.05)
    template = gallery[40]
    a, b, other = map(prepare, (template, again(template, 1), gallery[41]))
    set_work(new_work(evidence.row()))
    try:
        assert compare(a, b) > compare(a, other)
    finally:
        set_work(None)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_prints_without_both_kinds_of_pairs_are_refused(prints, count):
    with pytest.raises(InputError, match="no pairs"):
        measure_pairs(prints[:count], set())


def test_a_single_set_cannot_be_left_out(pairs):
    is_first = (pairs.sets == 0).all(axis=1)
    alone = PairMeasures(*(values[is_first] for values in pairs))
    with pytest.raises(InputError, match="give two sets or more"):
        left_out(alone)


@pytest.mark.parametrize("module", ["evidence_training", "codes_training"])
def test_a_folder_without_prints_ends_in_one_clear_line(tmp_path, module):
    model = ModelStore(default_cache_dir() / "models").path(MODEL_ID)
    options = ["--model", model, tmp_path, "--out", tmp_path / "out"]
    name = f"edge.recognition.fingerprint.{module}"
    done = subprocess.run(
        [sys.executable, "-m", name, *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    expected = f"{module}: {tmp_path}: no files <finger>_<impression>.png\n"
    assert done.stderr == expected
    assert not (tmp_path / "out").exists()
