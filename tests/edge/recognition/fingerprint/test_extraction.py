"""Extraction with the real network: what may not change the template, and hostility."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config import default_cache_dir
from edge.errors import InputError
from edge.models.store import ModelStore
from edge.recognition.fingerprint.engine import MODEL_ID, FingerprintEngine
from edge.recognition.fingerprint.image import read_finger_image
from edge.recognition.fingerprint.mirror import mirrored
from edge.simulate.fingers import SyntheticFinger
from edge.terms import FingerPosition, FingerprintSample, FingerprintTemplate

AT = datetime(2026, 1, 1, tzinfo=UTC)
STRONG = 60


@pytest.fixture(scope="module")
def model_path():
    return ModelStore(default_cache_dir() / "models").path(MODEL_ID)


@pytest.fixture(scope="module")
def engine(model_path):
    return FingerprintEngine(model_path)


def _extract(engine, image, ppi: float = 500.0) -> FingerprintTemplate:
    image = np.ascontiguousarray(image)
    return engine.extract(FingerprintSample(image, ppi, FingerPosition.RIGHT_INDEX, AT))


def _bytes(template) -> list[bytes]:
    columns = ("x", "y", "angle_rad", "kind", "quality")
    return [getattr(template, name).tobytes() for name in columns]


def _share_refound(found, wanted, within_px: float) -> float:
    """Share of the wanted strong minutiae that found has, direction within 20 deg."""
    strong = wanted.quality >= STRONG
    far = np.hypot(
        found.x[:, None].astype(float) - wanted.x[strong],
        found.y[:, None].astype(float) - wanted.y[strong],
    )
    turn = np.abs(found.angle_rad[:, None] - wanted.angle_rad[strong])
    turn = np.minimum(turn, 2 * np.pi - turn)
    return float(((far <= within_px) & (turn <= 0.35)).any(axis=0).mean())


def _turned_round(template):
    return replace(
        template,
        x=(template.width_px - 1 - template.x).astype(np.int16),
        y=(template.height_px - 1 - template.y).astype(np.int16),
        angle_rad=np.mod(template.angle_rad + np.pi, 2 * np.pi).astype(np.float32),
    )


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_same_image_gives_the_same_bytes(engine, model_path, threads):
    image = SyntheticFinger(11).impression(0)
    other = FingerprintEngine(model_path, threads)
    expected = _bytes(_extract(engine, image))
    assert _bytes(_extract(other, image)) == expected
    assert _bytes(_extract(other, image)) == expected


@pytest.mark.parametrize("seed", [11, 12])
def test_a_print_upside_down_has_the_same_minutiae(engine, seed):
    image = SyntheticFinger(seed).impression(0)
    upright = _extract(engine, image)
    turned = _turned_round(_extract(engine, image[::-1, ::-1]))
    assert (upright.quality >= STRONG).sum() >= 10
    assert _share_refound(turned, upright, 3.0) >= 0.85


@pytest.mark.parametrize("seed", [11, 12])
def test_a_mirror_image_has_the_mirrored_minutiae(engine, seed):
    image = SyntheticFinger(seed).impression(0)
    found = mirrored(_extract(engine, image[:, ::-1]))
    assert _share_refound(found, _extract(engine, image), 3.0) >= 0.85


@pytest.mark.parametrize("ppi", [250.0, 569.0, 1000.0])
def test_another_resolution_finds_the_same_minutiae(engine, ppi):
    image = SyntheticFinger(13).impression(0)
    upright = _extract(engine, image)
    size = tuple(round(side * ppi / 500) for side in image.shape[::-1])
    method = cv2.INTER_AREA if ppi < 500 else cv2.INTER_CUBIC
    found = _extract(engine, cv2.resize(image, size, interpolation=method), ppi)
    assert (found.width_px, found.height_px) == (upright.width_px, upright.height_px)
    assert _share_refound(found, upright, 3.0) >= 0.8


def test_a_faint_print_has_the_same_minutiae(engine):
    image = SyntheticFinger(12).impression(0)
    faint = (200 + (image.astype(float) - 200) * 0.1).round().astype(np.uint8)
    upright = _extract(engine, image)
    assert _share_refound(_extract(engine, faint), upright, 3.0) >= 0.8


def test_a_small_print_in_a_large_scan_is_found_where_it_lies(engine):
    image = SyntheticFinger(14).impression(0)
    scan = np.full((640, 640), image[0, 0], np.uint8)
    scan[290 : 290 + image.shape[0], 350 : 350 + image.shape[1]] = image
    alone, found = _extract(engine, image), _extract(engine, scan)
    moved = replace(found, x=found.x - np.int16(350), y=found.y - np.int16(290))
    assert _share_refound(moved, alone, 3.0) >= 0.85


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 200),
    width=st.integers(1, 200),
    ppi=st.floats(250, 1000),
    seed=st.integers(0, 2**16),
    kind=st.sampled_from(["noise", "black and white", "ramp", "even"]),
)
def test_no_image_breaks_the_extraction(engine, height, width, ppi, seed, kind):
    rng = np.random.default_rng(seed)
    image = {
        "noise": rng.integers(0, 256, (height, width)),
        "black and white": 255 * rng.integers(0, 2, (height, width)),
        "ramp": np.add.outer(np.arange(height), np.arange(width)) * 5 % 256,
        "even": np.full((height, width), seed % 256),
    }[kind].astype(np.uint8)
    template = _extract(engine, image, ppi)
    assert len(template) <= 255
    assert ((template.x >= 0) & (template.x < template.width_px)).all()
    assert ((template.y >= 0) & (template.y < template.height_px)).all()
    assert ((template.angle_rad >= 0) & (template.angle_rad < 2 * np.pi)).all()


@pytest.mark.parametrize("size", [(1, 2048), (2048, 1), (2048, 40), (23, 23)])
def test_extreme_shapes_are_handled(engine, size):
    noise = np.random.default_rng(6).integers(0, 256, size, np.uint8)
    template = _extract(engine, noise)
    assert (template.height_px, template.width_px) == size


def test_a_blank_image_of_the_largest_size_holds_nothing(engine):
    assert len(_extract(engine, np.full((2048, 2048), 200, np.uint8))) == 0


def test_a_print_larger_than_a_finger_is_refused(engine):
    noise = np.random.default_rng(6).integers(0, 256, (2048, 2048), np.uint8)
    with pytest.raises(InputError, match="no single finger"):
        _extract(engine, noise)


@pytest.mark.shared
def test_a_real_print_upside_down_has_the_same_minutiae(engine, shared_folder):
    folder = shared_folder / "data" / "fingerprints" / "fvc2000_db2_b"
    image = read_finger_image(folder / "101_1.png")
    turned = _turned_round(_extract(engine, image[::-1, ::-1]))
    assert _share_refound(turned, _extract(engine, image), 3.0) >= 0.8
