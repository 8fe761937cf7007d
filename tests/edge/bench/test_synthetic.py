import json

import cv2
import numpy as np
import pytest

from edge.bench.synthetic import (
    extracted_set,
    invented_sets,
    measure,
    plot,
    rendered_set,
)
from edge.bench.template_statistics import DISTANCES_PX, describe
from edge.errors import InputError
from edge.simulate.template_gallery import generate


class FirstTemplates:
    """Recognition that finds an invented template in whatever it is shown."""

    def __init__(self):
        self._columns = generate(3, 20)
        self.shown = []

    def assess(self, sample):
        raise NotImplementedError

    def extract(self, sample):
        self.shown.append(sample.image)
        return self._columns.template(len(self.shown) - 1)


@pytest.fixture(scope="module")
def sets():
    return invented_sets(3, 4, fingers=5, impressions=3)


def test_sets_have_the_shape_asked_for(sets):
    assert [len(one) for one in sets] == [5, 5, 5, 5]
    assert all(len(finger) == 3 for one in sets for finger in one)


def test_sets_of_one_kind_agree_and_their_measure_is_json(sets):
    measured = measure(sets[:2], sets[2:])
    assert json.loads(json.dumps(measured)) == measured
    real, generated = measured["real"], measured["generated"]
    assert real["mated_pairs"] == generated["mated_pairs"] == 2 * 5 * 3
    assert real["non_mated_pairs"] == 2 * 10 * 9
    assert real["mean_count"] == pytest.approx(generated["mean_count"], rel=0.4)
    rates = measured["agreement"]["generated_rate_at_real_rate"]
    assert 0.01 < rates["0.1"] < 0.5
    # Too few pairs lie beyond these rates to say anything.
    assert real["score_at_rate"]["0.001"] is None


def test_what_was_measured_is_drawn(sets, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "synthetic.png"
    plot(measure(sets[:1], sets[1:2]), out)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_side_without_pairs_is_an_error(sets):
    alone = [[sets[0][0][:1]]]
    with pytest.raises(InputError, match="real prints: no mated"):
        measure(alone, sets)


def test_statistics_tell_even_spacing_and_parallel_ridges_from_others(sets):
    template = sets[0][0][0]
    told = describe([template])
    assert told.templates == 1
    assert told.mean_count == len(template)
    assert len(told.spacing) == len(told.turn_rad) == len(DISTANCES_PX) - 1
    near, far = told.turn_rad[7], told.turn_rad[-1]
    assert near is None or far is None or near < far
    many = describe([t for one in sets for finger in one for t in finger])
    assert many.spacing[1] < 0.3
    assert many.spacing[-3] > 0.6
    with pytest.raises(InputError, match="minutiae"):
        describe([])


def test_rendered_and_extracted_sets_show_every_image_to_the_extractor(tmp_path):
    recognition = FirstTemplates()
    rendered = rendered_set(recognition, 11, fingers=1, impressions=2)
    assert [len(finger) for finger in rendered] == [2]
    for number, image in enumerate(recognition.shown):
        cv2.imwrite(str(tmp_path / f"7_{number}.png"), image)
    found = extracted_set(recognition, tmp_path)
    assert [len(finger) for finger in found] == [2]
    assert np.array_equal(recognition.shown[0], recognition.shown[2])
