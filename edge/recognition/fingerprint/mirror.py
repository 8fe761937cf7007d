"""The template of the mirror image, to recognise prints that were stored mirrored.

A mirrored impression matches nothing, silently: lifted prints, negatives and faulty
converters produce them. Two templates that match only when one of them is mirrored say
so; a template alone does not show it, since whorls and loops of either hand exist.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edge.terms import FingerprintTemplate


def mirrored(template: FingerprintTemplate) -> FingerprintTemplate:
    """Return the template of the image with its left and right exchanged.

    What the engine extracts of the exchanged image itself is near this but not equal:
    the network was not built to treat mirror images alike.
    """
    angle_rad = np.mod(np.pi - template.angle_rad, 2 * np.pi).astype(np.float32)
    # A tiny negative angle becomes exactly a full turn.
    angle_rad[angle_rad >= np.float32(2 * np.pi)] = 0.0
    x = (template.width_px - 1 - template.x.astype(np.int32)).astype(np.int16)
    return replace(template, x=x, angle_rad=angle_rad)
