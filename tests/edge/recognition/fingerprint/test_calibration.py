"""Scores to false match rates and back."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from edge.errors import InputError, ModelError
from edge.recognition.fingerprint import growth
from edge.recognition.fingerprint.calibration import (
    LOWEST_RATE,
    Calibration,
    TemplateSource,
    committed,
    committed_file,
    engine_digest,
    read,
    source_of,
)
from edge.recognition.fingerprint.engine import MODEL_ID

SCORES = (0.0, 0.1, 0.2, 0.3)
RATES = (1.0, 1e-1, 1e-3, 1e-6)


@pytest.fixture
def table():
    return Calibration(SCORES, RATES, RATES, RATES, 20.0, 0.2, 0.3, 100, 10, "drawn")


@pytest.fixture
def written():
    return json.loads(committed_file().to_json())


def test_between_entries_the_rate_is_log_linear(table):
    assert table.false_match_rate(0.15) == pytest.approx(1e-2)
    assert table.threshold(1e-2) == pytest.approx(0.15)


def test_the_tail_goes_on_as_stated(table):
    assert table.false_match_rate(0.35) == pytest.approx(1e-7)
    assert table.threshold(1e-7) == pytest.approx(0.35)
    assert table.band(0.35) == pytest.approx((1e-7, 1e-7))


def test_no_rate_below_the_lowest_is_claimed(table):
    assert table.false_match_rate(1.0) == LOWEST_RATE


def test_a_gallery_of_one_has_the_threshold_of_its_rate(table):
    assert table.threshold_for_fpir(1e-2, 1) == pytest.approx(table.threshold(1e-2))


@pytest.mark.parametrize("size", [10, 10_000, 1_000_000])
def test_every_reference_adds_to_the_false_alarms(table, size):
    rate = table.false_match_rate(table.threshold_for_fpir(0.05, size))
    assert -math.expm1(size * math.log1p(-rate)) == pytest.approx(0.05)


@pytest.mark.parametrize(("target", "size"), [(0.0, 10), (1.0, 10), (0.1, 0)])
def test_an_impossible_gallery_is_refused(table, target, size):
    with pytest.raises(InputError, match="FPIR"):
        table.threshold_for_fpir(target, size)


@pytest.mark.parametrize("source", TemplateSource)
def test_the_committed_tables_fall_all_the_way(source):
    table = committed(source)
    rates = [table.false_match_rate(score) for score in np.linspace(0, 1, 2001)]
    assert rates[0] == 1.0
    assert rates[-1] == LOWEST_RATE
    assert all(b <= a for a, b in itertools.pairwise(rates))


@pytest.mark.parametrize("source", TemplateSource)
def test_the_committed_tables_lie_in_their_band(source):
    table = committed(source)
    for score in np.linspace(table.threshold(0.05), table.threshold(1e-8), 50):
        low, high = table.band(score)
        assert low <= table.false_match_rate(score) <= high


@pytest.mark.parametrize("source", TemplateSource)
def test_the_committed_tables_rest_on_ten_million_pairs(source):
    assert committed(source).pairs >= 10_000_000


@pytest.mark.parametrize("rate", [1.0, 0.3, 1e-2, 1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("source", TemplateSource)
def test_threshold_and_rate_are_inverse(source, rate):
    table = committed(source)
    assert table.false_match_rate(table.threshold(rate)) == pytest.approx(rate)


def test_one_foreign_template_makes_a_comparison_foreign():
    assert source_of(MODEL_ID, MODEL_ID) is TemplateSource.OURS
    assert source_of(MODEL_ID, "iso-19794-2") is TemplateSource.FOREIGN


def test_what_is_written_is_read_again():
    assert read(committed_file().to_json()) == committed_file()


@pytest.mark.parametrize("key", ["model_id", "engine"])
def test_a_calibration_of_another_engine_is_refused(written, key):
    written[key] = "another"
    with pytest.raises(ModelError, match=r"another.*edge calibration make"):
        read(json.dumps(written))


def test_another_constant_of_the_comparison_is_another_engine(monkeypatch):
    before = engine_digest()
    monkeypatch.setattr(growth, "_NEAR_PX", np.float32(9))
    assert engine_digest() != before


DAMAGES = {
    "no number": ("rates", [1.0, "x"]),
    "a rate of zero": ("rates", [1.0, 0.0]),
    "a rate that is not finite": ("high", [1.0, math.inf]),
    "rising rates": ("rates", [0.1, 1.0]),
    "falling scores": ("scores", [0.1, 0.0]),
    "one entry": ("scores", [0.0]),
    "a flat tail": ("tail_decades", 0.0),
    "no pairs": ("pairs", None),
}


@pytest.mark.parametrize(("key", "value"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_table_is_named(written, key, value):
    table = written["tables"]["ours"]
    for name in ("scores", "rates", "low", "high"):
        table[name] = [0.0, 0.1] if name == "scores" else [1.0, 0.1]
    table[key] = value
    with pytest.raises(ModelError, match="damaged"):
        read(json.dumps(written))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"tables": 1}'])
def test_what_is_no_calibration_is_refused(text):
    with pytest.raises(ModelError, match="damaged"):
        read(text)
