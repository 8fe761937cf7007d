"""Error versus discard on pairs whose curve is known."""

from __future__ import annotations

import numpy as np
import pytest

from edge.bench.error_versus_discard import (
    DiscardPoint,
    area_under,
    error_versus_discard,
    pair_quality,
)

SCORES = np.array([0.1, 0.2, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9])


def _rates(points: list[DiscardPoint]) -> list[float]:
    return [point.fnmr for point in points]


def test_a_perfect_measure_drops_the_misses_first():
    points = error_versus_discard(SCORES, SCORES, 0.5, (0.0, 0.1, 0.2, 0.5))
    assert _rates(points) == pytest.approx([0.2, 1 / 9, 0.0, 0.0])


def test_a_measure_that_is_always_the_same_changes_nothing():
    points = error_versus_discard(np.ones(10), SCORES, 0.5, (0.0, 0.1, 0.35, 0.9))
    assert _rates(points) == pytest.approx([0.2] * 4)


def test_a_measure_that_is_upside_down_makes_it_worse():
    points = error_versus_discard(-SCORES, SCORES, 0.5, (0.0, 0.5, 0.8))
    assert _rates(points) == pytest.approx([0.2, 0.4, 1.0])


def test_the_order_of_equal_pairs_is_no_matter():
    quality = np.array([1, 1, 1, 1, 2, 2, 2, 2, 3, 3], float)
    order = np.random.default_rng(5).permutation(10)
    shuffled = error_versus_discard(quality[order], SCORES[order], 0.5)
    assert _rates(shuffled) == pytest.approx(
        _rates(error_versus_discard(quality, SCORES, 0.5))
    )


def test_the_worse_sample_decides():
    found = pair_quality(np.array([10.0, 80.0]), np.array([90.0, 20.0]))
    assert found.tolist() == [10.0, 20.0]


def test_the_area_is_the_mean_rate():
    points = [DiscardPoint(0.0, 0.2), DiscardPoint(0.1, 0.1), DiscardPoint(0.2, 0.0)]
    assert area_under(points) == pytest.approx(0.1)
    assert area_under(points[:1]) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("quality", "scores", "discards"),
    [
        (np.ones(0), np.ones(0), (0.0,)),
        (np.ones(2), np.ones(3), (0.0,)),
        (np.ones(3), np.ones(3), (1.0,)),
        (np.ones(3), np.ones(3), (-0.1,)),
    ],
)
def test_what_makes_no_curve_is_refused(quality, scores, discards):
    with pytest.raises(ValueError, match=r"qualities for|discards must"):
        error_versus_discard(quality, scores, 0.5, discards)
