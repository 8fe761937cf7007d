"""What is derived of templates that are the same but for quality, or far too large."""

from __future__ import annotations

import numpy as np

from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.fingerprint.descriptors import _hull
from edge.terms import FingerPosition, FingerprintTemplate


def _template(x, y, quality) -> FingerprintTemplate:
    count = len(x)
    return FingerprintTemplate(
        position=FingerPosition.UNKNOWN,
        model_id="leader",
        width_px=400,
        height_px=400,
        x=np.asarray(x, np.int16),
        y=np.asarray(y, np.int16),
        angle_rad=np.linspace(0, 6, count, dtype=np.float32),
        kind=np.ones(count, np.uint8),
        quality=np.asarray(quality, np.uint8),
    )


def test_prints_that_differ_in_quality_alone_compare_the_same_both_ways():
    rng = np.random.default_rng(4)
    x, y = rng.integers(50, 350, (2, 40))
    a = prepare(_template(x, y, rng.integers(20, 100, 40)))
    b = prepare(_template(x, y, rng.integers(20, 100, 40)))
    assert a.order != b.order
    assert compare(a, b) == compare(b, a)


def test_minutiae_at_the_ends_of_the_number_range_cost_no_more_memory(monkeypatch):
    sizes = []

    def recorded(*given):
        area = _hull(*given)
        sizes.append(area.size)
        return area

    monkeypatch.setattr("edge.recognition.fingerprint.descriptors._hull", recorded)
    ends = np.linspace(-32768, 32767, 255)
    prepared = prepare(_template(ends, ends[::-1], np.full(255, 90)))
    assert len(prepared) == 255
    assert sizes[0] < 1100 * 1100
    assert compare(prepared, prepared) == 0.0
