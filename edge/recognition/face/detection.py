"""Faces in an image: MTCNN's cascade of three networks.

Zhang, Zhang, Li, Qiao: "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (2016). P proposes windows on an image pyramid, R refines them,
O refines again and gives five points. Overlaps are the paper's usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import cv2
import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Image = NDArray[np.uint8]

DEFAULT_MIN_FACE_PX = 40
SMALLEST_WINDOW_PX = 12
PYRAMID_FACTOR = 0.709
# Least confidence in each of the three stages: the paper's usual, and what still shows
# where a covered or badly lit face may be.
THRESHOLDS = (0.6, 0.7, 0.7)
FAINT_THRESHOLDS = (0.5, 0.4, 0.3)
# Textured or hostile images make P propose thousands of windows; a booth needs few.
MOST_PROPOSALS = 256
_P_STRIDE_PX = 2
_R_INPUT_PX = 24
_O_INPUT_PX = 48


class InferenceSession(Protocol):
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]: ...


@dataclass(frozen=True, eq=False)
class Face:
    """One face found, in pixels of the image.

    box: float32 (4,), x1, y1, x2, y2; it may reach beyond the image. points: float32
    (5, 2): the eye on the image's left, the other eye, nose, mouth corner on the left,
    the other corner. confidence: 0 to 1.
    """

    box: Floats
    points: Floats
    confidence: float

    @property
    def area_px(self) -> float:
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))

    @property
    def inter_eye_px(self) -> float:
        return float(np.linalg.norm(self.points[1] - self.points[0]))


class FaceDetector:
    """Runs the cascade. pnet, rnet, onet: sessions of the three converted networks."""

    def __init__(
        self,
        pnet: InferenceSession,
        rnet: InferenceSession,
        onet: InferenceSession,
        *,
        min_face_px: int = DEFAULT_MIN_FACE_PX,
        thresholds: tuple[float, float, float] = THRESHOLDS,
    ) -> None:
        self._thresholds = thresholds
        self._pnet = pnet
        self._rnet = rnet
        self._onet = onet
        self._min_face_px = max(min_face_px, SMALLEST_WINDOW_PX)

    def fainter(self) -> FaceDetector:
        """Return a detector that sees uncertain faces, too: for advice, not for search.

        It shares the networks.
        """
        return FaceDetector(
            *(self._pnet, self._rnet, self._onet),
            min_face_px=self._min_face_px,
            thresholds=FAINT_THRESHOLDS,
        )

    def detect(self, image: Image) -> list[Face]:
        """Return the faces of the RGB image, the largest first.

        Raises:
            InputError: the image is not uint8 of shape (height, width, 3).
        """
        require_rgb(image)
        windows = self._propose(image)
        windows = self._refine(image, windows)
        faces = self._locate_points(image, windows)
        return sorted(faces, key=lambda face: face.area_px, reverse=True)

    def _propose(self, image: Image) -> Floats:
        levels = [
            self._propose_at(image, scale)
            for scale in pyramid_scales(image.shape[:2], self._min_face_px)
        ]
        if not levels:
            return np.zeros((0, 4), np.float32)
        found = np.concatenate(levels)
        boxes, corrections, confidences = found[:, :4], found[:, 4:8], found[:, 8]
        kept = suppress_overlaps(boxes, confidences, 0.7)[:MOST_PROPOSALS]
        return squares(corrected(boxes[kept], corrections[kept]))

    def _propose_at(self, image: Image, scale: float) -> Floats:
        """Return rows of box, correction and confidence of one pyramid level."""
        height, width = (round(extent * scale) for extent in image.shape[:2])
        level = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        probability, corrections = self._pnet.run({"image": level[None]})
        rows, columns = np.nonzero(probability[0] >= self._thresholds[0])
        confidences = probability[0][rows, columns]
        corners = np.stack([columns, rows], axis=1) * _P_STRIDE_PX
        boxes = np.concatenate([corners, corners + SMALLEST_WINDOW_PX], axis=1) / scale
        kept = suppress_overlaps(boxes, confidences, 0.5)[:MOST_PROPOSALS]
        return np.concatenate(
            [
                boxes[kept],
                corrections[0][:, rows[kept], columns[kept]].T,
                confidences[kept, None],
            ],
            axis=1,
        ).astype(np.float32)

    def _refine(self, image: Image, windows: Floats) -> Floats:
        if not len(windows):
            return windows
        patches = cut_patches(image, windows, _R_INPUT_PX)
        confidences, corrections = self._rnet.run({"image": patches})
        likely = np.flatnonzero(confidences >= self._thresholds[1])
        windows, corrections = windows[likely], corrections[likely]
        kept = suppress_overlaps(windows, confidences[likely], 0.7)
        return squares(corrected(windows[kept], corrections[kept]))

    def _locate_points(self, image: Image, windows: Floats) -> list[Face]:
        if not len(windows):
            return []
        patches = cut_patches(image, windows, _O_INPUT_PX)
        confidences, corrections, places = self._onet.run({"image": patches})
        likely = np.flatnonzero(confidences >= self._thresholds[2])
        windows, confidences = windows[likely], confidences[likely]
        sizes = windows[:, 2:] - windows[:, :2]
        relative = places[likely].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = windows[:, None, :2] + relative * sizes[:, None]
        boxes = corrected(windows, corrections[likely])
        kept = suppress_overlaps(boxes, confidences, 0.7, by_smaller=True)
        return [
            Face(boxes[i], points[i].astype(np.float32), float(confidences[i]))
            for i in kept
        ]


class Detector(Protocol):
    def detect(self, image: Image) -> list[Face]:
        """Return the faces of the RGB image, the largest first; raises InputError."""
        ...


@runtime_checkable
class _SeesFainter(Protocol):
    def fainter(self) -> Detector: ...


def fainter_of(detector: Detector) -> Detector | None:
    """Return the detector's own for uncertain faces, None if it has none."""
    return detector.fainter() if isinstance(detector, _SeesFainter) else None


def require_rgb(image: Image) -> None:
    """Refuse what is not an RGB image.

    Raises:
        InputError: not uint8, not (height, width, 3), or empty.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(
            f"face image: {image.dtype} of shape {image.shape}; give RGB, 8 bits each"
        )
    if not image.size:
        raise InputError("face image: it has no pixels")


def pyramid_scales(extents: Sequence[int], min_face_px: int) -> list[float]:
    """Return the scales that bring faces from min_face_px up to P's window."""
    scales = []
    scale = SMALLEST_WINDOW_PX / min_face_px
    while round(min(extents) * scale) >= SMALLEST_WINDOW_PX:
        scales.append(scale)
        scale *= PYRAMID_FACTOR
    return scales


def suppress_overlaps(
    boxes: NDArray[Any],
    confidences: NDArray[Any],
    most: float,
    *,
    by_smaller: bool = False,
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes to keep, best first.

    most: the largest overlap allowed, as intersection over union, or over the smaller
    box's area with by_smaller.
    """
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    order = np.argsort(-confidences, kind="stable")
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        whole = (
            np.minimum(areas[best], areas[rest])
            if by_smaller
            else areas[best] + areas[rest] - shared
        )
        order = rest[shared <= most * whole]
    return np.array(kept, np.intp)


def corrected(boxes: NDArray[Any], corrections: NDArray[Any]) -> Floats:
    """Move each corner by a network's correction, in units of the box."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    moved = boxes + corrections * np.tile(sizes, 2)
    return np.asarray(moved, np.float32)


def squares(boxes: Floats) -> Floats:
    """Return squares around the boxes' centres, as long as their longer side."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def cut_patches(image: Image, windows: Floats, size_px: int) -> Image:
    """Return the windows, black outside the image, as (n, size_px, size_px, 3)."""
    height, width = image.shape[:2]
    patches = np.zeros((len(windows), size_px, size_px, 3), np.uint8)
    for patch, window in zip(patches, windows, strict=True):
        x1, y1, x2, y2 = (round(float(edge)) for edge in window)
        left, top = max(x1, 0), max(y1, 0)
        right, bottom = min(x2, width), min(y2, height)
        if right <= left or bottom <= top:
            continue
        piece = image[top:bottom, left:right]
        if (left, top, right, bottom) != (x1, y1, x2, y2):
            margins = (top - y1, y2 - bottom, left - x1, x2 - right)
            piece = np.pad(piece, (margins[:2], margins[2:], (0, 0)))
        shrinks = piece.shape[0] > size_px
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        cv2.resize(piece, (size_px, size_px), dst=patch, interpolation=method)
    return patches
