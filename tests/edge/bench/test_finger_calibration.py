"""From pairs to a table of false match rates."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from edge.bench import calibration_table
from edge.bench.calibration_checks import observed, tail_held_out
from edge.bench.calibration_fit import GRID, curves, highest, shape_of
from edge.bench.calibration_pairs import (
    PairScores,
    Task,
    as_foreign,
    compare_all,
    invented_prints,
    real_prints,
)
from edge.bench.calibration_table import table_of, with_band
from edge.bench.finger_calibration import Plan, check, make
from edge.bench.progress import Silent
from edge.errors import InputError
from edge.recognition.fingerprint.calibration import TemplateSource, read
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.training_set import TrainingPrint
from edge.simulate.template_gallery import generate, impression

SPREAD = 0.01
REAL_FINGERS, FINGERS = 50, 400


def drawn(name, count, seed, *, start=0.0, kept_from=0.0, fingers=(0, REAL_FINGERS)):
    """Scores whose tail is exponential, from a start on."""
    rng = np.random.default_rng(seed)
    scores = (start + rng.exponential(SPREAD, count)).astype(np.float32)
    kept = scores >= kept_from
    numbers = rng.integers(*fingers, (2, count)).astype(np.int32)[:, kept]
    sets = numbers % 4
    return PairScores(name, count, kept_from, scores[kept], *numbers, *sets)


@pytest.fixture(scope="module")
def invented():
    fingers = (REAL_FINGERS, REAL_FINGERS + FINGERS)
    return drawn("invented", 4_000_000, 2, kept_from=0.03, fingers=fingers)


@pytest.fixture(scope="module")
def real():
    return drawn("real", 20_000, 1, start=0.02)


def exact(rate, start=0.02):
    return start - SPREAD * np.log(rate)


def test_a_known_tail_is_found_again_far_beyond_what_was_counted(real, invented):
    table = table_of([real], invented)
    for rate in (1e-1, 1e-2, 1e-3, 1e-5, 1e-7):
        assert table.threshold(rate) == pytest.approx(exact(rate), abs=0.005)
    assert table.tail_decades == pytest.approx(1 / (SPREAD * np.log(10)), rel=0.1)


def test_counts_end_where_few_pairs_lie_beyond(real, invented):
    table = table_of([real], invented)
    assert table.real_to == pytest.approx(exact(10 / 20_000), abs=0.01)
    assert table.generated_to == pytest.approx(exact(10 / 4_000_000), abs=0.01)


def test_the_table_never_states_less_than_any_kind_of_pairs(real, invented):
    higher = dataclasses.replace(
        real, name="higher", scores=real.scores + np.float32(0.01)
    )
    both, _ = curves([real, higher], invented)
    alone, _ = curves([higher], invented)
    assert (highest(both) >= highest(alone)).all()
    assert (highest(both) >= both[0].rates).all()


def test_the_tail_goes_on_without_a_step_up(invented):
    logs = shape_of(invented).log_rates
    assert (np.diff(logs) <= 0).all()
    assert len(logs) == len(GRID)


def test_the_band_holds_the_rate_and_is_narrow_where_pairs_are_many(real, invented):
    table = with_band(table_of([real], invented), [real], invented, 1, Silent())
    width = []
    for rate in (1e-1, 1e-3, 1e-5):
        low, high = table.band(table.threshold(rate))
        assert low < rate < high
        width.append(high / low)
    assert width[0] < min(width[1:])


def test_the_band_does_not_depend_on_chance(real, invented):
    table = table_of([real], invented)
    made = [with_band(table, [real], invented, 7, Silent()) for _ in range(2)]
    assert made[0] == made[1]


def test_too_few_pairs_are_refused(invented):
    with pytest.raises(InputError, match="at least"):
        table_of([drawn("real", 500, 1)], invented)


def test_an_exponential_tail_holds_for_the_fingers_left_out():
    fingers = (0, FINGERS)
    pairs = drawn("invented", 6_000_000, 3, kept_from=0.02, fingers=fingers)
    [*_, (_, middle, _)] = tail_held_out(pairs)["exponential"].values()
    assert middle == pytest.approx(1, abs=0.6)


def test_few_invented_pairs_are_not_divided(invented):
    few = dataclasses.replace(invented, count=1_000_000)
    assert tail_held_out(few) == {}


def test_observed_pairs_are_those_at_or_above_the_threshold(real, invented):
    table = table_of([real], invented)
    line = observed(real, table)["at"]["0.01"]
    assert line["expected"] == pytest.approx(200)
    assert line["beyond"] == pytest.approx(200, rel=0.1)


# --- prints ---------------------------------------------------------------------------


def prints(sets=2, fingers=14, impressions=8):
    rng = np.random.default_rng(4)
    columns = generate(4, sets * fingers)
    return [
        TrainingPrint(
            f"set{s}",
            str(f),
            str(i),
            impression(columns.template(s * fingers + f), rng),
        )
        for s in range(sets)
        for f in range(fingers)
        for i in range(impressions)
    ]


def task(**changes):
    return dataclasses.replace(Task("test", False, 0.0, 2, Silent()), **changes)


@pytest.mark.parametrize("is_half", [False, True])
def test_only_different_fingers_are_compared(is_half):
    ours, _ = real_prints(prints(1, 3, 2), [])
    pairs = compare_all(ours, ours, task(is_half=is_half))
    assert pairs.count == (12 if is_half else 24)
    assert (pairs.first != pairs.second).all()


def test_scores_are_those_of_the_comparison():
    made = prints(2, 2, 1)
    ours, foreign = real_prints(made, [])
    pairs = compare_all(ours, foreign, task())
    wanted = [
        compare(prepare(a.template), prepare(as_foreign(b.template)))
        for a in made
        for b in made
        if a is not b
    ]
    assert pairs.scores == pytest.approx(wanted)


def test_sets_that_share_fingers_are_not_compared_with_each_other():
    ours, _ = real_prints(prints(3, 2, 1), [frozenset(("set0", "set2"))])
    pairs = compare_all(ours, ours, task())
    met = set(zip(pairs.first_set.tolist(), pairs.second_set.tolist(), strict=True))
    assert (0, 2) not in met
    assert (2, 0) not in met
    assert {(0, 1), (1, 2), (0, 0)} <= met


def test_only_high_scores_are_kept_but_all_are_counted():
    ours, _ = invented_prints(1, 60, 0, 1)
    every = compare_all(ours, ours, task(is_half=True))
    few = compare_all(ours, ours, task(is_half=True, kept_from=0.15))
    assert few.count == every.count == 60 * 59 / 2
    assert np.array_equal(few.scores, every.scores[every.scores >= 0.15])


def test_the_number_of_threads_changes_nothing():
    ours, _ = invented_prints(1, 40, 0, 1)
    one, many = (compare_all(ours, ours, task(threads=n)) for n in (1, 4))
    assert np.array_equal(one.scores, many.scores)


def test_a_foreign_template_has_sure_minutiae_of_one_quality():
    ours = generate(3, 1).template(0)
    foreign = as_foreign(ours)
    assert len(foreign) == (ours.quality >= 60).sum()
    assert set(foreign.quality.tolist()) == {75}
    assert foreign.model_id == "iso-19794-2"


def test_one_finger_is_no_pair():
    ours, _ = real_prints(prints(1, 1, 2), [])
    with pytest.raises(InputError, match="no pairs"):
        compare_all(ours, ours, task())


def test_a_calibration_is_made_read_and_tested_on_other_prints(monkeypatch):
    monkeypatch.setattr(calibration_table, "RESAMPLES", 5)
    plan = Plan(500, [], 2, Silent())
    made = make(prints(), plan)
    file = read(made.to_json())
    assert json.loads(made.to_json()) == json.loads(file.to_json())
    for source in TemplateSource:
        assert file.tables[source].pairs > 500 * 499 / 2
        assert "each_set_left_out" in file.checks[source.value]
    report = check(prints(1, 4, 2), plan, file.tables)
    assert report["ours"]["within"]["pairs"] == 24
    assert report["foreign"]["within"]["pairs"] == 48
