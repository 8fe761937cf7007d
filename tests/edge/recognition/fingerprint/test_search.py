"""One-to-many search of the fingers of a person."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from edge.errors import InputError
from edge.recognition.fingerprint.calibration import (
    TemplateSource,
    committed,
    source_of,
)
from edge.recognition.fingerprint.codes import encode
from edge.recognition.fingerprint.comparison import compare, compare_many, prepare
from edge.recognition.fingerprint.gallery import TemplateGallery
from edge.recognition.fingerprint.search import (
    FingerprintSearch,
    _add_best,
    rate_of_one,
    warm_up,
)
from edge.recognition.fingerprint.shortlist import vote_many
from edge.simulate.template_gallery import generate
from edge.terms import FingerPosition

INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_THUMB
UNKNOWN = FingerPosition.UNKNOWN
PERSONS = 60
RATE = 1e-4
KERNELS = (encode, vote_many, compare_many, _add_best)


@pytest.fixture(scope="module")
def fingers():
    """Return two fingers of each person, of 25 minutiae or more."""
    columns = generate(77, 4 * PERSONS)
    plain = [columns.template(i) for i in range(len(columns))]
    plain = [template for template in plain if len(template) >= 25]
    return [
        (
            replace(plain[2 * i], position=INDEX),
            replace(plain[2 * i + 1], position=THUMB),
        )
        for i in range(PERSONS)
    ]


@pytest.fixture(scope="module")
def references(fingers, numbered):
    return numbered([list(pair) for pair in fingers])


@pytest.fixture(scope="module")
def held(references):
    gallery = TemplateGallery()
    gallery.patch(references)
    return gallery


@pytest.fixture(scope="module")
def search(held):
    return FingerprintSearch(held, committed())


@pytest.fixture(scope="module")
def presented(fingers, again):
    """Return other impressions of both fingers of a person."""
    return lambda i: [again(finger, 1000 + i) for finger in fingers[i]]


def test_a_person_is_found_by_both_fingers(search, presented):
    for person in range(20):
        found = search.search(presented(person), RATE).found
        assert [item.person for item in found] == [person]
        assert found[0].number in {2 * person + 1, 2 * person + 2}
        assert found[0].false_match_rate <= RATE


def test_two_fingers_say_more_than_one(search, presented):
    probes = presented(3)
    both = search.search(probes, RATE).found[0].false_match_rate
    alone = [search.search([probe], 0.01).found[0] for probe in probes]
    assert both <= min(item.false_match_rate for item in alone)


def test_a_stranger_is_not_found(search):
    strangers = generate(78, 20)
    for i in range(0, 20, 2):
        probes = [
            replace(strangers.template(i), position=INDEX),
            replace(strangers.template(i + 1), position=THUMB),
        ]
        assert search.search(probes, 1e-6).found == []


def test_a_finger_is_compared_with_its_own_position_alone(search, fingers):
    index, _ = fingers[5]
    middle = replace(index, position=FingerPosition.RIGHT_MIDDLE)
    outcome = search.search([middle], RATE)
    assert (outcome.found, len(outcome.compared)) == ([], 0)


def test_a_finger_of_unknown_position_is_compared_with_all(search, fingers):
    for finger in fingers[5]:
        unknown = replace(finger, position=UNKNOWN)
        assert [f.person for f in search.search([unknown], RATE).found] == [5]


def test_several_fingers_may_be_of_unknown_position(search, presented):
    probes = [replace(probe, position=UNKNOWN) for probe in presented(8)]
    assert [f.person for f in search.search(probes, RATE).found] == [8]


def test_a_reference_of_unknown_position_is_compared_with_any_probe(
    fingers, numbered, presented
):
    gallery = TemplateGallery()
    gallery.patch(
        numbered([[replace(f, position=UNKNOWN) for f in pair] for pair in fingers])
    )
    search = FingerprintSearch(gallery, committed())
    assert [f.person for f in search.search(presented(9), RATE).found] == [9]


def test_one_enrolled_finger_of_two_presented_is_enough(fingers, numbered, presented):
    gallery = TemplateGallery()
    gallery.patch(numbered([[index] for index, _ in fingers]))
    search = FingerprintSearch(gallery, committed())
    for person in range(10):
        found = search.search(presented(person), RATE).found
        assert [item.person for item in found] == [person]


def test_two_probes_of_one_finger_and_none_are_refused(search, presented):
    probe = presented(0)[0]
    for probes in ([], [probe, probe]):
        with pytest.raises(InputError, match="give each finger once"):
            search.search(probes, RATE)


def test_an_empty_gallery_finds_nobody(presented):
    search = FingerprintSearch(TemplateGallery(), committed())
    outcome = search.search(presented(0), RATE)
    assert (outcome.found, len(outcome.compared)) == ([], 0)


def test_a_probe_without_minutiae_finds_nobody(search, template_of):
    assert search.search([template_of([], [], [])], RATE).found == []


def test_found_persons_come_with_the_least_rate_first(search, presented):
    found = search.search(presented(2), 1.0).found
    rates = [item.false_match_rate for item in found]
    assert found[0].person == 2
    assert len(found) > 5
    assert rates == sorted(rates)


def test_after_the_warm_up_a_search_compiles_nothing(references, presented, tmp_path):
    def compiled():
        return [len(function.signatures) for function in KERNELS]

    warm_up()
    before = compiled()
    assert min(before) >= 1
    gallery = TemplateGallery(tmp_path)
    gallery.patch(references, [1])
    FingerprintSearch(gallery, committed(), 2).search(presented(3), RATE)
    assert compiled() == before


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_changes_nothing(
    held, search, presented, monkeypatch, threads
):
    module = FingerprintSearch.__module__
    monkeypatch.setattr(f"{module}._VOTES_AT_ONCE", 7)
    monkeypatch.setattr(f"{module}._COMPARISONS_AT_ONCE", 5)
    threaded = FingerprintSearch(held, committed(), threads)
    for person in range(10):
        one = search.search(presented(person), 1.0)
        many = threaded.search(presented(person), 1.0)
        assert many.found == one.found
        assert np.array_equal(many.compared, one.compared)
    threaded.close()


def test_a_reference_of_another_maker_has_rates_of_its_own(fingers, numbered):
    # Pairs that do not mate: a mated one would reach the lowest rate of both tables.
    probe, reference = _most_alike([index for index, _ in fingers[:20]])
    rates = []
    for model_id in ("leader", "iso-19794-2"):
        gallery = TemplateGallery()
        gallery.patch(numbered([[replace(reference, model_id=model_id)]]))
        foreign = committed(TemplateSource.FOREIGN)
        search = FingerprintSearch(gallery, committed(), foreign=foreign)
        [found] = search.search([probe], 1.0).found
        rates.append(found.false_match_rate)
        table = committed(source_of(model_id))
        assert rates[-1] == table.false_match_rate(found.score)
    assert rates[0] < rates[1] < 1


def test_the_more_persons_the_rarer_a_match_must_be(search, presented):
    found = search.search([presented(3)[0]], 1.0).found[0]
    rate = found.false_match_rate
    enough = -math.expm1(PERSONS * math.log1p(-rate)) * 1.01
    probe = presented(3)[:1]
    assert search.search(probe, 1.0, max_fpir=enough).found[0].person == 3
    assert search.search(probe, 1.0, max_fpir=enough * 0.5).found == []


def test_the_rate_of_one_person_makes_the_rate_of_a_search():
    for persons in (1, 7, 180_000):
        rate = rate_of_one(0.01, persons)
        assert 1 - (1 - rate) ** persons == pytest.approx(0.01)
    assert rate_of_one(1.0, 10) == rate_of_one(0.5, 0) == 1.0


def _most_alike(templates):
    prepared = [prepare(template) for template in templates]
    pairs = itertools.combinations(range(len(templates)), 2)
    i, j = max(pairs, key=lambda pair: compare(*(prepared[k] for k in pair)))
    return templates[i], templates[j]
