"""Pairs of minutiae that imply one movement of the finger."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from edge.recognition.fingerprint.alignment import (
    PAIR_LIMIT,
    empty_pairs,
    propose,
    strongest,
    support,
)
from edge.recognition.fingerprint.packed import pack


@pytest.fixture
def proposed(derived):
    """Propose pairs of two templates; return them, their count and their support."""

    def make(first, second):
        a, b = derived(pack(first)), derived(pack(second))
        n, m = len(first), len(second)
        pairs = empty_pairs()
        count = propose(a, n, b, m, pairs)
        return pairs, count, support(a, n, b, m, pairs, count)

    return make


def _scattered(template, seed):
    """Return the same minutiae at places and angles of other ones."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(template))
    return replace(
        template,
        x=template.x[rng.permutation(len(template))],
        y=template.y[order],
        angle_rad=template.angle_rad[rng.permutation(len(template))],
    )


def test_never_more_pairs_than_allowed_and_each_of_existing_minutiae(gallery, proposed):
    for first, second in itertools.pairwise(gallery):
        pairs, count, _ = proposed(first, second)
        assert 0 <= count <= PAIR_LIMIT
        assert (pairs.row[:count] >= 0).all()
        assert (pairs.row[:count] < len(first)).all()
        assert (pairs.column[:count] >= 0).all()
        assert (pairs.column[:count] < len(second)).all()
        together = set(zip(pairs.row[:count], pairs.column[:count], strict=True))
        assert len(together) == count


@pytest.mark.parametrize("turn", [0.0, 0.7, 3.0, np.pi, 5.5])
def test_the_pairs_of_a_turned_copy_are_the_right_ones(gallery, turned, proposed, turn):
    right = []
    for template in gallery[:15]:
        pairs, count, _ = proposed(template, turned(template, turn, (30, 20)))
        is_right = pairs.row[:count] == pairs.column[:count]
        assert is_right.sum() >= 0.85 * min(len(template), PAIR_LIMIT)
        right.append(is_right[strongest(pairs, count)])
    # Of two minutiae side by side, one may stand for the other.
    assert sum(right) >= len(right) - 1


def test_one_finger_is_supported_more_than_scattered_minutiae(gallery, again, proposed):
    true = [proposed(t, again(t, i))[2] for i, t in enumerate(gallery[:20])]
    chance = [proposed(t, _scattered(t, i))[2] for i, t in enumerate(gallery[:20])]
    assert np.median(true) > 5 * max(np.median(chance), 1e-6)
    assert np.percentile(true, 10) > max(chance)


def test_support_is_a_mean_of_similarities(gallery, proposed):
    for template in gallery[:10]:
        pairs, count, supported = proposed(template, template)
        assert 0 < supported <= 1
        kept = pairs.kept[:count]
        assert np.isfinite(kept).all()
        assert kept[strongest(pairs, count)] == kept.max()


def test_nothing_to_pair_is_not_supported(template_of, proposed):
    # Too far apart to have neighbours.
    far = template_of(range(0, 5000, 500), [0] * 10, [0.0] * 10)
    pairs, count, supported = proposed(far, far)
    assert (count, supported) == (0, 0.0)
    assert strongest(pairs, count) == 0


def test_equal_pairs_at_one_place_do_not_support_each_other(template_of, proposed):
    heap = template_of([50] * 40, [50] * 40, [1.0] * 40)
    _, count, supported = proposed(heap, heap)
    spread = template_of(np.arange(40) % 7 * 17, np.arange(40) // 7 * 19, [1.0] * 40)
    assert count <= PAIR_LIMIT
    assert supported < proposed(spread, spread)[2]
