"""What of two prints corresponds, as the officer's screen draws it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from edge.booth.comparisons import ReferenceImage, comparisons_view, probe_face
from edge.records.searched_face import FACE_TYPE
from edge.records.template import encode_template
from edge.terms import (
    Candidate,
    ComparisonScore,
    Evidence,
    FingerPosition,
    FingerprintTemplate,
    Hit,
    Modality,
    Reference,
    SampleEvidence,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FINGER, FACE = Modality.FINGERPRINT, Modality.FACE
RIGHT, LEFT = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX
RARE = ComparisonScore(0.8, 1e-7)
PNG, RECORD = "image/png", "application/octet-stream"


def drawn(seed, position=RIGHT, shift=(0, 0), order=None):
    """Return a template of 40 minutiae; the same seed draws the same finger."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(30, 220, 40), rng.integers(30, 250, 40)
    angle = rng.uniform(0, 2 * np.pi, 40)
    kind, quality = rng.integers(1, 3, 40), rng.integers(60, 100, 40)
    order = np.arange(40) if order is None else order
    return FingerprintTemplate(
        position=position,
        model_id="leader",
        width_px=256,
        height_px=288,
        x=(x + shift[0])[order].astype(np.int16),
        y=(y + shift[1])[order].astype(np.int16),
        angle_rad=angle[order].astype(np.float32),
        kind=kind[order].astype(np.uint8),
        quality=quality[order].astype(np.uint8),
    )


def reference(name, template, entry_id="e1"):
    return Reference(name, entry_id, FINGER, template.position, template)


def evidence(template, position=RIGHT):
    return (
        Evidence(FINGER, position, PNG, b"print"),
        Evidence(FINGER, position, RECORD, encode_template(template)),
    )


FACE_EVIDENCE = (
    Evidence(FACE, FingerPosition.UNKNOWN, PNG, b"face"),
    Evidence(FACE, FingerPosition.UNKNOWN, RECORD, b"vector"),
    Evidence(FACE, FingerPosition.UNKNOWN, FACE_TYPE, b"about"),
)


def hit_of(items, *samples, entry_id="e1"):
    told = tuple(
        SampleEvidence(modality, position, reference_id, RARE, 5.0)
        for modality, position, reference_id in samples
    )
    candidate = Candidate(entry_id, "r1", FINGER, RIGHT, RARE, told)
    return Hit("h1", "c1", "booth-1", NOON, entry_id, 1, (candidate,), items)


@pytest.fixture
def order():
    return np.random.default_rng(5).permutation(40)


def test_the_pairs_are_of_the_same_minutiae_in_both_prints(order):
    probe, other = drawn(1), drawn(1, shift=(4, -3), order=order)
    hit = hit_of(evidence(probe), (FINGER, RIGHT, "r1"))
    (finger,) = comparisons_view(hit, [reference("r1", other)], [])["fingers"]
    pairs = finger["pairs"]
    assert len(pairs) >= 30
    assert all(order[j] == i for i, j in pairs)
    i, j = pairs[0]
    at, there = finger["probe"]["minutiae"][i], finger["reference"]["minutiae"][j]
    assert (there[0] - at[0], there[1] - at[1]) == (4, -3)
    assert at[2] == pytest.approx(np.degrees(probe.angle_rad[i]), abs=0.5)
    assert at[3] == {1: "ending", 2: "bifurcation"}[int(probe.kind[i])]
    assert (finger["probe"]["width_px"], finger["probe"]["height_px"]) == (256, 288)


def test_two_strangers_have_no_pairs():
    hit = hit_of(evidence(drawn(1)), (FINGER, RIGHT, "r1"))
    (finger,) = comparisons_view(hit, [reference("r1", drawn(2))], [])["fingers"]
    assert len(finger["pairs"]) < 6


def test_images_are_named_as_the_api_numbers_them():
    items = (*FACE_EVIDENCE, *evidence(drawn(1)))
    hit = hit_of(items, (FINGER, RIGHT, "r1"))
    images = [
        ReferenceImage(0, "f1", FACE, FingerPosition.UNKNOWN),
        ReferenceImage(1, "r0", FINGER, RIGHT),
        ReferenceImage(2, "r1", FINGER, RIGHT),
    ]
    view = comparisons_view(hit, [reference("r1", drawn(1))], images)
    assert view["fingers"][0]["probe"]["url"] == "/api/hits/h1/images/probe/1"
    assert view["fingers"][0]["reference"]["url"] == "/api/hits/h1/images/reference/2"
    assert view["face"] == {
        "probe_url": "/api/hits/h1/faces/probe",
        "reference_url": "/api/hits/h1/faces/reference",
    }


def test_without_images_of_the_hub_minutiae_are_drawn_all_the_same():
    hit = hit_of(evidence(drawn(1)), (FINGER, RIGHT, "r1"))
    view = comparisons_view(hit, [reference("r1", drawn(1))], [])
    assert view["fingers"][0]["reference"]["url"] is None
    assert len(view["fingers"][0]["reference"]["minutiae"]) == 40
    assert view["face"] is None


def test_a_reference_that_has_left_the_list_leaves_the_capture():
    hit = hit_of((*evidence(drawn(1)), *FACE_EVIDENCE), (FINGER, RIGHT, "gone"))
    view = comparisons_view(hit, [], [])
    (finger,) = view["fingers"]
    assert (finger["reference"]["minutiae"], finger["pairs"]) == ([], [])
    assert len(finger["probe"]["minutiae"]) == 40
    assert view["face"]["reference_url"] is None


def test_each_finger_is_shown_with_the_reference_it_is_like():
    items = (*evidence(drawn(1)), *evidence(drawn(2, LEFT), LEFT))
    hit = hit_of(items, (FINGER, RIGHT, "r1"), (FINGER, LEFT, "r2"))
    references = [reference("r2", drawn(2, LEFT)), reference("r1", drawn(1))]
    view = comparisons_view(hit, references, [])
    assert [finger["position"] for finger in view["fingers"]] == [2, 7]
    assert all(len(finger["pairs"]) > 30 for finger in view["fingers"])


def test_a_hit_by_the_face_alone_has_no_fingers():
    hit = hit_of(FACE_EVIDENCE, (FACE, FingerPosition.UNKNOWN, "f1"))
    view = comparisons_view(hit, [], [])
    assert view["fingers"] == []
    assert probe_face(hit) == (b"face", b"about")


def test_a_hit_of_an_older_booth_is_compared_by_its_candidate():
    hit = hit_of(evidence(drawn(1)))
    (finger,) = comparisons_view(hit, [reference("r1", drawn(1))], [])["fingers"]
    assert len(finger["pairs"]) > 30
