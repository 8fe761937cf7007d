"""The weights of the evidence, and what is weighed."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from edge.errors import ModelError
from edge.recognition.fingerprint import evidence
from edge.recognition.fingerprint.comparison import measures_of, prepare
from edge.recognition.fingerprint.evidence import MEASURES, Evidence, committed
from edge.recognition.fingerprint.growth import MEASURES as MEASURE_COUNT


@pytest.fixture
def table():
    return json.loads(committed().to_json())


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Let the package's table have another content; None for no table."""

    def install(content: str | None) -> None:
        if content is not None:
            (tmp_path / evidence.TABLE).write_text(content, encoding="utf-8")
        monkeypatch.setattr(evidence.resources, "files", lambda _: tmp_path)

    return install


def test_every_measure_has_a_weight_and_a_place():
    found = committed()
    assert len(found.weights) == len(MEASURES) == MEASURE_COUNT
    assert found.row().shape == (4 + len(MEASURES),)
    assert found.row().dtype == np.float32
    assert np.isfinite(found.row()).all()
    assert found.lowest < found.highest
    assert 0 < found.least_support < 1
    assert found.source


def test_the_table_is_written_as_it_is_read(installed):
    before = committed()
    installed(before.to_json())
    assert committed() == before


@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", "{}", "null", '"text"', "\xff\xfe"]
)
def test_a_damaged_table_is_a_model_error(installed, content):
    installed(content)
    with pytest.raises(ModelError, match=r"evidence\.json: missing or damaged"):
        committed()


@pytest.mark.parametrize("key", ["weights", "constant", "least_support", "source"])
def test_a_table_without_a_key_is_a_model_error(installed, table, key):
    del table[key]
    installed(json.dumps(table))
    with pytest.raises(ModelError):
        committed()


@pytest.mark.parametrize("weights", [[], [1.0] * 3, [1.0] * 40, 5, ["a"] * 10, None])
def test_weights_that_are_not_one_a_measure_are_a_model_error(
    installed, table, weights
):
    installed(json.dumps(table | {"weights": weights}))
    with pytest.raises(ModelError):
        committed()


def test_measures_say_what_their_names_say(gallery):
    template = gallery[0]
    prepared = prepare(template)
    found = dict(zip(MEASURES, measures_of(prepared, prepared), strict=True))
    weight = float(template.quality.sum()) / 100
    supported = found["root of support"] ** 2
    assert found["logarithm of support"] == pytest.approx(
        math.log(supported + 1e-3), abs=1e-4
    )
    assert found["root of the lesser weight of minutiae"] == pytest.approx(
        math.sqrt(weight), rel=1e-5
    )
    # A print and itself: all is paired, nothing is missed or off its place.
    assert found["weight of missed minutiae"] == 0
    assert found["mean distance from the expected place"] == pytest.approx(0, abs=1e-6)
    assert found["share of equal kinds"] == pytest.approx(weight / (weight + 0.5))
    assert found["logarithm of nearness"] == pytest.approx(
        math.log(1 + weight), rel=1e-5
    )


def test_a_weight_is_kept_exactly_enough_for_the_kernel():
    few = Evidence((0.1,) * len(MEASURES), 1.0, 0.1, -1.0, 1.0, "a test")
    assert (
        few.row().tolist()
        == np.array([0.1, -1.0, 1.0, 1.0, *[0.1] * len(MEASURES)], np.float32).tolist()
    )
