"""Have the comparison kernels compiled, or loaded from the cache, before they count."""

from __future__ import annotations

import numpy as np

from edge.recognition.fingerprint.comparison import compare, prepare
from edge.terms import FingerPosition, FingerprintTemplate

MINUTIAE = 24


def warm_up_kernels() -> None:
    """Compare two made-up templates once.

    Takes seconds the first time on a machine, a fraction of one when the kernel cache
    is filled.
    """
    rng = np.random.default_rng(0)
    template = FingerprintTemplate(
        position=FingerPosition.UNKNOWN,
        model_id="warm-up",
        width_px=256,
        height_px=288,
        x=rng.integers(10, 246, MINUTIAE).astype(np.int16),
        y=rng.integers(10, 278, MINUTIAE).astype(np.int16),
        angle_rad=rng.uniform(0, 6.28, MINUTIAE).astype(np.float32),
        kind=np.ones(MINUTIAE, np.uint8),
        quality=np.full(MINUTIAE, 80, np.uint8),
    )
    prepared = prepare(template)
    compare(prepared, prepared)
