"""The fingerprint engine on drawn patterns and, where they are, on real prints."""

from __future__ import annotations

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edge.errors import InputError
from edge.models.store import ModelStore
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.engine import MODEL_ID, FingerprintEngine
from edge.recognition.fingerprint.image import read_finger_image
from edge.terms import FingerPosition, FingerprintSample, QualityReason

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("models"))
    return FingerprintEngine(store.path(MODEL_ID))


def _sample(image, ppi: float = 500.0) -> FingerprintSample:
    return FingerprintSample(image, ppi, FingerPosition.RIGHT_INDEX, AT)


def _swirl(size=(288, 256)):
    """Curved ridges nine pixels apart with a core and phase faults: a crude print."""
    rng = np.random.default_rng(3)
    y, x = np.indices(size, np.float64)
    dx, dy = x - size[1] / 2, (y - size[0] / 2) / 1.3
    phase = 2 * np.pi * np.hypot(dx, dy) / 9
    for _ in range(36):
        px, py = rng.uniform(30, size[1] - 30), rng.uniform(30, size[0] - 30)
        phase += rng.choice((-1, 1)) * np.arctan2(y - py, x - px)
    noisy = 127 + 100 * np.cos(phase) + rng.normal(0, 8, size)
    inside = (dx / size[1]) ** 2 + (dy / size[0] * 1.3) ** 2 < 0.2
    return np.where(inside, noisy, 250).clip(0, 255).astype(np.uint8)


def _text_page(scale: float):
    page = np.full((400, 400), 255, np.uint8)
    for line in range(40):
        place = (5, int(20 + line * 28 * scale))
        words = "the quick brown fox jumps over the lazy dog"
        cv2.putText(page, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 0, 2)
    return page


def test_ridges_with_minutiae_are_accepted(engine):
    quality = engine.assess(_sample(_swirl()))
    assert quality.is_sufficient
    assert 20 <= quality.score <= 100


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_image_holds_no_finger(engine, grey):
    quality = engine.assess(_sample(np.full((288, 256), grey, np.uint8)))
    assert not quality.is_sufficient
    assert quality.score == 0
    assert quality.reasons == (QualityReason.NO_FINGER,)


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(1).integers(0, 256, (288, 256), np.uint8),
        _text_page(0.5),
        _text_page(1.0),
        np.tile((127 + 100 * np.sin(np.arange(256) * 0.7)).astype(np.uint8), (288, 1)),
    ],
    ids=["noise", "small text", "large text", "stripes"],
)
def test_what_is_no_finger_is_refused(engine, image):
    quality = engine.assess(_sample(image))
    assert not quality.is_sufficient
    assert quality.score == 0


def test_a_touch_with_the_tip_is_too_small(engine):
    image = np.full((288, 256), 250, np.uint8)
    image[100:164, 90:154] = _swirl()[110:174, 96:160]
    quality = engine.assess(_sample(image))
    assert not quality.is_sufficient
    assert quality.reasons[0] in {
        QualityReason.TOO_SMALL,
        QualityReason.TOO_FEW_MINUTIAE,
    }


def test_templates_hold_the_strongest_first_within_the_image(engine):
    template = engine.extract(_sample(_swirl()))
    assert 8 <= len(template) <= 255
    assert (np.diff(template.quality.astype(int)) <= 0).all()
    assert template.x.min() >= 0
    assert template.x.max() < template.width_px == 256
    assert template.y.max() < template.height_px == 288
    assert template.angle_rad.max() < 2 * np.pi
    assert template.position is FingerPosition.RIGHT_INDEX


def test_another_resolution_gives_the_same_finger(engine):
    fine = cv2.resize(_swirl(), None, fx=1.6, fy=1.6, interpolation=cv2.INTER_CUBIC)
    template = engine.extract(_sample(fine.astype(np.uint8), 800.0))
    original = engine.extract(_sample(_swirl()))
    assert abs(template.width_px - 256) <= 1
    a, b = prepare(template), prepare(original)
    assert compare(a, b) > 0.5 * compare(b, b)


@pytest.mark.parametrize("ppi", [0.0, -500.0, 249.0, 1001.0, float("nan")])
def test_a_wrong_resolution_is_refused(engine, ppi):
    for ask in (engine.assess, engine.extract):
        with pytest.raises(InputError, match="wrong resolution"):
            ask(_sample(_swirl(), ppi))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 0), np.uint8),
        np.zeros((288, 256, 3), np.uint8),
        np.zeros((288, 256), np.float32),
        np.zeros((3000, 3000), np.uint8),
    ],
)
def test_what_is_no_grey_print_of_sane_size_is_refused(engine, image):
    with pytest.raises(InputError):
        engine.assess(_sample(image))


@pytest.mark.parametrize("size", [(1, 1), (5, 200), (33, 31)])
def test_odd_sizes_are_handled(engine, size):
    quality = engine.assess(_sample(np.full(size, 200, np.uint8)))
    assert not quality.is_sufficient


@pytest.mark.shared
def test_real_prints_pass_and_match_their_own_finger_best(engine, shared_folder):
    folder = shared_folder / "data" / "fingerprints" / "fvc2000_db2_b"
    names = ("101_1", "101_2", "102_1", "103_1")
    samples = [_sample(read_finger_image(folder / f"{name}.png")) for name in names]
    assert all(engine.assess(sample).is_sufficient for sample in samples)
    first, *others = (prepare(engine.extract(sample)) for sample in samples)
    scores = [compare(first, other) for other in others]
    assert scores[0] > 2 * max(scores[1:])
