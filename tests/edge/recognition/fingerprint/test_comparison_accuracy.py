"""How well the comparison tells real fingers apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge.config import default_cache_dir
from edge.models.store import ModelStore
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.engine import MODEL_ID, FingerprintEngine
from edge.recognition.fingerprint.training_set import read_sets

SETS = ("fvc2000_db2_b", "fvc2002_db3_b")


def _equal_error_rate(mated, non_mated):
    thresholds = np.unique([*mated, *non_mated])
    fnmr = np.searchsorted(np.sort(mated), thresholds) / len(mated)
    fmr = 1 - np.searchsorted(np.sort(non_mated), thresholds) / len(non_mated)
    return np.maximum(fnmr, fmr).min()


@pytest.mark.shared
@pytest.mark.slow
def test_two_development_sets_stay_below_1_percent_equal_error_rate(shared_folder):
    model = ModelStore(default_cache_dir() / "models").path(MODEL_ID)
    engine = FingerprintEngine(model, 2)
    rates = []
    for name in SETS:
        prints = read_sets(engine, [shared_folder / "data" / "fingerprints" / name])
        prepared = [(item.finger, prepare(item.template)) for item in prints]
        scores: dict[bool, list[float]] = {True: [], False: []}
        for (finger, a), (other, b) in itertools.combinations(prepared, 2):
            scores[finger == other].append(compare(a, b))
        rates.append(_equal_error_rate(scores[True], scores[False]))
    assert np.mean(rates) < 0.01, rates
