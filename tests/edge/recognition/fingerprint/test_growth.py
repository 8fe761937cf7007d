"""The pairing that grows from one pair over the print."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from edge.recognition.fingerprint.growth import empty_pairing, grow, missed
from edge.recognition.fingerprint.packed import pack


@pytest.fixture
def grown(derived):
    """Grow a pairing of two templates from a first pair; return it and its size."""

    def make(first, second, start):
        a, b = derived(pack(first)), derived(pack(second))
        pairing = empty_pairing()
        used = grow(a, len(first), b, len(second), start, pairing)
        return pairing, used

    return make


@pytest.fixture
def lost(derived, grown):
    def weigh(first, second, start):
        pairing, _ = grown(first, second, start)
        a, b = derived(pack(first)), derived(pack(second))
        return missed(a, len(first), b, len(second), pairing)

    return weigh


def _bent(template, height_px=6.0):
    """Return the template on skin that is bent in a long wave, up to 2 x height_px."""
    phase = template.y / 45.0
    x = np.rint(template.x + height_px * np.sin(phase) + 2 * height_px)
    return replace(template, x=x.astype(np.int16), width_px=template.width_px + 60)


def _central(template):
    """Return the minutia nearest to the middle."""
    far = np.hypot(template.x - template.x.mean(), template.y - template.y.mean())
    return int(far.argmin())


def test_a_copy_is_paired_with_itself_wherever_it_starts(gallery, turned, grown):
    template = gallery[0]
    copy = turned(template, 2.5, (10, 10))
    for start in range(0, len(template), 5):
        pairing, used = grown(template, copy, (start, start))
        assert used == len(template)
        assert pairing.of_a[:used].tolist() == list(range(used))
        assert pairing.off[start] == 0


def test_a_bent_copy_is_paired_with_itself(gallery, grown):
    shares = []
    for template in gallery[:20]:
        start = _central(template)
        pairing, _ = grown(template, _bent(template), (start, start))
        found = pairing.of_a[: len(template)]
        shares.append((found == np.arange(len(template))).mean())
    assert np.mean(shares) > 0.9


def test_nothing_is_paired_twice_and_both_sides_agree(gallery, grown):
    for first, second in itertools.pairwise(gallery[:30]):
        pairing, used = grown(first, second, (_central(first), _central(second)))
        of_a, of_b = pairing.of_a[: len(first)], pairing.of_b[: len(second)]
        partners = of_a[of_a >= 0]
        assert len(partners) == used == len(set(partners.tolist()))
        assert used == (of_b >= 0).sum()
        for i in np.flatnonzero(of_a >= 0):
            assert of_b[of_a[i]] == i
            assert 0 <= pairing.off[i] < 1


def test_the_order_of_the_second_prints_minutiae_does_not_matter(
    gallery, again, chosen, grown
):
    for seed, template in enumerate(gallery[:15]):
        other = again(template, seed)
        order = np.random.default_rng(seed).permutation(len(other))
        start = (_central(template), _central(other))
        plain, used = grown(template, other, start)
        place = int(np.flatnonzero(order == start[1])[0])
        mixed, mixed_used = grown(template, chosen(other, order), (start[0], place))
        assert used == mixed_used
        found = mixed.of_a[: len(template)]
        found = np.where(found >= 0, order[found], -1)
        assert (found == plain.of_a[: len(template)]).all()


def test_growth_follows_a_pair_that_is_wrong_without_harm(gallery, grown):
    template = gallery[0]
    _, used = grown(template, template, (0, 1))
    assert 1 <= used < len(template) / 2


def test_what_the_other_print_has_not_at_a_place_it_covers_is_missed(
    gallery, chosen, lost
):
    template = gallery[0]
    start = _central(template)
    far = np.hypot(template.x - template.x[start], template.y - template.y[start])
    dropped = int(np.argsort(far)[3])
    kept = np.delete(np.arange(len(template)), dropped)
    rest = chosen(template, kept)
    first = int(np.flatnonzero(kept == start)[0])
    assert lost(template, template, (start, start)) == 0
    weight = template.quality[dropped] / 100
    assert lost(template, rest, (start, first)) == pytest.approx(weight, abs=1e-5)
    assert lost(rest, template, (first, start)) == pytest.approx(weight, abs=1e-5)


def test_what_lies_outside_of_the_other_print_is_not_missed(gallery, chosen, lost):
    template = max(gallery, key=len)
    # A minutia on the rim of the whole print.
    outermost = int(template.x.argmax())
    kept = np.delete(np.arange(len(template)), outermost)
    start = _central(template)
    first = int(np.flatnonzero(kept == start)[0])
    found = lost(template, chosen(template, kept), (start, first))
    assert found < template.quality[outermost] / 100
