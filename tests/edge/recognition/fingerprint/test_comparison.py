"""Comparison of minutiae: same finger moved and cut, other fingers, many at once."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.comparison import (
    FEWEST_MINUTIAE,
    GIVEN_UP_BELOW,
    compare,
    compare_many,
    correspondences,
    measures_of,
    new_work,
    prepare,
    set_work,
    warm_up,
)
from edge.recognition.fingerprint.evidence import MEASURES, Evidence
from edge.terms import FingerPosition, FingerprintTemplate

# In ten thousandths, by the comparison that the committed calibration was made with:
# thirty fingers against another impression of each, and against thirty others.
CALIBRATED_MATED = """
6480 6254 6863 3629 4786 6593 5525 6732 6336 6081 6174 6416 5670 5270 4119 6708 5762
6143 6513 6133 6485 5670 7524 5756 6017 5508 6561 4962 5851 5847
"""
CALIBRATED_NON_MATED = """
915 978 900 817 913 894 909 972 1231 909 959 1000 937 946 1189 1095 898 1451 967 952
966 854 1187 1346 989 1425 1064 886 889 1325
"""


def _template(x, y, angle) -> FingerprintTemplate:
    count = len(x)
    return FingerprintTemplate(
        position=FingerPosition.UNKNOWN,
        model_id="leader",
        width_px=400,
        height_px=400,
        x=np.rint(x).astype(np.int16),
        y=np.rint(y).astype(np.int16),
        angle_rad=np.mod(angle, 2 * np.pi).astype(np.float32),
        kind=np.ones(count, np.uint8),
        quality=np.full(count, 90, np.uint8),
    )


def _finger(seed: int, count: int = 45):
    """Minutiae at least 12 px apart whose angles follow a smooth flow, as in prints."""
    rng = np.random.default_rng(seed)
    places: list[np.ndarray] = []
    while len(places) < count:
        place = rng.uniform(60, 340, 2)
        if all(np.hypot(*(place - other)) > 12 for other in places):
            places.append(place)
    x, y = np.array(places).T
    flow = np.arctan2(y - 200, x - 200) / 2 + rng.integers(0, 2, count) * np.pi
    return x, y, flow + rng.normal(0, 0.1, count)


def _impression(finger, seed: int, turn: float = 0.0, shift=(0.0, 0.0)):
    """The finger turned by radians counter-clockwise, shifted and jittered."""
    rng = np.random.default_rng(seed)
    x, y, angle = finger
    dx, dy = x - 200, -(y - 200)
    cosine, sine = np.cos(turn), np.sin(turn)
    moved_x = 200 + dx * cosine - dy * sine + shift[0] + rng.normal(0, 1, len(x))
    moved_y = 200 - (dx * sine + dy * cosine) + shift[1] + rng.normal(0, 1, len(x))
    return moved_x, moved_y, angle + turn + rng.normal(0, 0.05, len(x))


def _score(a, b) -> float:
    return compare(prepare(_template(*a)), prepare(_template(*b)))


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.6, 3.1, 5.0])
def test_one_finger_is_recognised_however_it_is_turned(turn):
    finger = _finger(1)
    score = _score(finger, _impression(finger, 2, turn, (15, -10)))
    assert committed().false_match_rate(score) < 1e-6


def test_half_a_print_is_recognised():
    finger = _finger(3)
    x, y, angle = _impression(finger, 4, 0.2)
    kept = x < 210
    score = _score(finger, (x[kept], y[kept], angle[kept]))
    assert committed().false_match_rate(score) < 1e-4


def test_scores_are_those_that_were_calibrated(gallery, again):
    mates = [again(template, seed) for seed, template in enumerate(gallery[:30])]
    found = [
        compare(prepare(one), prepare(other))
        for one, other in zip(gallery[:30] * 2, mates + gallery[30:], strict=True)
    ]
    wanted = np.fromstring(CALIBRATED_MATED + CALIBRATED_NON_MATED, sep=" ") / 1e4
    off = np.abs(found - wanted)
    # Processors round the last bits otherwise, which may turn one pair of minutiae.
    assert np.sort(off)[-3] < 1e-4
    assert off.max() < 0.03


def test_other_fingers_score_low():
    scores = [_score(_finger(10 + i), _finger(50 + i)) for i in range(20)]
    own = _finger(10)
    assert max(scores) < _score(own, _impression(own, 5)) / 2


def test_the_score_is_symmetric_and_repeatable():
    for seed in range(10):
        a = prepare(_template(*_finger(seed, 30)))
        b = prepare(_template(*_impression(_finger(seed, 30), 99, 0.3)))
        assert compare(a, b) == compare(b, a) == compare(a, b)


def test_correspondences_join_the_same_minutiae():
    finger = _finger(7)
    a = prepare(_template(*finger))
    b = prepare(_template(*_impression(finger, 8, 0.7)))
    pairs = correspondences(a, b)
    assert len(pairs) >= 8
    assert sum(i == j for i, j in pairs) >= 0.9 * len(pairs)
    assert sorted(correspondences(b, a)) == sorted((j, i) for i, j in pairs)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_nearly_empty_templates_do_not_match(count):
    few = _finger(9, count) if count else (np.zeros(0),) * 3
    other = prepare(_template(*_finger(10)))
    small = prepare(_template(*few))
    assert compare(small, other) == compare(other, small)
    assert committed().false_match_rate(compare(small, small)) > 1e-3


def test_another_impression_of_an_invented_finger_matches(gallery, again):
    rates = [
        committed().false_match_rate(
            compare(prepare(template), prepare(again(template, seed)))
        )
        for seed, template in enumerate(gallery)
    ]
    assert np.mean(np.array(rates) < 1e-4) > 0.95


@pytest.mark.parametrize("angle_deg", [0, 90, 180, 223])
def test_the_score_does_not_depend_on_where_and_how_the_finger_lies(
    gallery, turned, again, angle_deg
):
    turn = np.deg2rad(angle_deg)
    for seed, template in enumerate(gallery[:10]):
        other = again(template, seed)
        plain = compare(prepare(template), prepare(other))
        moved = compare(prepare(template), prepare(turned(other, turn, (300, -200))))
        assert moved == pytest.approx(plain, abs=0.06)


def test_a_shifted_print_scores_exactly_the_same(gallery, again):
    for seed, template in enumerate(gallery[:10]):
        other = again(template, seed)
        moved = replace(other, x=other.x + np.int16(512), y=other.y + np.int16(1024))
        plain = compare(prepare(template), prepare(other))
        assert compare(prepare(template), prepare(moved)) == pytest.approx(plain, 1e-5)


def test_the_overlapping_parts_of_a_print_match(gallery, chosen):
    found = []
    for template in sorted(gallery, key=len)[-20:]:
        order = np.argsort(template.x)
        third = len(order) // 3
        # Thirds of the width: both show the middle one.
        a = chosen(template, np.sort(order[: 2 * third + 1]))
        b = chosen(template, np.sort(order[third:]))
        found.append(committed().false_match_rate(compare(prepare(a), prepare(b))))
    assert np.median(found) < 1e-4


def test_many_references_score_as_one_by_one(gallery, chosen, again):
    probe = prepare(again(gallery[3], 1))
    few = prepare(chosen(gallery[0], slice(FEWEST_MINUTIAE - 1)))
    references = [few, *(prepare(template) for template in gallery)]
    ends = np.cumsum([0, *map(len, references)])
    extents = np.stack([ends[:-1], np.diff(ends)], axis=1).astype(np.uint32)
    packed = np.concatenate([reference.packed for reference in references])
    order = np.random.default_rng(0).permutation(len(references)).astype(np.int64)
    scores = np.full(len(order), np.nan, np.float32)
    compare_many(probe.packed, packed, extents, order, scores, new_work())
    alone = [compare(probe, references[i]) for i in order]
    assert scores.tolist() == alone
    assert order[scores.argmax()] == 4
    assert scores[order == 0] == 0


def test_threads_get_the_same_scores(gallery, again):
    pairs = [
        (prepare(template), prepare(again(template, seed)))
        for seed, template in enumerate(gallery[:20])
    ]
    alone = [compare(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: compare(*pair), pairs * 5)) == alone * 5


def test_comparing_keeps_no_memory(gallery):
    prepared = [prepare(template) for template in gallery[:20]]
    for other in prepared:
        compare(prepared[0], other)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(100):
            for other in prepared:
                compare(prepared[0], other)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000


def test_correspondences_come_best_placed_first_and_only_with_a_score(gallery, again):
    template = gallery[0]
    a, b = prepare(template), prepare(again(template, 4))
    first, second = np.array(correspondences(a, b)).T
    apart = np.hypot(
        template.x[first] - again(template, 4).x[second],
        template.y[first] - again(template, 4).y[second],
    )
    assert len(set(first.tolist())) == len(set(second.tolist())) == len(first)
    assert np.median(apart) < 40
    strangers = [prepare(other) for other in gallery[1:]]
    is_given_up = [compare(a, other) < GIVEN_UP_BELOW for other in strangers]
    assert np.mean(is_given_up) > 0.5
    assert [not correspondences(a, other) for other in strangers] == is_given_up


def test_measures_are_those_of_the_pair_and_none_if_given_up(gallery, again):
    a, b = prepare(gallery[0]), prepare(again(gallery[0], 4))
    found = measures_of(a, b)
    compare(a, prepare(gallery[2]))
    assert (found == measures_of(b, a)).all()
    strangers = [prepare(other) for other in gallery[1:]]
    given_up = [other for other in strangers if compare(a, other) < GIVEN_UP_BELOW]
    assert all(measures_of(a, other) is None for other in given_up)


def test_an_own_workspace_weighs_with_its_own_weights(gallery, again):
    a, b = prepare(gallery[0]), prepare(again(gallery[0], 4))
    usual = compare(a, b)
    nothing = Evidence((0.0,) * len(MEASURES), 0.0, 0.0, 0.0, 1.0, "a test")
    set_work(new_work(nothing.row()))
    try:
        assert compare(a, b) == pytest.approx(GIVEN_UP_BELOW)
    finally:
        set_work(None)
    assert compare(a, b) == usual


def test_warming_up_can_be_repeated():
    warm_up()
    warm_up()
