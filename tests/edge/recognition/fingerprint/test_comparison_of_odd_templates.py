"""Comparison of templates that no finger has, or that are at a limit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.comparison import compare, correspondences, prepare

minutia = st.tuples(
    st.integers(0, 16383),
    st.integers(0, 16383),
    st.floats(0, 6.25, width=32),
    st.integers(1, 2),
    st.integers(1, 100),
)
near_minutia = st.tuples(
    st.integers(0, 300),
    st.integers(0, 300),
    st.sampled_from([0.0, 0.5, 3.14, 6.28]),
    st.integers(1, 2),
    st.integers(1, 100),
)


@given(
    first=st.lists(minutia, max_size=255) | st.lists(near_minutia, max_size=128),
    second=st.lists(minutia, max_size=40) | st.lists(near_minutia, max_size=255),
)
@settings(max_examples=60, deadline=None)
def test_any_template_gives_a_score_between_0_and_1(template_of, first, second):
    a, b = (
        prepare(template_of(*np.array(rows, float).reshape(-1, 5).T))
        for rows in (first, second)
    )
    assert 0 <= compare(a, b) <= 1
    assert compare(a, b) == compare(b, a)
    for i, j in correspondences(a, b):
        assert 0 <= i < len(a)
        assert 0 <= j < len(b)


def _odd_templates(template_of):
    rng = np.random.default_rng(5)
    line, corners = np.arange(128) * 9, np.array([0, 16383])
    many = rng.integers(0, 300, (2, 255))
    return {
        "one point": template_of([70] * 60, [70] * 60, [1.0] * 60),
        "one point, all angles": template_of([0] * 60, [0] * 60, np.arange(60) / 10),
        "a line": template_of(line, [5] * 128, [0.0] * 128),
        "a grid": template_of(line % 90, line // 90 * 9, [0.0] * 128),
        "255 minutiae": template_of(*many, rng.uniform(0, 6.28, 255)),
        "the limits": template_of(
            np.tile(corners, 30), np.repeat(corners, 30), np.arange(60) / 10
        ),
        "weakest": template_of(*many, rng.uniform(0, 6.28, 255), None, [1] * 255),
        "five": template_of(*many[:, :5], [0.0] * 5),
    }


def test_odd_templates_compare_with_each_other_and_with_a_finger(template_of, gallery):
    odd = [prepare(template) for template in _odd_templates(template_of).values()]
    for a in odd:
        for b in [*odd, prepare(gallery[0])]:
            assert 0 <= compare(a, b) <= 1
            assert compare(a, b) == compare(b, a)
            pairs = correspondences(a, b)
            assert len({i for i, _ in pairs}) == len({j for _, j in pairs})
            assert len(pairs) <= min(len(a), len(b))


def test_a_heap_of_minutiae_at_one_point_matches_no_finger(template_of, gallery):
    odd = _odd_templates(template_of)
    for name in ("one point", "one point, all angles", "a line", "the limits"):
        heap = prepare(odd[name])
        scores = [compare(heap, prepare(template)) for template in gallery]
        assert committed().false_match_rate(max(scores)) > 1e-4, name
