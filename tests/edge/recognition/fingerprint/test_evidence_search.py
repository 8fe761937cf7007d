"""What each finger says of the persons of a gallery."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.recognition.fingerprint import search as search_module
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.evidence_search import EvidenceSearch
from edge.recognition.fingerprint.gallery import TemplateGallery
from edge.simulate.template_gallery import generate
from edge.terms import FingerPosition

INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_THUMB
PERSONS = 20
RATE = 1e-4


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
def held(fingers, numbered):
    gallery = TemplateGallery()
    gallery.patch(numbered([list(pair) for pair in fingers]))
    return gallery


@pytest.fixture(scope="module")
def search(held):
    return EvidenceSearch(held, committed())


@pytest.fixture(scope="module")
def presented(fingers, again):
    """Return other impressions of both fingers of a person."""
    return lambda i: [again(finger, 1000 + i) for finger in fingers[i]]


def weighed(search, examined, numbers):
    return [
        (m.person, m.probe, m.number, m.score)
        for m in search.evidence(examined, numbers)
    ]


def test_each_finger_of_a_person_is_weighed_by_itself(search, presented):
    examined = search.examine(presented(3))
    numbers = search.rare_numbers(examined, RATE)
    assert set(numbers) <= {7, 8}
    matches = search.evidence(examined, numbers)
    assert [(m.person, m.probe) for m in matches] == [(3, 0), (3, 1)]
    assert all(m.false_match_rate == m.false_match_rate_of_best for m in matches)


def test_who_was_not_on_the_shortlist_is_compared_when_asked_for(
    search, presented, monkeypatch
):
    everybody = search.examine(presented(3))
    monkeypatch.setattr(search_module, "SHORTLIST_FEWEST", 3)
    few = search.examine(presented(3))
    numbers = range(1, 2 * PERSONS + 1)
    assert len(few.persons) < PERSONS == len(everybody.persons)
    assert weighed(search, few, numbers) == weighed(search, everybody, numbers)


def test_fingers_that_come_one_by_one_are_weighed_as_if_at_once(search, presented):
    probes = presented(4)
    first = search.examine(probes[:1])
    numbers = range(1, 2 * PERSONS + 1)
    later = search.examine(probes, first)
    assert later.fingers[0] is first.fingers[0]
    assert weighed(search, later, numbers) == weighed(
        search, search.examine(probes), numbers
    )


def test_votes_on_another_state_of_the_gallery_are_not_used(
    fingers, numbered, presented
):
    gallery = TemplateGallery()
    gallery.patch(numbered([list(pair) for pair in fingers[:5]]))
    search = EvidenceSearch(gallery, committed())
    first = search.examine(presented(4)[:1])
    gallery.patch((), [1, 2])
    later = search.examine(presented(4), first)
    assert 1 not in {m.number for m in search.evidence(later, range(1, 11))}


def test_references_that_are_gone_or_of_other_fingers_are_passed_over(
    search, presented
):
    middle = replace(presented(3)[0], position=FingerPosition.RIGHT_MIDDLE)
    assert search.evidence(search.examine([middle]), [7, 8]) == []
    assert search.evidence(search.examine(presented(3)), [10_000]) == []


@pytest.mark.parametrize("threads", [2, 3])
def test_what_is_weighed_does_not_depend_on_the_threads(
    held, search, presented, threads
):
    threaded = EvidenceSearch(held, committed(), threads)
    numbers = range(1, 2 * PERSONS + 1)
    for person in range(3):
        probes = presented(person)
        assert threaded.evidence(threaded.examine(probes), numbers) == search.evidence(
            search.examine(probes), numbers
        )
    threaded.close()
