"""Minutiae from a print: run the network, read its maps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edge.errors import InputError
from edge.recognition.fingerprint.foreground import Window, find_print
from edge.recognition.parameters import MINUTIA_THRESHOLD, MOST_MINUTIAE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SIDE_MULTIPLE_PX = 32
# A rolled finger on a card is 800 x 750; the network needs 0.8 kB a pixel.
LARGEST_PRINT_PX = 1024 * 1024
# Another view of a print moves minutiae near its edge by a pixel: for half the time
# only, not for a little less.
_WORTHWHILE_SHARE = 0.6
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

    def moved(self, right_px: int, down_px: int) -> Minutiae:
        x, y = self.x + np.int16(right_px), self.y + np.int16(down_px)
        return replace(self, x=x, y=y)


_NONE = Minutiae(
    x=np.zeros(0, np.int16),
    y=np.zeros(0, np.int16),
    angle_rad=np.zeros(0, np.float32),
    kind=np.zeros(0, np.uint8),
    quality=np.zeros(0, np.uint8),
)


def find_minutiae(session: InferenceSession, image: NDArray[np.uint8]) -> Minutiae:
    """Return the minutiae of the print; none of an image that is even all over.

    image: uint8 (height, width) at 500 ppi, dark ridges.

    Raises:
        InputError: what is not background is larger than a finger.
        ModelError: the network fails.
    """
    place = find_print(image)
    if place is None:
        return _NONE
    padded, top, left = _padded(image)
    view = _view(padded, place, top, left)
    if view.area_px > LARGEST_PRINT_PX:
        raise InputError(
            f"fingerprint image: a print of {view.right - view.left} x "
            f"{view.bottom - view.top} pixels at 500 ppi is no single finger; "
            "cut out one finger or check the resolution"
        )
    seen = padded[view.top : view.bottom, view.left : view.right]
    maps = session.run({"image": np.ascontiguousarray(seen)[None]})
    # What the padding shows is no part of the image.
    rows = _inside(view.top, view.bottom, top, image.shape[0])
    columns = _inside(view.left, view.right, left, image.shape[1])
    _, direction, kind, strength = (values[0, :, rows, columns] for values in maps)
    found = read_maps(direction, kind[0], strength[0])
    return found.moved(view.left + columns.start - left, view.top + rows.start - top)


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


def _view(padded: NDArray[np.uint8], place: Window, top: int, left: int) -> Window:
    """Return the part of the padded image for the network to look at.

    Whole steps of the padding's raster, on which the network's own rasters lie.
    """
    whole = Window(0, padded.shape[0], 0, padded.shape[1])
    part = Window(
        (place.top + top) // SIDE_MULTIPLE_PX * SIDE_MULTIPLE_PX,
        -(-(place.bottom + top) // SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX,
        (place.left + left) // SIDE_MULTIPLE_PX * SIDE_MULTIPLE_PX,
        -(-(place.right + left) // SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX,
    )
    return part if part.area_px <= _WORTHWHILE_SHARE * whole.area_px else whole


def _inside(first: int, last: int, margin: int, side: int) -> slice:
    """Return what of the padded pixels first to last belongs to the image itself."""
    return slice(max(margin - first, 0), min(margin + side, last) - first)
