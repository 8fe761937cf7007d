"""Templates of mirror images."""

from __future__ import annotations

import numpy as np

from edge.recognition.fingerprint.mirror import mirrored
from edge.terms import FingerPosition, FingerprintTemplate


def _template(x, y, angle_rad):
    return FingerprintTemplate(
        position=FingerPosition.LEFT_THUMB,
        model_id="leader",
        width_px=256,
        height_px=288,
        x=np.array(x, np.int16),
        y=np.array(y, np.int16),
        angle_rad=np.array(angle_rad, np.float32),
        kind=np.ones(len(x), np.uint8),
        quality=np.full(len(x), 80, np.uint8),
    )


def test_left_and_right_change_places():
    found = mirrored(_template([0, 255, 100], [10, 20, 30], [0.0, np.pi, 1.0]))
    assert found.x.tolist() == [255, 0, 155]
    assert found.y.tolist() == [10, 20, 30]
    np.testing.assert_allclose(found.angle_rad, [np.pi, 0.0, np.pi - 1], atol=1e-6)


def test_the_mirror_image_of_the_mirror_image_is_the_finger():
    rng = np.random.default_rng(4)
    angle_rad = rng.uniform(0, 2 * np.pi, 50)
    template = _template(rng.integers(0, 256, 50), rng.integers(0, 288, 50), angle_rad)
    found = mirrored(mirrored(template))
    assert found.x.tobytes() == template.x.tobytes()
    turn = np.abs(found.angle_rad - template.angle_rad)
    assert np.minimum(turn, 2 * np.pi - turn).max() < 1e-5
    assert found.angle_rad.dtype == np.float32
    assert found.angle_rad.min() >= 0
    assert found.angle_rad.max() < 2 * np.pi


def test_a_template_without_minutiae_has_a_mirror_image():
    assert len(mirrored(_template([], [], []))) == 0
