"""Filtering with another filter at each place of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.fingerprint.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

_LANES = 4


def filtered(image: Field, choice: NDArray[np.int64], bank: Field) -> Field:
    """Return at each place the answer of bank[choice], correlated, borders reflected.

    image: (height, width). choice: of its shape. bank: (n, side, side), side odd.
    """
    half, side = bank.shape[1] // 2, bank.shape[2]
    spare = -side % _LANES
    margins = (half, half, half, half + spare)
    padded = cv2.copyMakeBorder(image, *margins, cv2.BORDER_REFLECT_101)
    wide = np.pad(bank, ((0, 0), (0, 0), (0, spare)))
    out = np.zeros_like(image)
    _filter(np.asarray(padded, np.float32), choice, wide, out)
    return out


@compiled
def _filter(padded: Field, choice: NDArray[np.int64], bank: Field, out: Field) -> None:
    rows, quarters = bank.shape[1], bank.shape[2] // 4
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            kernel = bank[choice[y, x]]
            # Four sums at a time over plain rows become the processor's vectors.
            a, b = np.float32(0), np.float32(0)
            c, d = np.float32(0), np.float32(0)
            for i in range(rows):
                taps = kernel[i]
                seen = padded[y + i, x : x + 4 * quarters]
                for q in range(quarters):
                    a += taps[4 * q] * seen[4 * q]
                    b += taps[4 * q + 1] * seen[4 * q + 1]
                    c += taps[4 * q + 2] * seen[4 * q + 2]
                    d += taps[4 * q + 3] * seen[4 * q + 3]
            out[y, x] = a + b + c + d
