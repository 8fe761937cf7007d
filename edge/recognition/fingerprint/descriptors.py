"""What the comparison needs of a template, derived once."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.fingerprint import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.terms import FingerprintTemplate

# A place of a descriptor is seen if it lies this near to the minutiae's hull.
HULL_MARGIN_PX = 40
_GRID_PX = 4
# Templates come from outside: minutiae far apart coarsen the grid, not fill the memory.
_MOST_GRID_CELLS = 1024


@dataclass(frozen=True, eq=False)
class Prepared:
    """A template ready to be compared.

    points: float32 (n, 3), x, y up, angle. words: uint64 (n, LAYERS), bit cylinders.
    seen: uint64 (n,), which of the 64 places lie in the print. weight: float32 (n,).
    order: a number that puts any two templates in one order.
    """

    points: NDArray[np.float32]
    words: NDArray[np.uint64]
    seen: NDArray[np.uint64]
    weight: NDArray[np.float32]
    order: int

    def __len__(self) -> int:
        return len(self.points)


def prepare(template: FingerprintTemplate) -> Prepared:
    """Derive the arrays of the comparison."""
    points = np.stack(
        [template.x, -template.y.astype(np.float32), template.angle_rad], axis=1
    ).astype(np.float32)
    weight = (template.quality / np.float32(100)).astype(np.float32)
    x, y, angle = (np.ascontiguousarray(points[:, i]) for i in range(3))
    counted = np.clip(weight + np.float32(0.25), 0, 1)
    return Prepared(
        points=points,
        words=kernels.describe(x, y, angle, counted),
        seen=_seen_places(points),
        weight=weight,
        order=zlib.crc32(points.tobytes()) << 32 | zlib.crc32(weight.tobytes()),
    )


def _seen_places(points: NDArray[np.float32]) -> NDArray[np.uint64]:
    if not len(points):
        return np.zeros(0, np.uint64)
    cell = (np.arange(kernels.SIDE_CELLS) + 0.5) * kernels.CELL_PX - kernels.RADIUS_PX
    v, u = (grid.ravel() for grid in np.meshgrid(cell, cell, indexing="ij"))
    cosine, sine = np.cos(points[:, 2:]), np.sin(points[:, 2:])
    x = points[:, :1] + u * cosine - v * sine
    y = points[:, 1:2] + u * sine + v * cosine
    corner = np.array([x.min(), y.min()]) - HULL_MARGIN_PX
    far = (float(x.max()), float(y.max()))
    grid_px = max(_GRID_PX, float((far - corner).max()) / _MOST_GRID_CELLS)
    area = _hull(points, corner, far, grid_px)
    columns, rows = (
        ((place - low) / grid_px).astype(np.intp)
        for place, low in zip((x, y), corner, strict=True)
    )
    is_seen = (area[rows, columns] > 0) & (u * u + v * v <= kernels.RADIUS_PX**2)
    bits = np.uint64(1) << np.arange(len(u), dtype=np.uint64)
    seen: NDArray[np.uint64] = np.where(is_seen, bits, np.uint64(0)).sum(
        axis=1, dtype=np.uint64
    )
    return seen


def _hull(
    points: NDArray[np.float32],
    corner: NDArray[np.float64],
    far: tuple[float, float],
    grid_px: float,
) -> NDArray[np.uint8]:
    """Draw the widened convex hull of the minutiae on a coarse grid."""
    width, height = (
        int((end - start + HULL_MARGIN_PX) / grid_px) + 2
        for end, start in zip(far, corner, strict=True)
    )
    area = np.zeros((height, width), np.uint8)
    placed = np.rint((points[:, :2] - corner) / grid_px).astype(np.int32)
    hull = cv2.convexHull(placed)
    cv2.fillConvexPoly(area, hull, 1)
    extent = 2 * int(HULL_MARGIN_PX // grid_px) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (extent, extent))
    return np.asarray(cv2.dilate(area, disc), np.uint8)
