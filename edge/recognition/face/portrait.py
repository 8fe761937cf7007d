"""Faces to look at side by side: upright, of one size, the eyes at the same places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.face.alignment import similarity_transform, warped
from edge.recognition.face.levelling import levelled
from edge.recognition.face.quality_geometry import most_prominent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Detector, Face
    from edge.terms import FaceBox

WIDTH_PX, HEIGHT_PX = 240, 300
# Where the eyes lie: the whole head with hair and chin fits around them.
EYES = np.array([[88.0, 132.0], [152.0, 132.0]])
# Of a box around a face without known eyes: its middle and its height in a portrait.
_BOX_MIDDLE = (120.0, 156.0)
_BOX_HEIGHT_PX = 170.0


def portrait(
    image: NDArray[np.uint8], detector: Detector, box: FaceBox | None = None
) -> NDArray[np.uint8]:
    """Return one face of an image, uint8 RGB (HEIGHT_PX, WIDTH_PX, 3).

    image: uint8 RGB. box: which face it is; None for the most prominent. A face whose
    eyes are not found is shown by its box, an image without any as a whole.

    Raises:
        InputError: the image is not RGB of 8 bits.
        ModelError: the network fails.
    """
    face = _chosen(image, detector, box)
    if face is not None:
        transform = similarity_transform(face.points[:2], EYES)
    elif box is not None:
        transform = _around(box)
    else:
        transform = _whole(image)
    return warped(image, transform, (WIDTH_PX, HEIGHT_PX))


def _chosen(
    image: NDArray[np.uint8], detector: Detector, box: FaceBox | None
) -> Face | None:
    faces = detector.detect(image)
    if not faces:
        return None
    if box is None:
        face = faces[most_prominent(faces, *image.shape[:2])]
        return levelled(detector, image, face)
    middle = np.array([box.left_px + box.right_px, box.top_px + box.bottom_px]) / 2
    half = max(box.right_px - box.left_px, box.bottom_px - box.top_px) / 2
    nearest = min(faces, key=lambda face: _distance(face, middle))
    if _distance(nearest, middle) > half:
        return None
    return levelled(detector, image, nearest)


def _distance(face: Face, middle: NDArray[np.float64]) -> float:
    return float(np.linalg.norm((face.box[:2] + face.box[2:]) / 2 - middle))


def _around(box: FaceBox) -> NDArray[np.float64]:
    scale = _BOX_HEIGHT_PX / max(1.0, box.bottom_px - box.top_px)
    x = (box.left_px + box.right_px) / 2
    y = (box.top_px + box.bottom_px) / 2
    return _placed(scale, (x, y), _BOX_MIDDLE)


def _whole(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = image.shape[:2]
    scale = min(WIDTH_PX / width, HEIGHT_PX / height)
    return _placed(scale, (width / 2, height / 2), (WIDTH_PX / 2, HEIGHT_PX / 2))


def _placed(
    scale: float, point: tuple[float, float], place: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the scaling that moves the point to the place."""
    x, y = place[0] - scale * point[0], place[1] - scale * point[1]
    return np.array([[scale, 0.0, x], [0.0, scale, y]])
