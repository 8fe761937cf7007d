import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.recognition.likelihood import (
    LEAST_LOG_RATIO,
    LEAST_RISE,
    LikelihoodTable,
    bins_to,
    counts_in_bins,
    fitted,
    rising,
)

HIGHEST = 9.0
BINS = len(bins_to(HIGHEST))
COUNTS = st.lists(st.integers(0, 300), min_size=BINS, max_size=BINS).filter(any)


def table_of(counts):
    shares = np.array(counts) / sum(counts)
    return fitted("k", HIGHEST, shares, sum(counts))


@given(COUNTS, st.floats(0, 1), st.floats(0, 1))
def test_the_rarer_the_score_the_more_it_says_for_a_mate(counts, one, other):
    table = table_of(counts)
    low, high = sorted((one, other))
    assert table.log_ratio(high) <= table.log_ratio(low)


@given(COUNTS)
def test_no_sample_says_more_than_was_counted(counts):
    table = table_of(counts)
    assert table.log_ratio(1.0) >= LEAST_LOG_RATIO
    # All mated comparisons in the last bin: one in a thousand million otherwise.
    assert table.log_ratio(0.0) <= HIGHEST + 1e-6


@given(COUNTS, st.floats(0, HIGHEST))
def test_the_ratio_of_a_rarity_leads_back_to_it(counts, rarity):
    table = table_of(counts)
    assert table.rarity_at(table.log_ratio_at(rarity)) == pytest.approx(
        rarity, abs=1e-6
    )
    assert table.rarity_at(HIGHEST + 1) == np.inf


def test_scores_that_are_spread_as_among_strangers_say_nothing():
    edges = np.r_[10.0 ** -bins_to(HIGHEST), 0.0]
    table = fitted("k", HIGHEST, edges[:-1] - edges[1:], 1000)
    assert max(map(abs, table.log_ratios)) <= LEAST_RISE * HIGHEST + 1e-9


def test_twice_the_share_of_strangers_is_a_ratio_of_two():
    counts = np.zeros(BINS)
    edges = np.r_[10.0 ** -bins_to(HIGHEST), 0.0]
    counts[:4] = 2 * (edges[:4] - edges[1:5]) * 500
    counts[-1] = 1000 - counts.sum()
    table = fitted("k", HIGHEST, counts / 1000, 1_000_000)
    assert table.log_ratio_at(0.5) == pytest.approx(0.0, abs=0.05)
    assert table.log_ratio_at(HIGHEST) == pytest.approx(HIGHEST - 2.7, abs=2.0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_pooled_values_rise_and_keep_their_mean(values):
    weights = np.arange(1.0, len(values) + 1)
    pooled = rising(np.array(values), weights)
    assert (np.diff(pooled) >= 0).all()
    assert pooled @ weights == pytest.approx(np.array(values) @ weights)


def test_each_comparison_is_in_the_bin_of_its_rarity():
    rates = 10.0 ** -np.array([0.0, 0.3, 8.99, 9.0, 12.0])
    counts = counts_in_bins(rates, HIGHEST)
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("rarities", "ratios"),
    [
        ((0.0,), (1.0,)),
        ((0.0, 1.0), (1.0,)),
        ((0.5, 1.0), (0.0, 1.0)),
        ((0.0, 1.0), (1.0, 1.0)),
        ((0.0, 0.0), (0.0, 1.0)),
        ((0.0, 1.0), (0.0, float("nan"))),
    ],
)
def test_columns_that_do_not_rise_are_no_table(rarities, ratios):
    with pytest.raises(ModelError, match="do not rise"):
        LikelihoodTable("k", rarities, ratios)
