"""Where a face may be that the detector does not see: for advice alone.

A face that is half covered, badly lit or lying on its side escapes the detector, and
its owner would only be asked to look at the camera. A less strict look at a reduced
frame, and a look at the frame turned, find most of them. What is found is never
searched with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.face.detection import fainter_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Detector, Face

    Image = NDArray[np.uint8]

SIDE_PX = 320
# The detectors see faces up to some 45 degrees from upright.
TURNS_DEG = (-75.0, 75.0)


class Suspicion:
    def __init__(self, detector: Detector) -> None:
        self._strict = detector
        self._faint = fainter_of(detector)

    def faces(self, image: Image, *, look_turned: bool = True) -> list[Face]:
        """Return likely places in the RGB image, in its pixels.

        look_turned: search for heads that lie on a side first, at thrice the time.

        Raises:
            InputError: the image is not RGB of 8 bits.
            ModelError: the network fails.
        """
        scale = min(1.0, SIDE_PX / min(image.shape[:2]))
        small = image if scale == 1 else _reduced(image, scale)
        found = self._turned(small) if look_turned else []
        if not found and self._faint is not None:
            found = self._faint.detect(small)
        factor = np.array(image.shape[1::-1], np.float32) / small.shape[1::-1]
        return [
            replace(
                face,
                box=(face.box * np.tile(factor, 2)).astype(np.float32),
                points=(face.points * factor).astype(np.float32),
            )
            for face in found
        ]

    def _turned(self, image: Image) -> list[Face]:
        height, width = image.shape[:2]
        for angle in TURNS_DEG:
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
            turned = cv2.warpAffine(image, turn, (width, height))
            found = self._strict.detect(turned.astype(np.uint8, copy=False))
            if found:
                back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
                return [_moved(face, back) for face in found]
        return []


def _moved(face: Face, transform: NDArray[np.float64]) -> Face:
    """Return the face elsewhere; its box keeps its size and stays upright."""
    centre = (face.box[:2] + face.box[2:]) / 2
    shift = transform[:, :2] @ centre + transform[:, 2] - centre
    points = face.points @ transform[:, :2].T + transform[:, 2]
    return replace(
        face,
        box=(face.box + np.tile(shift, 2)).astype(np.float32),
        points=points.astype(np.float32),
    )


def _reduced(image: Image, scale: float) -> Image:
    height, width = (max(1, round(extent * scale)) for extent in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)
