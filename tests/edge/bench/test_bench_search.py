"""The search benchmark on a gallery whose answers are written down beforehand."""

import cv2
import numpy as np
import pytest

from edge.bench import search_plot
from edge.bench.search import SearchResult, measure_search
from edge.bench.search_cast import (
    POSITIONS,
    Cast,
    generated_cast,
    planted,
    real_persons,
)
from edge.errors import InputError
from edge.simulate.template_gallery import generate


class ScriptedGallery:
    """Implements SearchedGallery: finds each mate but those that are named."""

    def __init__(self, cast, *, lost=(), hopeless=(), second=(), alarms=()):
        self.fingers_of = {id(p): person for person, p in cast.mated}
        self.strangers = {id(p): place for place, p in enumerate(cast.strangers)}
        self.lost, self.hopeless = lost, hopeless
        self.second, self.alarms = second, alarms
        self.built_from = None

    def build(self, columns, fingers):
        self.built_from = (len(columns), fingers)
        return self

    def search(self, probe, *, limit):
        assert limit > 1
        if id(probe) in self.strangers:
            is_alarm = self.strangers[id(probe)] in self.alarms
            return SearchResult([(0, 0.7 if is_alarm else 0.1)], {0})
        person = self.fingers_of[id(probe)]
        if person in {*self.lost, *self.hopeless}:
            return SearchResult([], set())
        candidates = [(person, 0.6)]
        if person in self.second:
            candidates.insert(0, (person + 1, 0.65))
        return SearchResult(candidates, {p for p, _ in candidates})

    def compare_fully(self, probe, count):
        assert len(probe)
        return count

    def matches(self, _probe, person):
        return person not in self.hopeless

    def patch(self, _added, _probe):
        raise AssertionError("so few persons are not patched")

    def size_in_bytes(self):
        return 6000


def measured(cast, **script):
    return measure_search(cast, ScriptedGallery(cast, **script).build)


@pytest.fixture(scope="module")
def cast():
    return generated_cast(10, 2, 5)


def test_a_search_that_finds_everybody_has_no_errors(cast):
    report = measured(cast).report()
    assert (report["persons"], report["templates"]) == (10, 20)
    assert report["rank1"] == 1.0
    # Five strangers cannot show a rate of one in a hundred.
    assert report["fnir_at_fpir"] == {"1e-2": None, "1e-3": None}
    assert report["patch_s"] is None
    assert report["first_stage_loss"] == 0.0
    assert report["gallery_bytes_per_template"] == 300
    assert report["latency_ms"]["p95"] >= report["latency_ms"]["median"] >= 0
    assert report["comparisons_per_s_per_core"] > 0
    assert report["peak_rss_mib"] > 1


def test_a_mate_that_the_first_stage_drops_is_a_loss_and_an_error(cast):
    person = cast.mated[2][0]
    measurement = measured(cast, lost={person})
    report = measurement.report()
    assert report["first_stage_loss"] == pytest.approx(0.2)
    assert report["first_stage_loss_strict"] == pytest.approx(0.2)
    assert measurement.scores.fnmr_at(1e-2) == pytest.approx(0.2)
    assert report["rank1"] == pytest.approx(0.8)


def test_a_mate_that_full_comparison_would_not_find_is_no_loss_of_the_first_stage(cast):
    report = measured(cast, hopeless={cast.mated[2][0]}).report()
    assert report["first_stage_loss"] == 0.0
    assert report["first_stage_loss_strict"] == pytest.approx(0.2)
    assert report["rank1"] == pytest.approx(0.8)


def test_a_mate_behind_another_person_is_found_but_not_first(cast):
    measurement = measured(cast, second={cast.mated[0][0]})
    assert measurement.report()["rank1"] == pytest.approx(0.8)
    assert measurement.scores.fnmr_at(1e-2) == 0.0


def test_a_stranger_that_scores_above_the_mates_hides_them_all(cast):
    measurement = measured(cast, alarms={3})
    assert measurement.scores.fnmr_at(1e-3) == 1.0
    assert measurement.report()["first_stage_loss"] == 0.0


def test_latency_and_errors_are_drawn(cast, tmp_path):
    out = tmp_path / "search.png"
    search_plot.draw([measured(cast, alarms={3})] * 2, out)
    assert cv2.imread(str(out)).shape == (552, 2016, 3)


def test_a_cast_repeats_itself_and_its_probes_are_not_the_enrolled_templates(cast):
    again = generated_cast(10, 2, 5, threads=3)
    assert isinstance(again, Cast)
    assert np.array_equal(again.enrolled.x, cast.enrolled.x)
    for (person, probe), (other, same) in zip(cast.mated, again.mated, strict=True):
        assert person == other
        assert np.array_equal(probe[1].x, same[1].x)
        enrolled = cast.enrolled.template(person * 2)
        assert not np.array_equal(probe[0].x, enrolled.x)
        assert [t.position for t in probe] == list(POSITIONS[:2])


def test_real_persons_are_planted_behind_the_generated_ones(cast):
    columns = generate(7, 9)
    fingers = [
        [columns.template(0), columns.template(1), columns.template(2)],
        [columns.template(3), columns.template(4)],
        [columns.template(5)],  # nothing to search with
        [columns.template(6), columns.template(7)],
    ]
    [person] = real_persons(fingers, 2)
    assert len(person.enrolled) == 2
    assert len(person.probes) == 1
    mixed = planted(cast, [person], 5)
    assert mixed.persons == 11
    [(number, probe)] = mixed.mated
    assert number == 10
    assert np.array_equal(mixed.enrolled.template(20).x, columns.template(0).x)
    assert np.array_equal(mixed.enrolled.template(21).y, columns.template(3).y)
    assert np.array_equal(probe[0].x, columns.template(1).x)
    assert list(mixed.enrolled.position[-2:]) == list(POSITIONS[:2])
    assert mixed.strangers == cast.strangers


def test_real_persons_that_do_not_fit_are_refused(cast):
    columns = generate(7, 2)
    finger = [columns.template(0), columns.template(1)]
    with pytest.raises(InputError, match="each needs 2 fingers"):
        planted(cast, real_persons([finger], 1), 5)
    with pytest.raises(InputError, match="none has a second impression"):
        planted(cast, [], 5)


@pytest.mark.parametrize("numbers", [(0, 1, 0), (5, 0, 1), (5, 11, 1), (5, 2, 6)])
def test_a_cast_out_of_range_is_refused(numbers):
    with pytest.raises(InputError, match="search benchmark"):
        generated_cast(*numbers)
