"""One traffic over a perfect line and over every kind of bad one."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_bridge.faults import Noise, NoisyPort
from firmware_bridge.module_model import ModuleSettings
from firmware_bridge.terms import ScannerSettings

SHAPE = (32, 32)
LINES = {
    "perfect": Noise(),
    "one byte at a time": Noise(one_byte_reads=True),
    "lossy": Noise(drop=0.0008),
    "doubling": Noise(double=0.0008),
    "corrupting": Noise(flip=0.0008),
    "stray bytes": Noise(stray=0.002),
    "delayed": Noise(delay_s=0.01, one_byte_reads=True),
    "all at once": Noise(0.0002, 0.0002, 0.0002, 0.0002, one_byte_reads=True),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", LINES.values(), ids=LINES)
def test_every_line_brings_the_same_images(make_bench, make_finger, noise, seed):
    bench = make_bench(ModuleSettings(image_shape=SHAPE))
    scanner = bench.scanner(
        ScannerSettings(image_shape=SHAPE, attempts=12),
        NoisyPort(bench.host, noise, seed),
    )
    scanner.open()
    for number in range(4):
        finger = make_finger(number, SHAPE)
        bench.emulator.present(finger)
        assert np.array_equal(scanner.capture(timeout_s=5).image, finger)
