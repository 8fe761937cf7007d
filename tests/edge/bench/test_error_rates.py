import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.bench.error_rates import PairScores
from edge.errors import InputError

# Few levels, so that ties are the rule.
levels = st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=1, max_size=40)
rates = st.sampled_from([0.0, 1e-3, 0.05, 0.1, 0.25, 0.5, 1.0])


def scores(mated, non_mated):
    return PairScores(np.array(mated, float), np.array(non_mated, float))


def test_separated_scores_have_no_errors():
    pairs = scores([0.7, 0.8, 0.9], [0.1, 0.2, 0.3])
    assert pairs.equal_error_rate == 0.0
    assert pairs.zero_fmr == 0.0
    assert pairs.fnmr_at(1e-3) == 0.0


def test_reversed_scores_are_all_errors():
    pairs = scores([0.1, 0.2], [0.8, 0.9])
    assert pairs.equal_error_rate == 1.0
    assert pairs.zero_fmr == 1.0


def test_scores_that_are_all_equal_are_a_coin_toss():
    assert scores([0.0] * 3, [0.0] * 5).equal_error_rate == 0.5


def test_one_in_four_wrong_on_both_sides_is_an_equal_error_rate_of_a_quarter():
    pairs = scores([0.2, 0.7, 0.8, 0.9], [0.1, 0.1, 0.1, 0.6])
    assert pairs.equal_error_rate == pytest.approx(0.25)


def test_the_equal_error_rate_is_interpolated_between_thresholds():
    # (FMR, FNMR) is (1/2, 1/3) at 0.4 and (0, 1/3) just above: they meet at 1/3.
    pairs = scores([0.3, 0.8, 0.9], [0.1, 0.4])
    assert pairs.equal_error_rate == pytest.approx(1 / 3)
    # From (1/2, 0) at the tie of 0.4 to (0, 1/3) above it: they meet at 1/5.
    pairs = scores([0.4, 0.8, 0.9], [0.1, 0.4])
    assert pairs.equal_error_rate == pytest.approx(1 / 5)


def test_a_score_equal_to_the_threshold_is_a_match():
    pairs = scores([0.5], [0.5])
    assert pairs.fmr(0.5) == 1.0
    assert pairs.fnmr(0.5) == 0.0
    assert pairs.fmr(0.6) == 0.0
    assert pairs.fnmr(0.6) == 1.0


def test_the_threshold_for_a_rate_lies_just_above_the_first_score_it_refuses():
    pairs = scores([0.55, 0.65, 0.95], np.arange(10) / 10)
    assert pairs.threshold_at(0.3) == np.nextafter(0.6, 1)
    assert pairs.fmr(pairs.threshold_at(0.3)) == pytest.approx(0.3)
    assert pairs.fnmr_at(0.3) == pytest.approx(1 / 3)
    # 0.39 of ten pairs still allows only three.
    assert pairs.threshold_at(0.39) == pairs.threshold_at(0.3)


def test_a_tie_of_non_mated_scores_is_refused_as_a_whole():
    pairs = scores([0.5, 0.7], [0.1] * 7 + [0.5] * 3)
    assert pairs.threshold_at(0.2) == np.nextafter(0.5, 1)
    assert pairs.fnmr_at(0.2) == 0.5
    assert pairs.fnmr_at(0.3) == 0.0


def test_a_mated_score_at_the_highest_non_mated_one_is_lost_at_zero_false_matches():
    assert scores([0.5, 0.6], [0.2, 0.5]).zero_fmr == 0.5


def test_a_mated_pair_of_score_0_is_an_error_wherever_0_is_a_common_non_mated_score():
    pairs = scores([0.0, 0.9], [0.0] * 99 + [0.4])
    assert pairs.fnmr_at(1e-2) == 0.5
    assert pairs.zero_fmr == 0.5


def test_a_rate_of_one_lets_every_pair_match():
    assert scores([0.1], [0.9]).threshold_at(1.0) == -math.inf


def test_a_rate_below_one_in_the_number_of_pairs_allows_none():
    pairs = scores([0.3, 0.9], np.linspace(0, 0.5, 2880))
    assert pairs.fnmr_at(1e-4) == pairs.zero_fmr == 0.5


@pytest.mark.parametrize("count", [29, 100, 1000, 2880])
def test_whole_products_of_rate_and_count_are_not_rounded_down(count):
    pairs = scores([1.0], np.arange(count) / count)
    for allowed in range(count):
        above = (pairs.non_mated >= pairs.threshold_at(allowed / count)).sum()
        assert above == allowed


@pytest.mark.parametrize(
    ("mated", "non_mated"),
    [([], [0.1]), ([0.1], []), ([math.nan], [0.1]), ([0.1], [math.inf])],
)
def test_scores_that_give_no_rates_are_refused(mated, non_mated):
    with pytest.raises(InputError):
        scores(mated, non_mated)


@given(levels, levels, rates)
def test_the_threshold_is_the_smallest_that_keeps_the_rate(mated, non_mated, rate):
    pairs = scores(mated, non_mated)
    threshold = pairs.threshold_at(rate)
    assert (pairs.non_mated >= threshold).mean() <= rate + 1e-12
    if threshold > -math.inf:
        lower = np.nextafter(threshold, -math.inf)
        assert (pairs.non_mated >= lower).mean() > rate


@given(levels, levels)
def test_the_equal_error_rate_lies_between_the_errors_around_it(mated, non_mated):
    pairs = scores(mated, non_mated)
    errors = pairs.errors
    rate = pairs.equal_error_rate
    assert max(np.minimum(errors.fmr, errors.fnmr)) <= rate + 1e-12
    assert rate <= min(np.maximum(errors.fmr, errors.fnmr)) + 1e-12


@given(levels, levels)
def test_mirroring_the_scores_mirrors_the_errors(mated, non_mated):
    rate = scores(mated, non_mated).equal_error_rate
    mirrored = scores([1 - s for s in non_mated], [1 - s for s in mated])
    assert mirrored.equal_error_rate == pytest.approx(rate)
