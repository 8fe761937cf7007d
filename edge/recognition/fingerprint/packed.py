"""Minutiae as galleries keep them: three 16-bit words each.

    word 0: kind (2 bits), x (14)      word 1: low angle bits (2), y (14)
    word 2: high angle bits (8), quality (8)

The angle has ANGLE_STEPS steps a turn, as in the template record. Whatever is compared
is packed first, so that a template gives the same score from a file and in a gallery.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.terms import FingerprintTemplate

ANGLE_STEPS = 1024
# The strongest of a print; more make a comparison slower, not better.
MOST_MINUTIAE = 128
WORDS = 3


def pack(template: FingerprintTemplate) -> NDArray[np.uint16]:
    """Return uint16 (n, WORDS) of the strongest MOST_MINUTIAE minutiae."""
    chosen = slice(None)
    if len(template) > MOST_MINUTIAE:
        order = np.argsort(-template.quality.astype(np.int16), kind="stable")
        chosen = np.sort(order[:MOST_MINUTIAE])  # type: ignore[assignment]
    step = np.rint(template.angle_rad[chosen] * (ANGLE_STEPS / (2 * math.pi)))
    angle = step.astype(np.int64) % ANGLE_STEPS
    x = np.clip(template.x[chosen].astype(np.int64), 0, 0x3FFF)
    y = np.clip(template.y[chosen].astype(np.int64), 0, 0x3FFF)
    words = np.empty((len(x), WORDS), np.uint16)
    words[:, 0] = (template.kind[chosen].astype(np.int64) & 3) << 14 | x
    words[:, 1] = (angle & 3) << 14 | y
    words[:, 2] = (angle >> 2) << 8 | template.quality[chosen].astype(np.int64)
    return words
