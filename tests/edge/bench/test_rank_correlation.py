import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.bench.rank_correlation import spearman

values = st.lists(st.integers(0, 9), min_size=2, max_size=30)


def test_the_same_order_is_1_and_the_opposite_minus_1():
    assert spearman([1, 2, 30], [0.1, 7, 9]) == pytest.approx(1)
    assert spearman([1, 2, 30], [9, 7, 0.1]) == pytest.approx(-1)


def test_an_example_without_ties():
    # 1 - 6 * sum of squared rank differences / (n (n^2 - 1)), with sum 6 and n 4.
    assert spearman([1, 2, 3, 4], [2, 1, 4, 3]) == pytest.approx(1 - 6 * 4 / 60)


def test_equal_values_share_their_mean_rank():
    # Ranks 1, 2.5, 2.5, 4 beside 1, 2, 3, 4.
    assert spearman([5, 7, 7, 9], [1, 2, 3, 4]) == pytest.approx(0.9486833)


def test_values_without_an_order_have_no_correlation():
    assert spearman([3, 3, 3], [1, 2, 3]) is None
    assert spearman([], []) is None


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 values beside 3"):
        spearman([1, 2], [1, 2, 3])


@given(values, st.randoms(use_true_random=False))
def test_it_is_the_correlation_of_the_ranks(first, random):
    second = [random.randint(0, 9) for _ in first]
    found = spearman(first, second)
    a, b = (
        [sum(o < v for o in side) + sum(o == v for o in side) / 2 for v in side]
        for side in (first, second)
    )
    if found is None:
        assert len(set(a)) == 1 or len(set(b)) == 1
    else:
        assert found == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
        assert found == pytest.approx(spearman(second, first))
