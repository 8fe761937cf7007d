"""Minutiae from a print: run the network, read its maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edge.recognition.parameters import MINUTIA_THRESHOLD, MOST_MINUTIAE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SIDE_MULTIPLE_PX = 32
RIDGE_ENDING, BIFURCATION = 1, 2


class InferenceSession(Protocol):
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]: ...


@dataclass(frozen=True, eq=False)
class Minutiae:
    """Columns of minutiae, strongest first; units as in FingerprintTemplate."""

    x: NDArray[np.int16]
    y: NDArray[np.int16]
    angle_rad: NDArray[np.float32]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.x)


def find_minutiae(session: InferenceSession, image: NDArray[np.uint8]) -> Minutiae:
    """Return the minutiae of the print.

    image: uint8 (height, width) at 500 ppi, dark ridges.

    Raises:
        ModelError: the network fails.
    """
    padded, top, left = _padded(image)
    height, width = image.shape
    maps = session.run({"image": padded[None]})
    _, direction, kind, strength = (
        values[0, :, top : top + height, left : left + width] for values in maps
    )
    return read_maps(direction, kind[0], strength[0])


def read_maps(
    direction: NDArray[np.float32],
    kind: NDArray[np.float32],
    strength: NDArray[np.float32],
) -> Minutiae:
    """Return the minutiae that the network's maps hold.

    direction: (2, height, width), cosine and sine. kind: (height, width), at least 0.5
    for a ridge ending. strength: (height, width), the suppressed position map.
    """
    rows, columns = np.nonzero(strength >= MINUTIA_THRESHOLD)
    values = strength[rows, columns]
    order = np.argsort(-values, kind="stable")[:MOST_MINUTIAE]
    rows, columns, values = rows[order], columns[order], values[order]
    angle = np.arctan2(direction[1, rows, columns], direction[0, rows, columns])
    is_ending = kind[rows, columns] >= 0.5
    return Minutiae(
        x=columns.astype(np.int16),
        y=rows.astype(np.int16),
        angle_rad=_full_turn(angle),
        kind=np.where(is_ending, RIDGE_ENDING, BIFURCATION).astype(np.uint8),
        quality=np.clip(np.rint(values * 100), 1, 100).astype(np.uint8),
    )


def _full_turn(angle: NDArray[np.float32]) -> NDArray[np.float32]:
    turned = np.mod(angle, 2 * np.pi).astype(np.float32)
    # A tiny negative angle becomes exactly a full turn.
    turned[turned >= np.float32(2 * np.pi)] = 0.0
    return turned


def _padded(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, int]:
    """Pad as the network was trained: both sides evenly, in the corner's grey."""
    height, width = image.shape
    down, across = -height % SIDE_MULTIPLE_PX, -width % SIDE_MULTIPLE_PX
    top, left = down // 2, across // 2
    margins = ((top, down - top), (left, across - left))
    return np.pad(image, margins, constant_values=image[0, 0]), top, left
