"""Whether a kind of face template can carry a search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.face.calibration import (
    RATES,
    TAIL_RATES,
    Calibration,
    shipped_calibration,
)
from edge.recognition.face.carrying import can_carry, expected_misses
from edge.recognition.face.embedding import DLIB_TEMPLATES
from edge.recognition.face.gallery import FaceGallery
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    Modality,
    NumberedReference,
    Reference,
)

LONG_LIST = 180_000


def table(misses_at_4, misses_at_5):
    """Return a table with so many misses at rates of 1e-4 and 1e-5."""
    rates = np.log10(np.array(RATES + TAIL_RATES))
    misses = np.interp(-rates, [0, 4, 5], [0, misses_at_4, misses_at_5])
    scores = np.linspace(0.3, 0.7, len(rates))
    return Calibration("m", 10_000_000, scores, rates, 5000, misses)


GOOD = table(0.006, 0.015)


def gallery_of(count, entry=None):
    gallery = FaceGallery()
    vectors = np.eye(count, 128, dtype=np.float32)
    gallery.patch(
        NumberedReference(
            n,
            Reference(
                f"r{n}",
                entry or f"e{n}",
                Modality.FACE,
                FingerPosition.UNKNOWN,
                FaceTemplate(DLIB_TEMPLATES, vectors[n]),
            ),
        )
        for n in range(count)
    )
    return gallery, FaceTemplate(DLIB_TEMPLATES, vectors[0])


def test_the_default_model_carries_a_short_list_and_no_long_one():
    shipped = shipped_calibration()
    assert can_carry(shipped, 300, 0.01).is_carried
    refused = can_carry(shipped, LONG_LIST, 0.01)
    assert not refused.is_carried
    assert refused.misses > 0.5
    assert "cannot carry a search among 180,000 persons" in refused.text


def test_a_good_model_carries_a_long_list_and_says_what_is_extrapolated():
    verdict = can_carry(GOOD, LONG_LIST, 0.01)
    assert verdict.is_carried
    assert verdict.false_match_rate == pytest.approx(0.01 / LONG_LIST, rel=0.01)
    assert verdict.decades_extrapolated == pytest.approx(2.25, abs=0.01)
    assert "2.3 decades below what was counted" in verdict.text


def test_what_is_extrapolated_too_far_carries_nothing():
    verdict = can_carry(GOOD, LONG_LIST, 1e-4)
    assert verdict.misses < 0.5
    assert not verdict.is_carried


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.floats(1e-6, 0.1))
def test_a_longer_list_needs_a_higher_score_and_misses_no_fewer(a, b, fpir):
    short, long = (can_carry(GOOD, n, fpir, 1e-3) for n in sorted((a, b)))
    assert short.score <= long.score
    assert short.misses <= long.misses + 1e-12
    assert short.is_carried or not long.is_carried
    assert short.false_match_rate <= 1e-3


def test_misses_go_on_beyond_the_table_along_its_last_decade():
    falling = [expected_misses(GOOD, 10.0**-decades) for decades in range(4, 10)]
    assert falling[:2] == pytest.approx([0.006, 0.015])
    assert falling == sorted(falling)
    # One decade moves the normal quantile by as much as the decade before.
    assert falling[2] == pytest.approx(0.033, abs=1e-3)


def test_a_list_that_cannot_be_carried_confirms_candidates_only():
    gallery, probe = gallery_of(5)
    assert gallery.verdict(DLIB_TEMPLATES, 0.01).persons == 5
    with pytest.raises(InputError, match="only confirms candidates"):
        gallery.search(probe, 1e-5, max_fpir=1e-12)
    (found,) = gallery.search(probe, 1e-5, max_fpir=0.01, among=["e0", "e3"])
    assert found.entry_id == "e0"
    assert gallery.search(probe, 1e-5, max_fpir=0.01, among=["e3"]) == []
    assert gallery.search(probe, 1.0, among=[]) == []


def test_the_threshold_rises_with_the_list_and_the_target():
    gallery, probe = gallery_of(100)
    rate = gallery.search(probe, 1.0, max_fpir=0.01)[0].score.false_match_rate
    assert rate <= 0.01 / 100
    verdict = gallery.verdict(DLIB_TEMPLATES, 0.01)
    assert verdict.score == shipped_calibration().score_at(verdict.false_match_rate)
    assert verdict.score > gallery.verdict(DLIB_TEMPLATES, 0.1).score
