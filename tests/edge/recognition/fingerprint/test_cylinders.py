"""Local descriptors of minutiae."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.recognition.fingerprint.compiled import kernel, ones
from edge.recognition.fingerprint.cylinders import (
    CAPACITY,
    CELL_PX,
    FEWEST_SHARED_PLACES,
    LAYERS,
    RADIUS_PX,
    REACH_PX,
    SEEN,
    SIDE_CELLS,
    WEAK_QUALITY,
    agreements,
    derive,
)
from edge.recognition.fingerprint.packed import ANGLE_STEPS, pack


def _bits(words):
    return np.unpackbits(np.atleast_1d(words).view(np.uint8)).sum()


def _row(a, i, b, count):
    row, bits = np.zeros(CAPACITY, np.float32), np.zeros(CAPACITY, np.int32)
    agreements(a, i, b, count, bits, row)
    return row[:count]


def test_descriptors_stay_when_the_finger_is_shifted(gallery, derived):
    for template in gallery[:10]:
        words = pack(template)
        moved = words.copy()
        moved[:, 0] += 100
        moved[:, 1] += 55
        assert (derived(words).words == derived(moved).words).all()


@pytest.mark.parametrize("angle_deg", [30, 90, 135, 180, 271])
def test_descriptors_hardly_change_when_the_finger_is_turned(
    gallery, turned, derived, angle_deg
):
    found = []
    for template in gallery[:10]:
        other = turned(template, np.deg2rad(angle_deg), (40, -90))
        a, b = derived(pack(template)), derived(pack(other))
        count = len(template)
        found += [_row(a, i, b, count)[i] for i in range(count)]
    # Places are rounded to pixels, which moves a neighbour over a border or two.
    assert np.mean(found) > 0.9
    assert np.percentile(found, 5) > 0.75


def test_a_descriptor_is_most_like_itself(gallery, derived):
    a = derived(pack(gallery[0]))
    count = len(gallery[0])
    for i in range(count):
        row = _row(a, i, a, count)
        is_said = row[i] > 0
        assert not is_said or row[i] == pytest.approx(1) == row.max()
        assert (row >= 0).all()
        assert (row <= 1).all()


def test_agreement_is_symmetric(gallery, derived):
    a, b = (derived(pack(template)) for template in gallery[:2])
    n, m = len(gallery[0]), len(gallery[1])
    there = np.array([_row(a, i, b, m) for i in range(n)])
    back = np.array([_row(b, j, a, n) for j in range(m)])
    # Wide registers and single ones round the last bit otherwise.
    np.testing.assert_allclose(there, back.T, atol=1e-6)


def test_agreement_is_one_less_the_share_of_differing_bits(gallery, derived):
    for first, second in itertools.pairwise(gallery[:8]):
        a, b = derived(pack(first)), derived(pack(second))
        n, m = len(first), len(second)
        x, y = _unpacked(a.words[:, :n]), _unpacked(b.words[:, :m])
        shared = x[SEEN][:, None] & y[SEEN]
        x, y = x[:SEEN, :, None] & shared, y[:SEEN, None] & shared
        differ, both = (x ^ y).sum(axis=(0, 3)), (x.sum(axis=0) + y.sum(axis=0)).sum(2)
        is_said = (shared.sum(axis=2) >= FEWEST_SHARED_PLACES) & (both > 0)
        wanted = np.where(is_said, 1 - differ / np.maximum(2 * both, 1), 0)
        found = np.array([_row(a, i, b, m) for i in range(n)])
        assert is_said.any()
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_layers_keep_to_the_seen_places_and_are_counted_in_each(gallery, derived):
    for template in gallery[:10]:
        made, count = derived(pack(template)), len(template)
        layers, seen = np.split(_unpacked(made.words[:, :count]), [SEEN])
        assert not (layers & ~seen).any()
        digits = _unpacked(made.counts[:, :count])
        number = digits[0] + 2 * digits[1] + 4 * digits[2]
        assert (number == layers.sum(axis=0)).all()
        assert number.max() >= 3


def _unpacked(words):
    bits = (words[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return bits.astype(bool)


def test_a_minutia_alone_has_no_neighbours_and_is_like_nothing(template_of, derived):
    alone = derived(pack(template_of([100], [100], [1.0])))
    assert not alone.words[:SEEN, 0].any()
    assert 0 < _bits(alone.words[SEEN, 0]) < SIDE_CELLS**2
    assert _row(alone, 0, alone, 1)[0] == 0


def test_minutiae_far_apart_do_not_see_each_other(template_of, derived):
    far = derived(pack(template_of([0, 16383, 0], [0, 16383, 16383], [0, 1, 2])))
    assert not far.words[:SEEN, :3].any()


def test_minutiae_at_one_place_see_each_other_alike(template_of, derived):
    same = derived(pack(template_of([50] * 4, [60] * 4, [1.0] * 4)))
    assert same.words[:SEEN, 0].any()
    assert (same.words[:, :4] == same.words[:, :1]).all()
    assert np.isfinite(_row(same, 0, same, 4)).all()


def test_a_weak_neighbour_sets_fewer_bits(template_of, derived):
    counts = []
    for quality in (WEAK_QUALITY - 1, WEAK_QUALITY):
        template = template_of([100, 130], [100, 100], [0, 0], None, [90, quality])
        counts.append(_bits(derived(pack(template)).words[:SEEN, 0].copy()))
    assert 0 < counts[0] < counts[1]


def test_what_is_left_of_an_earlier_print_does_not_matter(gallery, derived):
    into = derived(pack(gallery[0]))
    again = derived(pack(gallery[1]))
    packed = pack(gallery[1])
    derive(packed, len(packed), into, np.zeros(CAPACITY, np.int32))
    # Loops run over eights.
    count = (len(packed) + 7) // 8 * 8
    assert (into.words[:, :count] == again.words[:, :count]).all()
    assert (into.counts[:, :count] == again.counts[:, :count]).all()


def test_columns_are_unpacked_with_y_up(template_of, derived):
    found = derived(pack(template_of([7], [9], [np.pi / 2], [2], [40])))
    assert (found.x[0], found.y[0], found.kind[0]) == (7, -9, 2)
    assert found.step[0] == ANGLE_STEPS // 4
    assert found.angle[0] == pytest.approx(np.pi / 2)
    assert found.weight[0] == pytest.approx(0.4)


def test_a_neighbour_sets_the_places_near_it(template_of, derived):
    middle = (np.arange(SIDE_CELLS) + 0.5) * CELL_PX - RADIUS_PX
    rng = np.random.default_rng(6)
    for u, v in rng.integers(-85, 85, (60, 2)):
        template = template_of([200, 200 + u], [200, 200 - v], [0.0, 0.1])
        words = derived(pack(template)).words[:SEEN, 0]
        found = np.bitwise_or.reduce(words) >> np.arange(64, dtype=np.uint64)
        is_set = (found & np.uint64(1)).astype(bool).reshape(SIDE_CELLS, SIDE_CELLS)
        far = np.hypot(middle[None, :] - u, middle[:, None] - v)
        # Places of neighbours are looked up in a table of coarse steps.
        assert not is_set[far > REACH_PX + 3].any()
        is_near = far < REACH_PX - 3
        seen = _places(derived(pack(template)).words[SEEN, 0])
        assert is_set[is_near & seen].all()


def _places(word):
    bits = (word >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return bits.astype(bool).reshape(SIDE_CELLS, SIDE_CELLS)


def test_a_neighbours_direction_chooses_the_layers(template_of, derived):
    for step in range(0, ANGLE_STEPS, 5):
        turn = step * 2 * np.pi / ANGLE_STEPS
        template = template_of([100, 130], [100, 100], [0.0, turn])
        words = derived(pack(template)).words[:SEEN, 0]
        layers = np.flatnonzero(words)
        assert step * LAYERS // ANGLE_STEPS in layers
        assert len(layers) <= 2
        if len(layers) == 2:
            assert (layers[1] - layers[0]) % LAYERS in {1, LAYERS - 1}


@kernel
def _count(words, counts):
    for i in range(len(words)):
        counts[i] = ones(words[i])


def test_ones_counts_bits():
    rng = np.random.default_rng(0)
    words = [0, 1, 2**63, 2**64 - 1, *rng.integers(0, 2**63, 50).tolist()]
    counts = np.zeros(len(words), np.int64)
    _count(np.array(words, np.uint64), counts)
    assert counts.tolist() == [word.bit_count() for word in words]
