"""Is it a face before the camera, or a picture of one? Two MiniFASNets asked together.

ISO/IEC 30107-3 speaks of bona fide presentations and of presentation attacks; the score
here is that of a bona fide one, 0 to 1. The networks were trained by others on attacks
that are not public; what they miss on another camera nobody knows but who measures it
there. The traveller is never told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from edge.terms import PresentationDecision, PresentationVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.face.detection import Face, InferenceSession
    from edge.terms import FaceBox, FaceSample

    Image = NDArray[np.uint8]

INPUT_PX = 80
BONA_FIDE = 1
# Networks and how many times the face's box each was trained to see.
NETWORKS = ((2.7, "minifasnet-v2"), (4.0, "minifasnet-v1se"))
# Below this score a presentation counts as an attack: the networks' own even chance.
DEFAULT_THRESHOLD = 0.5


class FaceFinder(Protocol):
    def detect(self, image: Image) -> list[Face]: ...


class PresentationAttackDetector:
    """networks: each with how many times the face's box it is shown."""

    def __init__(
        self,
        networks: Sequence[tuple[float, InferenceSession]],
        threshold: float = DEFAULT_THRESHOLD,
    ) -> None:
        self._networks = networks
        self._threshold = threshold

    def judge(self, image: Image, face: Face) -> PresentationVerdict:
        """Judge a face that was found in the RGB image.

        Raises:
            ModelError: a network fails.
        """
        return self._verdict(image, face.box)

    def judge_presentation(
        self, sample: FaceSample, box: FaceBox
    ) -> PresentationVerdict:
        """Judge the face in the box: edge.ports.PresentationAttackDetection.

        Raises:
            ModelError: a network fails.
        """
        edges = (box.left_px, box.top_px, box.right_px, box.bottom_px)
        return self._verdict(sample.image, np.array(edges, np.float32))

    def _verdict(self, image: Image, box: NDArray[np.float32]) -> PresentationVerdict:
        shares = [
            float(
                network.run({"image": surroundings(image, box, times)[None]})[0][
                    0, BONA_FIDE
                ]
            )
            for times, network in self._networks
        ]
        score = float(np.mean(shares))
        is_face = score >= self._threshold
        return PresentationVerdict(
            PresentationDecision.BONA_FIDE if is_face else PresentationDecision.ATTACK,
            score,
            self._threshold,
        )


def surroundings(image: Image, box: NDArray[np.float32], times: float) -> Image:
    """Return so many times the box around the face, 80 x 80, as the networks take it.

    Where the image ends the window is moved inwards; where it is too large, it is as
    large as the image allows.
    """
    height, width = image.shape[:2]
    sides = np.maximum(box[2:] - box[:2], 1.0).astype(np.float64)
    limit = np.array([width - 1, height - 1]) / sides
    extent = sides * min(float(limit.min()), times)
    centre = (box[:2] + box[2:]).astype(np.float64) / 2
    most = np.maximum(np.array([width - 1, height - 1]) - extent, 0)
    corner = np.clip(centre - extent / 2, 0, most)
    left, top = corner.astype(int)
    right, bottom = np.minimum(
        (corner + extent).astype(int) + 1, [width, height]
    ).tolist()
    window = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    return np.asarray(cv2.resize(window, (INPUT_PX, INPUT_PX)), np.uint8)


class PresentationJudge:
    """Finds the largest face of an image and judges it."""

    def __init__(
        self, faces: FaceFinder, presentation: PresentationAttackDetector
    ) -> None:
        self._faces = faces
        self._presentation = presentation

    def score(self, image: Image) -> float | None:
        """Return the bona fide score of the largest face, None without a face.

        Raises:
            InputError: the image is not RGB of 8 bits.
            ModelError: a network fails.
        """
        found = self._faces.detect(image)
        if not found:
            return None
        return self._presentation.judge(image, found[0]).bona_fide_score
