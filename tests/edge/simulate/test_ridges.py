import numpy as np
import pytest

from edge.simulate.place_filter import filtered
from edge.simulate.ridges import (
    HEIGHT,
    WIDTH,
    Pattern,
    natural_pattern,
    orientation_field,
    period_map,
)


def _singularities(pattern, seed):
    """Return how many cores and deltas the field has, counted cell by cell."""
    field = orientation_field(pattern, np.random.default_rng(seed)).astype(float)
    corners = [field[:-1, :-1], field[:-1, 1:], field[1:, 1:], field[1:, :-1]]
    total = np.zeros((HEIGHT - 1, WIDTH - 1))
    for here, there in zip(corners, corners[1:] + corners[:1], strict=True):
        total += np.angle(np.exp(2j * (there - here)))
    turns = np.rint(total / (2 * np.pi))
    # Rows run downwards, angles too: the sense of the walk and of the angles agree.
    return int((turns > 0).sum()), int((turns < 0).sum())


@pytest.mark.parametrize(
    ("pattern", "cores"),
    [
        (Pattern.ARCH, 0),
        (Pattern.TENTED_ARCH, 1),
        (Pattern.LEFT_LOOP, 1),
        (Pattern.RIGHT_LOOP, 1),
        (Pattern.WHORL, 2),
        (Pattern.DOUBLE_LOOP, 2),
    ],
)
def test_a_pattern_has_its_cores_and_no_more_deltas_than_cores(pattern, cores):
    for seed in range(5):
        found, deltas = _singularities(pattern, seed)
        assert found == cores
        assert deltas <= cores


def test_loops_open_to_their_side():
    for pattern, sign in ((Pattern.LEFT_LOOP, -1), (Pattern.RIGHT_LOOP, 1)):
        slopes = []
        for seed in range(12):
            field = orientation_field(pattern, np.random.default_rng(seed))
            # Well below the middle, where the loops' legs leave the print.
            patch = field[250:300, 150:250].astype(float)
            mean = np.angle(np.mean(np.exp(2j * patch))) / 2
            slopes.append(np.tan(mean))
        # Rows run downwards: a leg to the lower left has x fall while y rises.
        assert np.median(np.sign(slopes)) == sign


def test_all_patterns_occur_and_loops_most():
    rng = np.random.default_rng(1)
    drawn = [natural_pattern(rng) for _ in range(600)]
    shares = {pattern: drawn.count(pattern) / len(drawn) for pattern in Pattern}
    assert min(shares.values()) > 0.01
    assert 0.55 < shares[Pattern.LEFT_LOOP] + shares[Pattern.RIGHT_LOOP] < 0.75


def test_the_ridge_period_varies_within_a_finger_but_not_wildly():
    period = period_map(np.random.default_rng(2), 9.0)
    assert period.shape == (HEIGHT, WIDTH)
    assert period.std() > 0.3
    assert 9.0 * 0.7 < period.min() < period.max() < 9.0 * 1.35


def test_each_place_is_filtered_by_its_own_filter():
    rng = np.random.default_rng(3)
    image = rng.normal(0, 1, (20, 30)).astype(np.float32)
    bank = rng.normal(0, 1, (3, 5, 5)).astype(np.float32)
    choice = rng.integers(0, 3, image.shape)
    padded = np.pad(image, 2, mode="reflect")
    expected = [
        [
            np.sum(padded[y : y + 5, x : x + 5] * bank[choice[y, x]])
            for x in range(image.shape[1])
        ]
        for y in range(image.shape[0])
    ]
    assert np.allclose(filtered(image, choice, bank), expected, atol=1e-4)
