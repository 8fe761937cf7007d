"""Comparison, calibration and one-to-many search of face templates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError, ModelError
from edge.recognition.face.calibration import (
    LOWEST_FALSE_MATCH_RATE,
    calibrate,
    calibration_of,
    from_json,
    shipped_calibration,
    to_json,
)
from edge.recognition.face.comparison import (
    distance_of_similarity,
    similarity,
    similarity_of_distance,
)
from edge.recognition.face.embedding import DLIB_TEMPLATES
from edge.recognition.face.gallery import FaceGallery
from edge.terms import (
    FaceTemplate,
    FingerPosition,
    Modality,
    NumberedReference,
    Reference,
)


def template(vector, model_id=DLIB_TEMPLATES):
    return FaceTemplate(model_id, np.asarray(vector, np.float32))


def reference(number, vector, entry=None, model_id=DLIB_TEMPLATES):
    return Reference(
        reference_id=f"r{number}",
        entry_id=entry or f"e{number}",
        modality=Modality.FACE,
        position=FingerPosition.UNKNOWN,
        template=template(vector, model_id),
    )


def gallery_of(references, first=1):
    gallery = FaceGallery()
    numbered = [NumberedReference(n, r) for n, r in enumerate(references, first)]
    gallery.patch(numbered)
    return gallery


@pytest.fixture(scope="module")
def population():
    return np.random.default_rng(7).normal(0, 0.1, (500, 128)).astype(np.float32)


@given(st.floats(0, 10), st.floats(0, 10))
def test_similarity_falls_with_distance_and_stays_between_0_and_1(a, b):
    nearer, farther = (
        similarity_of_distance(min(a, b)),
        similarity_of_distance(max(a, b)),
    )
    assert 0 < farther <= nearer <= 1


@given(st.floats(0, 1e6))
def test_a_similarity_stands_for_one_distance(distance):
    score = float(similarity_of_distance(distance))
    assert distance_of_similarity(score) == pytest.approx(distance, rel=1e-6, abs=1e-6)
    assert distance_of_similarity(0.0) == np.inf


def test_equal_templates_are_wholly_similar():
    assert similarity(template([1, 2]), template([1, 2])) == 1.0


@pytest.mark.parametrize(
    "other",
    [template([1, 2], "another"), template([1, 2, 3]), template([1, float("nan")])],
)
def test_incomparable_templates_are_refused(other):
    with pytest.raises(InputError, match="face template"):
        similarity(template([1, 2]), other)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_false_match_rate_never_rises_with_the_score(a, b):
    shipped = shipped_calibration()
    low = shipped.false_match_rate(min(a, b))
    high = shipped.false_match_rate(max(a, b))
    assert LOWEST_FALSE_MATCH_RATE <= high <= low <= 1


@given(st.floats(-11, -0.1))
def test_score_and_rate_are_inverse_beyond_the_table_too(log_rate):
    shipped = shipped_calibration()
    rate = 10**log_rate
    assert shipped.false_match_rate(shipped.score_at(rate)) == pytest.approx(rate)


def test_the_shipped_table_belongs_to_the_default_model():
    shipped = shipped_calibration()
    assert shipped.model_id == DLIB_TEMPLATES
    assert shipped.lowest_counted_rate == pytest.approx(1e-5)
    assert shipped.comparisons >= 1_000_000


def test_a_table_counts_what_it_says():
    rng = np.random.default_rng(3)
    scores, mated = rng.normal(0.5, 0.05, 1_000_000), rng.normal(0.7, 0.05, 5000)
    table = from_json(to_json(calibrate("m", mated, scores)))
    assert (table.comparisons, table.mated) == (1_000_000, 5000)
    for rate in (0.5, 1e-2, 1e-4):
        threshold = table.score_at(rate)
        assert (scores >= threshold).mean() == pytest.approx(rate, rel=0.1)
        missed = (mated < threshold).mean()
        assert table.false_non_match_rate(threshold) == pytest.approx(missed, abs=1e-3)


def test_beyond_the_table_no_fewer_are_missed():
    shipped = shipped_calibration()
    last = shipped.false_non_match_rate(shipped.score_at(1e-5))
    assert shipped.false_non_match_rate(shipped.score_at(1e-9)) == last > 0.1


def test_a_kind_of_template_without_a_table_is_told():
    with pytest.raises(ModelError, match="newer: no calibration"):
        calibration_of("newer")


def test_without_mated_comparisons_there_is_no_table():
    with pytest.raises(ModelError, match="two images"):
        calibrate("m", np.zeros(0), np.linspace(0, 1, 1_000_000))


def test_too_few_comparisons_make_no_table():
    with pytest.raises(ModelError, match="too few"):
        calibrate("m", np.ones(2), np.linspace(0, 1, 1000))


@given(st.text())
def test_a_damaged_table_is_refused(text):
    with pytest.raises(ModelError):
        from_json(text)


@pytest.mark.parametrize(
    ("scores", "rates", "misses"),
    [
        ("[1, 2]", "[0.1, 0.2]", "[0, 1]"),
        ("[2, 1]", "[0.2, 0.1]", "[0, 1]"),
        ("[1]", "[1]", "[0]"),
        ("[1, 2]", "[1]", "[0, 1]"),
        ("[1, 2]", "[1, 0]", "[0, 1]"),
        ("[1, 2]", "[0.2, 0.1]", "[0]"),
        ("[1, 2]", "[0.2, 0.1]", "[1, 0]"),
        ("[1, 2]", "[0.2, 0.1]", "[0, 2]"),
        ("[1, 2]", "[0.2, 0.1]", "[0, NaN]"),
    ],
)
def test_a_table_that_is_not_one_of_rates_is_refused(scores, rates, misses):
    text = (
        '{"model_id": "m", "comparisons": 9, "mated_comparisons": 9, '
        f'"scores": {scores}, "false_match_rates": {rates}, '
        f'"false_non_match_rates": {misses}}}'
    )
    with pytest.raises(ModelError, match="again"):
        from_json(text)


def test_a_search_finds_exactly_the_references_that_one_by_one_comparison_finds(
    population,
):
    gallery = gallery_of(reference(i, v) for i, v in enumerate(population))
    shipped = shipped_calibration()
    probe = template(population[3] + np.float32(0.01))
    expected = {
        f"e{i}"
        for i, v in enumerate(population)
        if shipped.false_match_rate(similarity(probe, template(v))) <= 0.01
    }
    found = gallery.search(probe, 0.01)
    assert {candidate.entry_id for candidate in found} == expected
    assert found[0].entry_id == "e3"
    values = [candidate.score.value for candidate in found]
    assert values == sorted(values, reverse=True)
    assert all(candidate.score.false_match_rate <= 0.01 for candidate in found)


def test_an_entry_appears_once_with_its_best_reference(population):
    gallery = gallery_of(
        [reference(0, population[0] + 0.01, "e"), reference(1, population[0], "e")]
    )
    (found,) = gallery.search(template(population[0]), 1e-4)
    assert found.reference_id == "r1"
    assert len(gallery) == 2


def test_an_empty_gallery_has_no_candidates(population):
    assert gallery_of([]).search(template(population[0]), 1.0) == []


def test_models_are_never_mixed(population):
    other = reference(1, population[0], model_id="another")
    mixed = gallery_of([reference(0, population[0]), other])
    (found,) = mixed.search(template(population[0]), 1.0)
    assert found.reference_id == "r0"
    assert gallery_of([other]).search(template(population[0]), 1.0) == []


def test_a_model_without_calibration_is_not_searched(population):
    gallery = gallery_of([reference(1, population[0], model_id="another")])
    with pytest.raises(ModelError, match="no calibration"):
        gallery.search(template(population[0], "another"), 1e-5)


@pytest.mark.parametrize("odd", [[1.0], [np.nan] * 128, [1e10] * 128])
def test_a_probe_that_does_not_fit_the_gallery_is_refused(population, odd):
    with pytest.raises(InputError, match="fit"):
        gallery_of([reference(0, population[0])]).search(template(odd), 1.0)


def test_vectors_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="finite"):
        gallery_of([reference(0, [np.inf, 0.0])])
    with pytest.raises(InputError, match="beyond"):
        gallery_of([reference(0, [1e10, 0.0])])
