from datetime import UTC, datetime

import numpy as np
import pytest

from edge.config import default_cache_dir
from edge.models.store import ModelStore
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.engine import MODEL_ID, FingerprintEngine
from edge.simulate.fingers import (
    WINDOW,
    Condition,
    SyntheticFinger,
    poor_impression,
)
from edge.simulate.ridges import Pattern
from edge.terms import FingerPosition, FingerprintSample

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SEEDS = (11, 12, 13, 14)


@pytest.fixture(scope="module")
def engine():
    store = ModelStore(default_cache_dir() / "models")
    return FingerprintEngine(store.path(MODEL_ID), 2)


def _sample(image):
    return FingerprintSample(image, 500.0, FingerPosition.UNKNOWN, NOON)


def test_everything_follows_from_the_seed():
    first = SyntheticFinger(5).impression(2)
    again = SyntheticFinger(5).impression(2)
    assert np.array_equal(first, again)


def test_an_impression_has_the_scanners_window_and_dark_ridges():
    image = SyntheticFinger(5).impression(0)
    assert image.shape == WINDOW
    assert image.dtype == np.uint8
    corner, middle = image[:10, :10], image[120:168, 104:152]
    assert corner.mean() > 200
    assert middle.min() < 80


def test_impressions_of_one_finger_differ():
    finger = SyntheticFinger(5)
    difference = finger.impression(0).astype(int) - finger.impression(1)
    assert np.abs(difference).mean() > 20


def test_moisture_pressure_and_dirt_darken_the_picture():
    finger = SyntheticFinger(5)
    for worse, better in (
        (Condition(moisture=0.8), Condition(moisture=-0.8)),
        (Condition(pressure=0.8), Condition(pressure=-0.8)),
        (Condition(dirt=1.0), Condition(dirt=0.0)),
        (Condition(coverage=1.0), Condition(coverage=0.7)),
    ):
        dark = finger.impression(0, condition=worse)
        assert dark.mean() < finger.impression(0, condition=better).mean()


def test_skin_that_slips_bends_the_ridges():
    finger = SyntheticFinger(5)
    still, bent = (
        finger.impression(0, condition=Condition(distortion_px=strength))
        for strength in (0.0, 15.0)
    )
    moved = np.abs(still.astype(int) - bent)
    # The middle of the contact sticks.
    assert moved[134:154, 118:138].mean() < 0.5 * moved[40:248, 40:216].mean()


def test_ridge_periods_differ_between_fingers():
    periods = [SyntheticFinger(seed).period_px for seed in range(30)]
    assert max(periods) - min(periods) > 1.5


@pytest.mark.parametrize("pattern", list(Pattern))
def test_the_ridge_period_is_a_natural_one(pattern):
    finger = SyntheticFinger(3, pattern)
    ridges = finger.ridges
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(ridges - ridges.mean())))
    rows, columns = np.indices(spectrum.shape)
    height, width = spectrum.shape
    cycles = np.hypot((rows - height // 2) / height, (columns - width // 2) / width)
    typical = np.average(cycles, weights=spectrum**2)
    assert 7.5 <= finger.period_px <= 11.0
    assert 1 / typical == pytest.approx(finger.period_px, rel=0.25)


def test_the_network_finds_a_natural_number_of_minutiae(engine):
    counts = [
        len(engine.extract(_sample(SyntheticFinger(seed).impression(0))))
        for seed in SEEDS
    ]
    assert all(15 <= count <= 110 for count in counts), counts


def test_impressions_of_one_finger_match_better_than_any_of_two_fingers(engine):
    templates = {
        seed: [
            prepare(engine.extract(_sample(SyntheticFinger(seed).impression(number))))
            for number in range(2)
        ]
        for seed in SEEDS
    }
    mated = [compare(*templates[seed]) for seed in SEEDS]
    non_mated = [
        compare(templates[a][0], templates[b][1])
        for a in SEEDS
        for b in SEEDS
        if a != b
    ]
    assert min(mated) > max(non_mated)


def test_the_gate_accepts_an_impression_and_refuses_a_poor_one(engine):
    image = SyntheticFinger(SEEDS[0]).impression(0)
    assert engine.assess(_sample(image)).is_sufficient
    assert not engine.assess(_sample(poor_impression(image))).is_sufficient
