"""The fingerprint search under the search benchmark."""

from __future__ import annotations

import numpy as np
import pytest

from edge.bench import search
from edge.bench.finger_gallery import MeasuredFingerGallery, packed_references
from edge.bench.search import measure_search
from edge.bench.search_cast import generated_cast
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.packed import pack
from edge.recognition.fingerprint.shortlist import codes_of, new_vote


@pytest.fixture(scope="module")
def cast():
    return generated_cast(300, 2, 12, threads=2)


def build(columns, fingers):
    return MeasuredFingerGallery(columns, fingers, committed(), threads=2)


def test_templates_are_packed_together_as_they_are_one_by_one(cast):
    packed = packed_references(cast.enrolled, 2, threads=2)
    starts = np.cumsum(packed.counts) - packed.counts
    for i in range(0, len(cast.enrolled), 53):
        run = slice(starts[i], starts[i] + packed.counts[i])
        alone = pack(cast.enrolled.template(i))
        assert (packed.packed[run] == alone).all()
        assert (packed.codes[run] == codes_of(alone, new_vote())).all()
    assert packed.persons.tolist() == [i // 2 for i in range(600)]


def test_enrolled_persons_are_found_and_strangers_are_not(cast, monkeypatch):
    monkeypatch.setattr(search, "PATCHED_PERSONS", 20)
    monkeypatch.setattr(search, "TIMED_COMPARISONS", 2000)
    report = measure_search(cast, build).report()
    assert report["rank1"] >= 11 / 12
    assert report["first_stage_loss"] == 0
    assert 200 < report["gallery_bytes_per_template"] < 700
    assert report["patch_s"] > 0


def test_a_mate_matches_in_full_and_another_person_does_not(cast):
    gallery = build(cast.enrolled, 2)
    person, probe = cast.mated[0]
    assert gallery.matches(probe, person)
    assert not gallery.matches(probe, (person + 1) % 300)
