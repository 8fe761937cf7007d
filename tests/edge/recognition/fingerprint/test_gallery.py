"""References that are searched while they change."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.recognition.fingerprint import gallery as gallery_module
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.gallery import TemplateGallery
from edge.recognition.fingerprint.gallery_columns import minutiae_of
from edge.recognition.fingerprint.search import FingerprintSearch
from edge.simulate.template_gallery import generate
from edge.terms import FaceTemplate, FingerPosition, Modality

POOL = 400
RATE = 1e-4


@pytest.fixture(scope="module")
def pool():
    """Return templates of invented fingers of some position each."""
    columns = generate(41, POOL)
    return [
        replace(columns.template(i), position=FingerPosition(i % 3))
        for i in range(POOL)
    ]


@pytest.fixture
def enrolled(pool, numbered):
    """Make references of fingers of the pool, numbered from first."""
    return lambda fingers, first=1: numbered([[pool[i]] for i in fingers], first)


@pytest.fixture
def compacting(monkeypatch):
    """Copy the dead away from the second on."""
    monkeypatch.setattr(gallery_module, "_DEAD_ROWS", 1)


def numbers(gallery):
    seen = gallery.snapshot()
    return seen.rows["number"][seen.chosen()].tolist()


def outcome(gallery, probes):
    """Return everything a search says, persons by the number of their reference."""
    found = FingerprintSearch(gallery, committed()).search(probes, 1.0).found
    return [(item.number, item.score, item.false_match_rate) for item in found]


def test_what_was_added_is_found_and_what_was_removed_is_not(pool, enrolled):
    gallery = TemplateGallery()
    search = FingerprintSearch(gallery, committed())
    gallery.patch(enrolled(range(50)), revision="a")
    assert (len(gallery), gallery.revision, gallery.last_number) == (50, "a", 50)
    assert [f.number for f in search.search([pool[9]], RATE).found] == [10]
    gallery.patch(enrolled([60], 51), [10], "b")
    assert (len(gallery), gallery.revision, gallery.last_number) == (50, "b", 51)
    assert search.search([pool[9]], RATE).found == []
    assert [f.number for f in search.search([pool[60]], RATE).found] == [51]


@pytest.mark.parametrize("first", [1, 3, 4])
def test_numbers_that_do_not_rise_are_refused_and_nothing_changes(enrolled, first):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(4)), revision="a")
    with pytest.raises(InputError, match="must rise"):
        gallery.patch(enrolled([5], first), [1], "b")
    falling = enrolled(range(8))[:3:-1]
    with pytest.raises(InputError, match="must rise"):
        gallery.patch(falling, [1], "b")
    assert (numbers(gallery), gallery.revision) == ([1, 2, 3, 4], "a")


def test_a_face_is_no_reference_of_a_finger(enrolled):
    (item,) = enrolled([0])
    template = FaceTemplate("face", np.zeros(4, np.float32))
    reference = replace(item.reference, modality=Modality.FACE, template=template)
    with pytest.raises(InputError, match="reference 1 is no fingerprint"):
        TemplateGallery().patch([replace(item, reference=reference)])


def test_numbers_that_are_not_there_are_passed_over(enrolled):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(3)), [1, 7])
    gallery.patch((), [0, -5, 2, 2, 99])
    gallery.patch((), [2])
    assert numbers(gallery) == [1, 3]


def test_references_of_one_entry_are_one_person(pool, numbered):
    gallery = TemplateGallery()
    gallery.patch(numbered([pool[:3], pool[3:4], pool[4:6]]))
    gallery.patch(numbered([pool[6:8]], 7))
    seen = gallery.snapshot()
    assert seen.rows["person"].tolist() == [0, 0, 0, 1, 2, 2, 3, 3]
    assert seen.persons == 4


def test_a_snapshot_stays_what_it_was(enrolled):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(30)))
    before = gallery.snapshot()
    rows = before.chosen().tolist()
    minutiae = before.packed[: before.extents.sum(axis=1).max()].copy()
    gallery.patch(enrolled(range(30, 40), 31), range(1, 20))
    gallery.patch((), range(20, 35))
    assert before.chosen().tolist() == rows
    assert (before.packed[: len(minutiae)] == minutiae).all()
    assert numbers(gallery) == list(range(35, 41))


def test_nothing_is_left_of_the_dead_once_no_search_can_see_them(enrolled):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(10)))
    running = gallery.snapshot()
    columns = gallery._columns
    packed, codes = minutiae_of(columns, 4)
    gallery.patch((), [5])
    assert packed.all(axis=1).any()
    del running
    gc.collect()
    gallery.patch((), [6])
    assert not packed.any()
    assert not codes.any()
    assert minutiae_of(columns, 3)[0].any()


@pytest.mark.usefixtures("compacting")
def test_the_space_of_many_dead_is_taken_back(enrolled, pool):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(100)))
    full = gallery.bytes_of_references()
    gallery.patch((), [n for n in range(1, 101) if n % 4])
    gallery.patch(enrolled([200], 101))
    assert numbers(gallery) == [*range(4, 101, 4), 101]
    assert gallery.bytes_of_references() < 0.4 * full
    assert gallery.snapshot().persons == 26
    fresh = TemplateGallery()
    fresh.patch(
        [item for item in enrolled(range(100)) if item.number % 4 == 0]
        + enrolled([200], 101)
    )
    for finger in (3, 7, 200, 8):
        assert outcome(gallery, [pool[finger]]) == outcome(fresh, [pool[finger]])


def test_a_cleared_gallery_starts_anew(enrolled):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(5), 10), revision="a")
    gallery.clear(3)
    assert (len(gallery), gallery.revision, gallery.last_number) == (0, "", 0)
    gallery.patch(enrolled(range(2)))
    assert numbers(gallery) == [1, 2]


STEPS = st.lists(
    st.tuples(
        st.lists(st.integers(0, POOL - 1), max_size=6),  # fingers to enrol
        st.lists(st.integers(0, 200), max_size=8),  # which of all numbers to remove
        st.booleans(),  # the fingers belong to one person
        st.booleans(),  # open the folder again
    ),
    max_size=8,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, probe=st.integers(0, POOL - 1))
@pytest.mark.usefixtures("compacting")
def test_whatever_order_of_changes_a_search_is_that_of_a_fresh_gallery(
    pool, numbered, tmp_path_factory, steps, probe
):
    folder = tmp_path_factory.mktemp("gallery")
    gallery, model, last = TemplateGallery(folder), {}, 0
    for fingers, which, is_one, is_reopened in steps:
        persons = (
            [[pool[i] for i in fingers]] if is_one else [[pool[i]] for i in fingers]
        )
        added = numbered(persons, last + 1)
        removed = [1 + n % (last + len(added) + 1) for n in which]
        gallery.patch(added, [n for n in removed if n <= last])
        for number in [n for n in removed if n <= last]:
            model.pop(number, None)
        model |= {item.number: item for item in added}
        last += len(added)
        if is_reopened:
            gallery.close()
            gallery = TemplateGallery(folder)
        assert numbers(gallery) == sorted(model)
    fresh = TemplateGallery()
    fresh.patch(model.values())
    probes = [pool[probe]]
    if model:
        probes = [next(iter(model.values())).reference.template]
    assert outcome(gallery, probes) == outcome(fresh, probes)
    gallery.close()


@pytest.mark.usefixtures("compacting")
def test_searches_in_other_threads_see_whole_patches_only(pool, numbered):
    """Each patch moves all fingers of the pool's first persons to new numbers."""
    people, rounds = 12, 25
    group = [[pool[3 * i + 1]] for i in range(people)]
    gallery = TemplateGallery()
    gallery.patch(numbered([[f] for f in pool[200:300]]))
    gallery.patch(numbered(group, 101))
    search = FingerprintSearch(gallery, committed(), 2)
    stop, wrong, searches = threading.Event(), [], []

    def keep_searching(person):
        while not stop.is_set():
            found = search.search(group[person], RATE).found
            at = [(item.number - 101) % people for item in found]
            searches.append(person)
            if at != [person]:
                wrong.append((person, found))

    threads = [threading.Thread(target=keep_searching, args=(i,)) for i in (1, 5)]
    for thread in threads:
        thread.start()
    first = 101
    for _ in range(rounds):
        old = range(first, first + people)
        first += people
        gallery.patch(numbered(group, first), old)
    stop.set()
    for thread in threads:
        thread.join()
    search.close()
    assert wrong == []
    assert len(searches) >= 2
    assert len(gallery) == 100 + people


# Of the votes on 200 references.
ROW_BYTES = 800


def test_many_searches_take_no_more_memory(pool, enrolled):
    gallery = TemplateGallery()
    gallery.patch(enrolled(range(200)))
    search = FingerprintSearch(gallery, committed())

    def run(count):
        for i in range(count):
            search.search([pool[i]], RATE)

    # Only what the search's own code has taken counts, not what runs beside the test;
    # and only arrays: numba frees the handles of its arguments where it is not seen.
    own = [tracemalloc.Filter(True, "*/recognition/fingerprint/*")]

    def taken():
        gc.collect()
        kept = tracemalloc.take_snapshot().filter_traces(own)
        return sum(trace.size for trace in kept.traces if trace.size >= ROW_BYTES)

    run(5)
    tracemalloc.start()
    try:
        run(5)
        before = taken()
        run(60)
        grown = taken() - before
    finally:
        tracemalloc.stop()
    assert grown < 10 * ROW_BYTES
    assert len(gallery._seen) == 0
