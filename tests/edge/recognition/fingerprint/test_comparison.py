"""Comparison of minutiae: same finger moved and cut, other fingers, odd templates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.comparison import compare, correspondences, prepare
from edge.terms import FingerPosition, FingerprintTemplate


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


minutia = st.tuples(
    st.integers(0, 16383), st.integers(0, 16383), st.floats(0, 6.25, width=32)
)


@given(st.lists(minutia, max_size=255), st.lists(minutia, max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_template_gives_a_score_between_0_and_1(first, second):
    a, b = (
        prepare(_template(*np.array(rows or np.zeros((0, 3)), float).T))
        for rows in (first, second)
    )
    assert 0 <= compare(a, b) <= 1
    assert compare(a, b) == compare(b, a)
