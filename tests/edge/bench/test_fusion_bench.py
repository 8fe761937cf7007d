"""Fused decisions, on samples whose rates are drawn."""

import cv2
import numpy as np
import pytest

from edge.bench.fusion import FusionPlan, Samples, measure
from edge.bench.fusion_plot import draw
from edge.bench.likelihood_run import make
from edge.bench.progress import Silent
from edge.errors import InputError
from edge.recognition.evidence_fusion import EvidenceFusion
from edge.recognition.face.face_sets import face_set
from edge.recognition.fingerprint.training_set import TrainingPrint
from edge.recognition.likelihood_tables import FINGERPRINT, table_of
from edge.simulate.template_gallery import generate, impression

FACE = face_set("better").template_id
FUSION = EvidenceFusion({kind: table_of(kind) for kind in (FINGERPRINT, FACE)})
PLAN = FusionPlan(persons=100, pairings=3, progress=Silent())


def samples(kind, owners, each, weak, seed):
    """Strangers are as rare as strangers are; of mates so many are like them."""
    rng = np.random.default_rng(seed)
    names = [f"{n}" for n in range(owners) for _ in range(each)]
    count = len(names)
    rarities = rng.exponential(1 / np.log(10), (count, count))
    is_mated = np.array(names)[:, None] == np.array(names)
    is_strong = rng.random((count, count)) >= weak
    rarities[is_mated & is_strong] = 7.0
    usable = np.ones(count, bool)
    rates = 10.0 ** -(np.triu(rarities) + np.triu(rarities, 1).T)
    return Samples(kind, names, rates, usable, usable.copy())


def test_what_fingers_miss_faces_find():
    fingers = samples(FINGERPRINT, 10, 4, 0.4, 1)
    faces = samples(FACE, 12, 4, 0.2, 2)
    report = measure(fingers, faces, FUSION, PLAN)
    assert (report["subjects"], report["mated_searches"]) == (10, 3 * 10 * 4 * 3)
    for ways in report["fnir_at_fpir"].values():
        assert ways["fused"]["fnir"] < ways["fingers"]["fnir"] / 2
        assert all(w["low"] <= w["fnir"] <= w["high"] for w in ways.values())
    observed = report["non_mated_pairs"]["observed_to_stated"]
    assert observed["0.1"] == pytest.approx(1, abs=0.5)


def test_a_print_without_a_template_leaves_the_face_to_speak():
    fingers = samples(FINGERPRINT, 4, 3, 0.0, 1)
    fingers.is_usable[:] = False
    fingers.rates[:] = 1.0
    faces = samples(FACE, 4, 3, 0.0, 2)
    ways = measure(fingers, faces, FUSION, PLAN)["fnir_at_fpir"]["1e-2"]
    assert ways["fingers"]["fnir"] == 1.0
    assert ways["fused"]["fnir"] == ways["face"]["fnir"] == 0.0


def test_subjects_need_two_samples_of_each_kind():
    with pytest.raises(InputError, match="two samples"):
        measure(
            samples(FINGERPRINT, 4, 1, 0.0, 1),
            samples(FACE, 4, 2, 0.0, 2),
            FUSION,
            PLAN,
        )


def test_the_report_is_drawn(tmp_path):
    fingers = samples(FINGERPRINT, 4, 3, 0.4, 1)
    measured = measure(fingers, samples(FACE, 4, 3, 0.2, 2), FUSION, PLAN)
    out = tmp_path / "fusion.png"
    report = {"finger_set": "a", "face_set": "b", "face_sets": {"better": measured}}
    draw(report, out)
    assert cv2.imread(str(out)).shape == (552, 672, 3)


def test_ratios_are_counted_on_the_mates_of_each_set():
    columns = generate(3, 8)
    rng = np.random.default_rng(1)
    prints = [
        TrainingPrint(name, f"{n}", f"{k}", impression(columns.template(n), rng, 0.3))
        for name in ("a", "b")
        for n in range(8)
        for k in range(5)
    ]
    file = make(prints, 1, Silent())
    assert {name: counts.fingers for name, counts in file.sets.items()} == {
        "a": 8,
        "b": 8,
    }
    assert [sum(counts.in_bins) for counts in file.sets.values()] == [80, 80]
    assert file.table().log_ratio(1e-9) > 3
