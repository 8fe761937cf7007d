"""Faces in an image: YuNet, one network over the whole image.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (2023). Every cell of
three grids tells whether a face's centre lies near it, its box and its five points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.face.detection import Face, require_rgb, suppress_overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.face.detection import InferenceSession

    Floats = NDArray[np.float32]
    Image = NDArray[np.uint8]

STRIDES_PX = (8, 16, 32)
LEAST_CONFIDENCE = 0.6
FAINT_CONFIDENCE = 0.3
MOST_OVERLAP = 0.3
# The network finds faces from some ten pixels; in a larger image the smallest faces
# that are asked for are still as large as this.
SMALLEST_FACE_PX = 16
DEFAULT_MIN_FACE_PX = 40
# What is larger than this is looked at in less detail: time and memory are bounded.
LARGEST_SIDE_PX = 1280


class YunetDetector:
    """session: the converted network."""

    # See edge.recognition.face.levelling.
    shortens_tilt = True

    def __init__(
        self,
        session: InferenceSession,
        *,
        min_face_px: int = DEFAULT_MIN_FACE_PX,
        least_confidence: float = LEAST_CONFIDENCE,
    ) -> None:
        self._session = session
        self._least_confidence = least_confidence
        self._min_face_px = max(min_face_px, SMALLEST_FACE_PX)

    def fainter(self) -> YunetDetector:
        """Return a detector that sees uncertain faces, too: for advice, not for search.

        It shares the network.
        """
        return YunetDetector(
            self._session,
            min_face_px=self._min_face_px,
            least_confidence=FAINT_CONFIDENCE,
        )

    def detect(self, image: Image) -> list[Face]:
        """Return the faces of the RGB image, the largest first.

        Raises:
            InputError: the image is not uint8 of shape (height, width, 3).
        """
        require_rgb(image)
        scale = min(1.0, LARGEST_SIDE_PX / max(image.shape[:2]))
        small = _padded(_scaled(image, scale))
        boxes, points, confidences = self._found(small)
        kept = suppress_overlaps(boxes, confidences, MOST_OVERLAP)
        faces = [
            Face(boxes[i] / scale, points[i] / scale, float(confidences[i]))
            for i in kept
        ]
        large = [face for face in faces if _side_px(face) >= self._min_face_px]
        return sorted(large, key=lambda face: face.area_px, reverse=True)

    def _found(self, image: Image) -> tuple[Floats, Floats, Floats]:
        """Return boxes (n, 4), points (n, 5, 2) and confidences (n,), overlaps too."""
        outputs = self._session.run({"image": image[None]})
        grids = [
            _decoded(
                image.shape[1] // stride,
                stride,
                outputs[4 * i : 4 * i + 4],
                self._least_confidence,
            )
            for i, stride in enumerate(STRIDES_PX)
        ]
        boxes, points, confidences = (
            np.concatenate(part) for part in zip(*grids, strict=True)
        )
        return boxes, points, confidences


def _decoded(
    columns: int,
    stride_px: int,
    outputs: Sequence[NDArray[np.floating]],
    least_confidence: float,
) -> tuple[Floats, Floats, Floats]:
    """Return what the likely cells of one grid say; outputs: cls, obj, bbox, kps."""
    is_face, is_object = (np.clip(part[0, :, 0], 0.0, 1.0) for part in outputs[:2])
    confidences = np.sqrt(is_face * is_object)
    [likely] = np.nonzero(confidences >= least_confidence)
    cells = np.stack([likely % columns, likely // columns], axis=1)
    box, point = outputs[2][0, likely], outputs[3][0, likely].reshape(-1, 5, 2)
    centres = (cells + box[:, :2]) * stride_px
    halves = np.exp(np.minimum(box[:, 2:], 10.0)) * stride_px / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    points = (cells[:, None] + point) * stride_px
    return (
        boxes.astype(np.float32),
        points.astype(np.float32),
        confidences[likely].astype(np.float32),
    )


def _scaled(image: Image, scale: float) -> Image:
    if scale >= 1:
        return image
    height, width = (max(1, round(extent * scale)) for extent in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _padded(image: Image) -> Image:
    """Return the image with black to the right and below, as the grids need it."""
    height, width = image.shape[:2]
    more = (-height % STRIDES_PX[-1], -width % STRIDES_PX[-1])
    if more == (0, 0):
        return image
    return np.pad(image, ((0, more[0]), (0, more[1]), (0, 0)))


def _side_px(face: Face) -> float:
    return float(np.max(face.box[2:] - face.box[:2]))
